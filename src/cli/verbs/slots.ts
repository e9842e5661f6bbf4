/** How far each slot is while all workers are replaced, by the events of the supervisor. */
import type { ControlEvent, ReloadStep, StatusReport } from '../../protocol/control.ts'

export interface SlotProgress {
  readonly slot: number
  /** `down`: the old worker has left, and no new one boots yet; in a restart only. */
  readonly step: ReloadStep | 'down'
  /** Requests that the old worker still has; null when not known. */
  readonly inFlight: number | null
}

interface Slot {
  fresh: 'none' | 'booting' | 'ready'
  old: 'serving' | 'draining' | 'gone'
  inFlight: number | null
}

export class Slots {
  readonly #slots = new Map<number, Slot>()
  /** The generation that replaces all others; undefined until it is told. */
  #to: number | undefined

  /** All slots, from the lowest up. */
  get all(): readonly SlotProgress[] {
    return [...this.#slots].sort(([a], [b]) => a - b).map(([slot, known]) => ({ slot, step: stepOf(known), inFlight: known.inFlight }))
  }

  /** Which slots there are, and how many requests the old workers have now. */
  take({ size, workers, reload, restart }: StatusReport): void {
    this.#to ??= reload?.to ?? restart?.to
    for (let slot = 0; slot < size; slot += 1) if (!this.#slots.has(slot)) this.#slots.set(slot, { fresh: 'none', old: 'serving', inFlight: null })
    for (const { slot, generation, inFlight } of workers) {
      const known = slot === null ? undefined : this.#slots.get(slot)
      if (known !== undefined && generation !== this.#to) known.inFlight = inFlight
    }
  }

  /** Returns the slot that is a step further; undefined when the event changes none. */
  note({ type, slot, generation, to }: ControlEvent): SlotProgress | undefined {
    if ((type === 'reload:started' || type === 'restart:started') && typeof to === 'number') this.#to = to
    const known = typeof slot === 'number' ? this.#slots.get(slot) : undefined
    if (known === undefined || typeof slot !== 'number') return undefined
    const before = stepOf(known)
    if (generation === this.#to) noteFresh(known, type)
    else noteOld(known, type)
    const step = stepOf(known)
    return step === before ? undefined : { slot, step, inFlight: known.inFlight }
  }
}

function noteFresh(known: Slot, type: string): void {
  if (type === 'worker:spawned') known.fresh = 'booting'
  if (type === 'worker:ready') known.fresh = 'ready'
  if (type === 'worker:exited' || type === 'worker:draining') known.fresh = 'none'
}

function noteOld(known: Slot, type: string): void {
  if (type === 'worker:draining') known.old = 'draining'
  if (type === 'worker:exited') Object.assign(known, { old: 'gone', inFlight: null })
}

function stepOf({ fresh, old }: Slot): SlotProgress['step'] {
  if (fresh === 'booting') return 'booting'
  if (fresh === 'none') return old === 'serving' ? 'old' : old === 'draining' ? 'draining' : 'down'
  return old === 'serving' ? 'ready' : old === 'draining' ? 'draining' : 'done'
}
