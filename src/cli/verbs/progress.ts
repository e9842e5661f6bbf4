/** Shows how a reload, restart, scale or stop goes on: on a terminal in lines that change, elsewhere a line an event. */
import type { ControlEvent, StatusReport } from '../../protocol/control.ts'
import type { VerbCall } from './call.ts'
import { LiveLines } from './live-lines.ts'
import { Slots, type SlotProgress } from './slots.ts'

/** Left of the height of a terminal for other lines. */
const MARGIN = 4
const USUAL_ROWS = 24
const WORDS: Readonly<Record<SlotProgress['step'], string>> = {
  old: 'old',
  booting: 'booting',
  ready: 'ready',
  draining: 'old worker drains',
  down: 'old worker has left',
  done: 'done',
}

export class Progress {
  readonly #slots = new Slots()
  readonly #write: (text: string) => void
  readonly #live: LiveLines | undefined
  readonly #rows: number

  /** A terminal that can move its cursor gets lines that change. */
  constructor({ streams, env }: VerbCall) {
    const { stdout } = streams
    this.#write = (text) => void stdout.write(text)
    const isLive = stdout.isTTY === true && env['TERM'] !== 'dumb' && (env['CI'] ?? '') === ''
    this.#live = isLive ? new LiveLines(this.#write) : undefined
    this.#rows = Math.max(1, (stdout.rows ?? USUAL_ROWS) - MARGIN)
  }

  /** A fresh report: requests that still drain are counted in it. */
  take(report: StatusReport): void {
    this.#slots.take(report)
    this.#draw()
  }

  note(event: ControlEvent): void {
    const changed = this.#slots.note(event)
    if (changed === undefined) return
    if (this.#live === undefined) this.#write(`slot ${changed.slot}: ${wordsOf(changed)}\n`)
    else this.#draw()
  }

  #draw(): void {
    if (this.#live === undefined) return
    const { all } = this.#slots
    const open = all.filter(({ step }) => step !== 'done' && step !== 'old')
    const shown = all.length <= this.#rows ? all : open.slice(0, this.#rows - 1)
    const done = all.filter(({ step }) => step === 'done').length
    const rest = all.length <= this.#rows ? [] : [`${done} of ${all.length} slots are done`]
    this.#live.show([...shown.map((slot) => `  slot ${String(slot.slot).padEnd(4)} ${wordsOf(slot)}`), ...rest])
  }
}

function wordsOf({ step, inFlight }: SlotProgress): string {
  return step === 'draining' && inFlight !== null ? `${WORDS.draining} (${inFlight} in flight)` : WORDS[step]
}
