/**
 * A function of the program decides, and least busy where it does not. It is asked when reports have come and
 * not for each connection, and its answer holds until it is asked again: so it cannot slow a connection down. A
 * function that does not keep to that is asked no more.
 */
import { LeastBusy } from './least-busy.ts'
import { STALL_MS, type Load, type Strategy } from './strategy.ts'

/** A worker as the function sees it. */
export interface Candidate extends Required<Load> {
  readonly slot: number
}

/** Gives the slot that should have the next connections; undefined: least busy decides. */
export type Choose<T extends Candidate> = (loads: readonly T[]) => number | undefined

interface ChosenPorts<T extends Candidate> {
  readonly choose: Choose<T>
  /** Undefined for a worker that is gone. */
  readonly describe: (id: number, load: Required<Load>) => T | undefined
  /** The function is asked no more; the text says why. */
  readonly dismissed: (why: string) => void
  readonly clock: () => number
}

/** As long as it may take, so many times in a row but one. */
const LIMIT_MS = 10
const LATE = 3
/** The ceiling of who should have all: the number alone makes it report. */
const ALL = Number.MAX_SAFE_INTEGER
/** That of who should have none that come, and keep what it has. */
const NONE = -1

export class Chosen<T extends Candidate> implements Strategy {
  readonly isPatient = true
  readonly stallMs = STALL_MS
  readonly #inner = new LeastBusy()
  readonly #ports: ChosenPorts<T>
  #favourite: number | undefined
  #late = 0
  #isDismissed = false

  constructor(ports: ChosenPorts<T>) {
    this.#ports = ports
  }

  join(id: number): void {
    this.#inner.join(id)
  }

  leave(id: number): void {
    this.#inner.leave(id)
    if (this.#favourite === id) this.#favourite = undefined
  }

  report(id: number, load: Load): void {
    this.#inner.report(id, load)
  }

  reportOpen(id: number, open: number): void {
    this.#inner.reportOpen(id, open)
  }

  reportAtLeast(id: number, open: number): void {
    this.#inner.reportAtLeast(id, open)
  }

  sent(id: number): void {
    this.#inner.sent(id)
  }

  settled(id: number): void {
    this.#inner.settled(id)
  }

  setStalled(id: number, stalled: boolean): void {
    this.#inner.setStalled(id, stalled)
  }

  setFull(id: number, full: boolean): void {
    this.#inner.setFull(id, full)
  }

  choose(fits: (id: number) => boolean): number | undefined {
    return this.#inner.choose((id) => id === this.#favourite && fits(id)) ?? this.#inner.choose(fits)
  }

  /** Asks the function. Who has its favour keeps all, the others what they have. */
  ceilings(): ReadonlyMap<number, number | null> {
    const ceilings = this.#inner.ceilings()
    const takers = this.#inner.takers()
    this.#favourite = takers.length < 2 || this.#isDismissed ? undefined : this.#ask(takers)
    if (this.#favourite === undefined) return ceilings
    const takes = new Set(takers.map(([id]) => id))
    return new Map([...ceilings].map(([id, ceiling]) => [id, id === this.#favourite ? ALL : takes.has(id) ? NONE : ceiling]))
  }

  #ask(takers: readonly (readonly [number, Required<Load>])[]): number | undefined {
    const described = takers.flatMap(([id, load]) => {
      const candidate = this.#ports.describe(id, load)
      return candidate === undefined ? [] : [{ id, candidate }]
    })
    const began = this.#ports.clock()
    let answer: unknown
    try {
      answer = this.#ports.choose(described.map(({ candidate }) => candidate))
    } catch (error) {
      return this.#dismiss(`it threw ${error instanceof Error ? error.message : String(error)}`)
    }
    const tookMs = this.#ports.clock() - began
    this.#late = tookMs > LIMIT_MS ? this.#late + 1 : 0
    if (this.#late >= LATE) return this.#dismiss(`it took more than ${LIMIT_MS} ms, ${LATE} times in a row; the last time ${Math.round(tookMs)} ms`)
    if (answer === undefined) return undefined
    // Nobody else will look at it.
    if (answer instanceof Promise) answer.catch(() => {})
    if (typeof answer !== 'number' || !Number.isInteger(answer) || answer < 0) return this.#dismiss(`it returned ${nameOf(answer)}, which is no slot`)
    // In a reload a slot has two workers for a moment: the later one stays. One that is not there may come again.
    return described.findLast(({ candidate }) => candidate.slot === answer)?.id
  }

  #dismiss(why: string): undefined {
    this.#isDismissed = true
    this.#ports.dismissed(why)
  }
}

function nameOf(answer: unknown): string {
  if (typeof answer === 'number' || answer === null) return String(answer)
  if (answer instanceof Promise) return 'a promise'
  return `a value of type ${typeof answer}`
}
