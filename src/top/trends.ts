/** How figures went lately: one value a second, the oldest forgotten. */
import type { StatusReport, WorkerStatus } from '../protocol/control.ts'

export type Series = readonly (number | null)[]

/** The same three figures, of one worker or of all. */
export interface Trends {
  readonly requestsPerSecond: Series
  readonly loopUtilization: Series
  readonly p99Ms: Series
}

/** As wide as the widest curve that is drawn. */
export const KEPT = 240

export const NO_TRENDS: Trends = { requestsPerSecond: [], loopUtilization: [], p99Ms: [] }

export interface Histories {
  readonly total: Trends
  readonly bySlot: ReadonlyMap<number, Trends>
}

/** What all workers do together: requests are added up, of the others the worst worker counts. */
export function totals(workers: readonly WorkerStatus[]): Readonly<Record<keyof Trends, number | null>> {
  const known = (figure: keyof Trends): readonly number[] => workers.flatMap((worker) => worker[figure] ?? [])
  const worst = (figure: keyof Trends): number | null => (known(figure).length === 0 ? null : Math.max(...known(figure)))
  const requests = known('requestsPerSecond')
  return {
    requestsPerSecond: requests.length === 0 ? null : requests.reduce((sum, each) => sum + each, 0),
    loopUtilization: worst('loopUtilization'),
    p99Ms: worst('p99Ms'),
  }
}

/** The histories with what a report says. Those of slots that are gone are dropped. */
export function sampled({ total, bySlot }: Histories, { workers }: StatusReport): Histories {
  const slots = new Set(workers.flatMap(({ slot }) => slot ?? []))
  return {
    total: pushed(total, totals(workers)),
    bySlot: new Map([...slots].map((slot) => [slot, pushed(bySlot.get(slot) ?? NO_TRENDS, totals(workers.filter((worker) => worker.slot === slot)))])),
  }
}

function pushed(trends: Trends, values: Readonly<Record<keyof Trends, number | null>>): Trends {
  const push = (figure: keyof Trends): Series => [...trends[figure].slice(1 - KEPT), values[figure]]
  return { requestsPerSecond: push('requestsPerSecond'), loopUtilization: push('loopUtilization'), p99Ms: push('p99Ms') }
}
