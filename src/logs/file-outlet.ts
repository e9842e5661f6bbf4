/** Appends to a log file, rotates it, and notices when somebody else did. */
import { fstatSync } from 'node:fs'
import { closeFd, openLogFile, removeOld, shiftFiles, sizeIfSame, statFd, writeFd, type Keep, type LogFile } from './log-file.ts'
import { codeOf, type Outlet, type WriteFailure } from './outlet.ts'

/** When a file is rotated, and what is kept of it. */
export interface Rotation extends Keep {
  /** A file that would become larger is rotated first, in bytes; 0: never because of its size. */
  readonly maxBytes: number
  /** A new file for each such stretch of time, in ms, counted from midnight local time; 0: never because of its age. */
  readonly everyMs: number
}

/** What an operator should know, besides that lines are lost (which the sink tells). */
export type FileTrouble =
  /** The path leads elsewhere or nowhere, and cannot be opened; what was open is written on. */
  | { readonly name: 'not reopened'; readonly code: string }
  /** The file grows on. */
  | { readonly name: 'not rotated'; readonly code: string }

export interface FileOutletOptions {
  /** Absolute. */
  readonly path: string
  readonly rotation: Rotation
  /** Wall clock in ms. */
  readonly now: () => number
  readonly onTrouble: (trouble: FileTrouble) => void
}

const NEWLINE = 10
/** How soon it is noticed that the file was moved or removed, when something is written. */
const LOOK_INTERVAL_MS = 1000
/** How soon a rotation that failed is tried again. */
const RETRY_MS = 60_000
/** How often older files are looked at because of their age. */
const REMOVE_INTERVAL_MS = 3_600_000

/**
 * The outlet of a file. All work on the file is done by Node's threads and one after the other, so that a slow disk holds up
 * neither the event loop nor the order of lines. A file is changed for another between two writes and after
 * a newline, so no line is lost or torn by that.
 */
export class FileOutlet implements Outlet {
  readonly copies = true
  readonly #options: FileOutletOptions
  #file: LogFile
  #lookedAt: number
  #rotateFrom = 0
  #removedAt = Number.NEGATIVE_INFINITY
  /** The file is to be opened anew before the next write. */
  #isStale = false
  #endsLine = true
  #trouble = ''
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: FileOutletOptions, file: LogFile) {
    this.#options = options
    this.#file = file
    this.#lookedAt = options.now()
  }

  /** @throws what {@link openLogFile} throws */
  static async open(options: FileOutletOptions): Promise<FileOutlet> {
    return new FileOutlet(options, await openLogFile(options.path))
  }

  write(bytes: Buffer, done: (failure?: WriteFailure) => void): void {
    this.#turn = this.#turn.then(async () => this.#write(bytes)).then(done)
  }

  /** Whether a descriptor leads to the file that is open. */
  isOpenAs(fd: number): boolean {
    try {
      const { dev, ino } = fstatSync(fd)
      return dev === this.#file.dev && ino === this.#file.ino
    } catch {
      return false
    }
  }

  /** Nothing that happens to a file is final. */
  onClosed(): void {}

  /** Opens the path anew, when what is being written has been. */
  reopen(): void {
    this.#isStale = true
    this.#turn = this.#turn.then(async () => this.#settle().catch(() => {}))
  }

  /** Closes the file, when what is being written has been. */
  async close(): Promise<void> {
    await this.#turn
    await closeFd(this.#file.fd)
  }

  async #write(bytes: Buffer): Promise<WriteFailure | undefined> {
    let written = 0
    try {
      await this.#settle()
      await this.#rotateIfDue(bytes.length)
      if (this.#file.size === 0) this.#file.bornMs = this.#options.now()
      while (written < bytes.length) {
        // oxlint-disable-next-line no-await-in-loop
        const { bytesWritten } = await writeFd(this.#file.fd, bytes, written)
        written += bytesWritten
        this.#file.size += bytesWritten
      }
      this.#endsLine = bytes.at(-1) === NEWLINE
      return undefined
    } catch (error) {
      // The next attempt finds out whether the path leads to another file by then.
      this.#lookedAt = Number.NEGATIVE_INFINITY
      return { code: codeOf(error), written, mayPass: true }
    }
  }

  /** Sees to it that what is open is what the path leads to. @throws when neither can be written any more */
  async #settle(): Promise<void> {
    const now = this.#options.now()
    if (!this.#isStale) {
      const sinceMs = now - this.#lookedAt
      // A clock that was set back must not put it off.
      if (this.#file.isDevice || (sinceMs >= 0 && sinceMs < LOOK_INTERVAL_MS)) return
      this.#lookedAt = now
      const size = await sizeIfSame(this.#options.path, this.#file)
      if (size !== undefined) {
        // Somebody may have cut it short (copytruncate), or append to it too (a successor).
        this.#file.size = size
        return
      }
    }
    this.#lookedAt = now
    await this.#openAnew()
  }

  async #openAnew(): Promise<void> {
    this.#isStale = true
    const old = this.#file
    try {
      this.#file = await openLogFile(this.#options.path)
    } catch (error) {
      // The lines had better go to the file that was moved than nowhere. One that was removed is nowhere.
      if ((await statFd(old.fd)).nlink === 0) throw error
      this.#isStale = false
      this.#tell({ name: 'not reopened', code: codeOf(error) })
      return
    }
    this.#isStale = false
    this.#trouble = ''
    await closeFd(old.fd).catch(() => {})
  }

  async #rotateIfDue(incoming: number): Promise<void> {
    const { path, rotation, now } = this.#options
    const at = now()
    if (this.#file.isDevice) return
    if (rotation.maxAgeMs > 0 && Math.abs(at - this.#removedAt) >= REMOVE_INTERVAL_MS) {
      this.#removedAt = at
      await removeOld(path, rotation, at)
    }
    const waitMs = this.#rotateFrom - at
    if (!this.#isDue(incoming, at) || (waitMs > 0 && waitMs <= RETRY_MS)) return
    try {
      // Another process may just have done it: during an upgrade two supervisors write to one file.
      if ((await sizeIfSame(path, this.#file)) !== undefined) await shiftFiles(path, rotation)
    } catch (error) {
      this.#rotateFrom = at + RETRY_MS
      this.#tell({ name: 'not rotated', code: codeOf(error) })
      return
    }
    this.#rotateFrom = 0
    await this.#openAnew()
  }

  #isDue(incoming: number, at: number): boolean {
    const { maxBytes, everyMs } = this.#options.rotation
    const { size, bornMs } = this.#file
    if (size === 0) return false
    const isFull = maxBytes > 0 && size + incoming > maxBytes
    const isOld = everyMs > 0 && stretch(bornMs, everyMs) < stretch(at, everyMs)
    if (!isFull && !isOld) return false
    // A line that never ends must not make a file that never ends.
    return this.#endsLine || (isFull && size >= 2 * maxBytes)
  }

  /** Each trouble once, until the file has been opened anew. */
  #tell(trouble: FileTrouble): void {
    const text = `${trouble.name} ${trouble.code}`
    if (text === this.#trouble) return
    this.#trouble = text
    this.#options.onTrouble(trouble)
  }
}

/** Which stretch of time a moment lies in. */
function stretch(ms: number, lengthMs: number): number {
  return Math.floor((ms - new Date(ms).getTimezoneOffset() * 60_000) / lengthMs)
}
