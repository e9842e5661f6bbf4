/**
 * Speaks to systemd, by systemd-notify(1): Node has no unix datagram sockets. Each call is a process of some
 * milliseconds, so there is one at a time, and of several status texts that wait only the last is sent.
 *
 * @see https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
 */
import { spawn } from 'node:child_process'
import { toolPath } from './guardian.ts'

/** Above the 5 s for which systemd-notify itself waits until its message was read. */
const LIMIT_MS = 8000
/** Of what it complains about. */
const COMPLAINT_LENGTH = 200

export interface NotifierOptions {
  /** Where NOTIFY_SOCKET and PATH are. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told at most once. */
  readonly warn: (text: string) => void
  /** Default: systemd-notify. */
  readonly command?: string
}

interface Letter {
  readonly assignments: readonly string[]
  readonly settle: (sent: boolean) => void
}

export class Notifier {
  readonly #command: string
  readonly #env: Readonly<Record<string, string>>
  readonly #letters: Letter[] = []
  #warn: ((text: string) => void) | undefined
  #status: string | undefined
  #isBusy = false
  #isClosed = false

  constructor({ env, warn, command = 'systemd-notify' }: NotifierOptions) {
    this.#command = command
    this.#env = { NOTIFY_SOCKET: env['NOTIFY_SOCKET'] ?? '', PATH: toolPath(env) }
    this.#warn = warn
  }

  /** Sends assignments in one message. False when it could not be sent, or nothing is sent any more. */
  async send(...assignments: readonly string[]): Promise<boolean> {
    if (this.#isClosed) return false
    return new Promise((settle) => {
      this.#letters.push({ assignments, settle })
      this.#next()
    })
  }

  /** The text that `systemctl status` shows; goes with the next message, or by itself. */
  status(text: string): void {
    if (this.#isClosed) return
    this.#status = `STATUS=${text.replaceAll(/\s+/g, ' ')}`
    this.#next()
  }

  /** Nothing is sent from here on: somebody else speaks for the service. */
  close(): void {
    this.#isClosed = true
    this.#status = undefined
    for (const { settle } of this.#letters.splice(0)) settle(false)
  }

  #next(): void {
    if (this.#isBusy) return
    // In a later turn: what one event causes goes together.
    this.#isBusy = true
    queueMicrotask(() => {
      const letter = this.#letters.shift()
      // With the last that waits, so that it comes with what it belongs to.
      const status = this.#letters.length === 0 ? this.#status : undefined
      if (status !== undefined) this.#status = undefined
      const assignments = [...(letter?.assignments ?? []), ...(status === undefined ? [] : [status])]
      if (assignments.length === 0) {
        this.#isBusy = false
        return
      }
      this.#run(assignments, (failure) => {
        this.#isBusy = false
        if (failure !== undefined) this.#complain(failure)
        letter?.settle(failure === undefined)
        this.#next()
      })
    })
  }

  #run(assignments: readonly string[], done: (failure: string | undefined) => void): void {
    const child = spawn(this.#command, assignments, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/', env: this.#env, timeout: LIMIT_MS, killSignal: 'SIGKILL' })
    let complaint = ''
    let failure: string | undefined
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = `${complaint}${text}`.slice(0, COMPLAINT_LENGTH)))
    child.on('error', ({ message }) => (failure = message))
    child.on('close', (code, signal) => {
      if (code !== 0) failure ??= complaint.trim() === '' ? `it ended with ${signal ?? `exit code ${code}`}` : complaint.trim()
      done(failure)
    })
  }

  #complain(why: string): void {
    this.#warn?.(`systemd is not told how this service does: systemd-notify failed (${why})`)
    this.#warn = undefined
  }
}
