/**
 * The terminal: its modes, taken and given back on every way out, keys, size, signals. What is drawn goes through log-update,
 * which writes what has changed: docs/decisions/0018.
 */
import { emitKeypressEvents } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import { cursorHide, cursorShow, cursorTo, enterAlternativeScreen, eraseScreen, exitAlternativeScreen } from 'ansi-escapes'
import { createLogUpdate } from 'log-update'
import type { Key } from './keys.ts'

export interface ScreenEvents {
  readonly onKey: (key: Key) => void
  /** What was drawn is gone, or has another size: all must be drawn again. */
  readonly onRedraw: () => void
  /** Somebody asks for the end by a signal, or the terminal is gone. */
  readonly onEnd: (signal: NodeJS.Signals | undefined) => void
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

const USUAL: Size = { columns: 80, rows: 24 }
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
/** A shell that takes over at once needs no longer than this; a process that nobody can stop goes on after it. */
const STOPPED_MS = 250

export class Screen {
  readonly #stdin: ReadStream
  readonly #stdout: WriteStream
  readonly #events: ScreenEvents
  readonly #draw: ReturnType<typeof createLogUpdate>
  readonly #undo: (() => void)[] = []
  #isOpen = false

  constructor(stdin: ReadStream, stdout: WriteStream, events: ScreenEvents) {
    this.#stdin = stdin
    this.#stdout = stdout
    this.#events = events
    const size = (): Size => this.#terminalSize()
    const target = {
      isTTY: true,
      get columns() {
        return size().columns
      },
      get rows() {
        return size().rows
      },
      write: (text: string) => stdout.write(text),
    }
    // It uses no more of a stream than this. The cursor is hidden by us, together with the rest.
    this.#draw = createLogUpdate(target as unknown as WriteStream, { showCursor: true })
  }

  /** What may be drawn on: the last column and the last row stay empty, since some terminals scroll or cut there. */
  get size(): Size {
    const { columns, rows } = this.#terminalSize()
    return { columns: columns - 1, rows: rows - 1 }
  }

  /** Takes the terminal. */
  open(): void {
    const { onKey, onEnd } = this.#events
    emitKeypressEvents(this.#stdin)
    this.#listen(this.#stdin, 'keypress', (_: unknown, key: Key) => onKey(key))
    this.#listen(this.#stdin, 'end', () => onEnd(undefined))
    this.#listen(this.#stdin, 'error', () => onEnd(undefined))
    this.#listen(this.#stdout, 'error', () => onEnd(undefined))
    this.#listen(this.#stdout, 'resize', () => this.redraw())
    for (const signal of ENDING) this.#listen(process, signal, () => onEnd(signal))
    this.#listen(process, 'SIGTSTP', this.#stop)
    this.#listen(process, 'SIGCONT', this.#goOn)
    // Before Node prints the error: on the other screen nobody would see it.
    this.#listen(process, 'uncaughtExceptionMonitor', () => this.#giveBack())
    this.#listen(process, 'exit', () => this.#giveBack())
    this.#take()
  }

  /** Gives it back, for good. */
  close(): void {
    this.#giveBack()
    for (const undo of this.#undo.splice(0)) undo()
    this.#stdin.pause()
  }

  draw(lines: readonly string[]): void {
    if (this.#isOpen) this.#draw(lines.join('\n'))
  }

  /** Forgets what is on the screen, and has it drawn. */
  redraw(): void {
    if (!this.#isOpen) return
    this.#draw.done()
    this.#stdout.write(eraseScreen + cursorTo(0, 0))
    this.#events.onRedraw()
  }

  /** As Ctrl-Z does where a terminal is not in raw mode: the whole process group is stopped. */
  suspend(): void {
    process.kill(0, 'SIGTSTP')
  }

  #take(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#stdin.setRawMode(true)
    this.#stdin.resume()
    this.#stdout.write(enterAlternativeScreen + cursorHide)
    this.redraw()
  }

  #giveBack(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#draw.done()
    this.#stdout.write(cursorShow + exitAlternativeScreen)
    this.#stdin.setRawMode(false)
  }

  /** Gives the terminal back, and then does what the signal does to those that do not listen. */
  readonly #stop = (): void => {
    this.#giveBack()
    process.off('SIGTSTP', this.#stop)
    process.kill(process.pid, 'SIGTSTP')
    // Without a shell that could go on with it, the system stops no process.
    setTimeout(this.#goOn, STOPPED_MS)
  }

  readonly #goOn = (): void => {
    if (this.#undo.length === 0) return
    if (!process.listeners('SIGTSTP').includes(this.#stop)) process.on('SIGTSTP', this.#stop)
    // It may have been stopped without a word, and the shell has used the terminal since.
    this.#giveBack()
    this.#take()
  }

  #listen(target: NodeJS.EventEmitter, event: string, listener: (...given: never[]) => void): void {
    const heard = listener as (...given: unknown[]) => void
    target.on(event, heard)
    this.#undo.push(() => target.off(event, heard))
  }

  /** Some terminals tell none. */
  #terminalSize(): Size {
    const { columns, rows } = this.#stdout
    return { columns: columns > 0 ? columns : USUAL.columns, rows: rows > 0 ? rows : USUAL.rows }
  }
}
