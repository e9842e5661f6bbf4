/** Reads HTTP/1.1 responses from bytes that come in any pieces. Strict: what it does not expect is an error. */

export interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

interface Part {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly pieces: Buffer[]
  /** Bytes that are missing: of the body, or of a chunk. Undefined: the line with the size of a chunk comes next. */
  missing: number | undefined
  readonly chunked: boolean
  /** The empty chunk has come. */
  last: boolean
}

const NONE = Buffer.alloc(0)

export class ResponseReader {
  #rest: Buffer = NONE
  #part: Part | undefined
  #upgraded = false

  /** Bytes have come that belong to no complete response yet. */
  get isWithin(): boolean {
    return this.#part !== undefined || this.#rest.length > 0
  }

  /** What follows the head of a 101: no HTTP any more. */
  get rest(): Buffer {
    return this.#rest
  }

  /** @throws Error for what is no response. */
  take(bytes: Buffer): readonly Response[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const responses: Response[] = []
    while (!this.#upgraded) {
      this.#part ??= this.#readHead()
      if (this.#part === undefined || !this.#readBody(this.#part)) break
      const { status, headers, pieces } = this.#part
      responses.push({ status, headers, body: Buffer.concat(pieces) })
      this.#part = undefined
      this.#upgraded = status === 101
    }
    return responses
  }

  #readHead(): Part | undefined {
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end === -1) return undefined
    const [first = '', ...lines] = this.#rest.toString('latin1', 0, end).split('\r\n')
    this.#rest = this.#rest.subarray(end + 4)
    const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first)?.[1]
    if (status === undefined) throw new Error(`no status line: ${JSON.stringify(first.slice(0, 80))}`)
    const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
    const chunked = headers['transfer-encoding'] === 'chunked'
    return { status: Number(status), headers, pieces: [], chunked, missing: chunked ? undefined : Number(headers['content-length'] ?? 0), last: false }
  }

  /** True when it is complete. */
  #readBody(part: Part): boolean {
    if (!part.chunked) return this.#readPiece(part, 0)
    for (;;) {
      if (part.missing === undefined) {
        const end = this.#rest.indexOf('\r\n')
        if (end === -1) return false
        const size = this.#rest.toString('latin1', 0, end)
        if (!/^[0-9a-f]+$/i.test(size)) throw new Error(`no size of a chunk: ${JSON.stringify(size.slice(0, 80))}`)
        this.#rest = this.#rest.subarray(end + 2)
        part.missing = Number.parseInt(size, 16)
        part.last = part.missing === 0
      }
      if (!this.#readPiece(part, 2)) return false
      part.missing = undefined
      if (part.last) return true
    }
  }

  /** Takes what there is of the missing bytes. True when they and the line end behind them are there. */
  #readPiece(part: Part, lineEnd: number): boolean {
    const missing = part.missing ?? 0
    const piece = this.#rest.subarray(0, missing)
    if (piece.length > 0) part.pieces.push(piece)
    this.#rest = this.#rest.subarray(piece.length)
    part.missing = missing - piece.length
    if (part.missing > 0 || this.#rest.length < lineEnd) return false
    this.#rest = this.#rest.subarray(lineEnd)
    return true
  }
}
