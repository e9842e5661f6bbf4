/** An HTTP/2 client that never pauses and accounts for every stream: it obeys GOAWAY, and knows what the protocol lets it open again. */
import * as http2 from 'node:http2'

export interface Http2Counts {
  answered: number
  /** Not processed by the server, and the client was told so: it may send the request again (RFC 9113, 8.7). */
  retryable: number
  /** GOAWAY frames. */
  goaways: number
  /** What became of every other stream. */
  readonly lost: string[]
}

interface Lane {
  session: http2.ClientHttp2Session | undefined
}

export class Http2Load {
  readonly counts: Http2Counts = { answered: 0, retryable: 0, goaways: 0, lost: [] }
  readonly #url: string
  readonly #headers: http2.OutgoingHttpHeaders
  readonly #streams: Promise<void>[] = []
  readonly #lanes: Lane[] = []
  #over = false

  constructor(url: string, { sessions, streams, headers }: { readonly sessions: number; readonly streams: number; readonly headers: http2.OutgoingHttpHeaders }) {
    this.#url = url
    this.#headers = headers
    for (let count = 0; count < sessions; count += 1) {
      const lane: Lane = { session: undefined }
      this.#lanes.push(lane)
      for (let stream = 0; stream < streams; stream += 1) this.#streams.push(this.#keepAsking(lane))
    }
  }

  /** Lets what is open finish. */
  async end(): Promise<Http2Counts> {
    this.#over = true
    await Promise.all(this.#streams)
    for (const { session } of this.#lanes) session?.close()
    return this.counts
  }

  async #keepAsking(lane: Lane): Promise<void> {
    while (!this.#over) {
      lane.session ??= this.#connect(lane)
      await this.#ask(lane.session)
    }
  }

  #connect(lane: Lane): http2.ClientHttp2Session {
    const session = http2.connect(this.#url, { rejectUnauthorized: false })
    const leave = (): void => {
      if (lane.session === session) lane.session = undefined
    }
    session.on('goaway', () => {
      this.counts.goaways += 1
      leave()
    })
    session.on('error', leave)
    session.on('close', leave)
    return session
  }

  async #ask(session: http2.ClientHttp2Session): Promise<void> {
    const stream = session.request({ ':path': '/', ...this.#headers })
    let status: number | undefined
    let ended = false
    let failure = ''
    stream.on('response', (headers) => (status = headers[':status']))
    stream.on('end', () => (ended = true))
    stream.on('error', (error: NodeJS.ErrnoException) => (failure = error.code ?? error.message))
    stream.resume()
    await new Promise((resolve) => stream.once('close', resolve))
    if (status === 200 && ended && failure === '') this.counts.answered += 1
    else if (status === undefined && isRetryable(stream, failure)) this.counts.retryable += 1
    else this.counts.lost.push(`status ${status}, code ${stream.rstCode}, ${failure}`)
  }
}

/** Node turns streams above the last one that GOAWAY names into refused ones. */
function isRetryable(stream: http2.ClientHttp2Stream, failure: string): boolean {
  return stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM || failure === 'ERR_HTTP2_GOAWAY_SESSION'
}
