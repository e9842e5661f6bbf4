import { STALL_MS, type Strategy } from './strategy.ts'

/** Each worker in its turn, as node:cluster does it; one that does not answer, or takes nothing, is passed over. */
export class RoundRobin implements Strategy {
  readonly isPatient = false
  readonly stallMs = STALL_MS
  /** In the order of their turns. */
  readonly #ids: number[] = []
  readonly #stalled = new Set<number>()
  readonly #full = new Set<number>()

  join(id: number): void {
    if (!this.#ids.includes(id)) this.#ids.push(id)
  }

  leave(id: number): void {
    const at = this.#ids.indexOf(id)
    if (at !== -1) this.#ids.splice(at, 1)
    this.#stalled.delete(id)
    this.#full.delete(id)
  }

  report(): void {}
  reportOpen(): void {}
  reportAtLeast(): void {}
  settled(): void {}

  /** It has had its turn. */
  sent(id: number): void {
    const at = this.#ids.indexOf(id)
    if (at !== -1) this.#ids.push(...this.#ids.splice(at, 1))
  }

  setStalled(id: number, stalled: boolean): void {
    if (stalled) this.#stalled.add(id)
    else this.#stalled.delete(id)
  }

  setFull(id: number, full: boolean): void {
    if (full) this.#full.add(id)
    else this.#full.delete(id)
  }

  choose(fits: (id: number) => boolean): number | undefined {
    return this.#ids.find((id) => !this.#stalled.has(id) && !this.#full.has(id) && fits(id))
  }

  ceilings(): ReadonlyMap<number, number | null> {
    return new Map(this.#ids.map((id) => [id, null]))
  }
}
