/** What workers are only asked for by a scrape, as metrics. */
import { plain, type MetricName } from '../metrics/catalogue.ts'
import type { Family, Labels } from '../metrics/family.ts'
import type { Collected, Counted, WorkerDetails } from '../protocol/collected.ts'
import type { Reporter } from './vitals.ts'
import { slotLabels } from './worker-totals.ts'

interface Detailed {
  readonly worker: Reporter
  readonly collected: Collected
}

type Labelled = readonly (readonly [labels: Labels, value: number])[]

const byType = (counted: Counted): Labelled => counted.map(([type, count]) => [[['type', type]], count])
const bySpace = (details: WorkerDetails, of: 'total' | 'used' | 'available'): Labelled => details.heapSpaces.map((space) => [[['space', space.name]], space[of]])
const total = (counted: Counted): Labelled => [[[], counted.reduce((all, [, count]) => all + count, 0)]]

/** Of two workers in one slot what they hold is added, of the rest the newer one speaks. */
export function detailFamilies(answers: readonly Detailed[]): readonly Family[] {
  const newest = [...new Map(answers.map((answer) => [answer.worker.slot, answer])).values()]
  const sum = (name: MetricName, of: (details: WorkerDetails) => number | null): Family => {
    const bySlot = new Map<number, number>()
    for (const { worker, collected } of answers) {
      const value = of(collected.details)
      if (value !== null) bySlot.set(worker.slot, (bySlot.get(worker.slot) ?? 0) + value)
    }
    return plain(name, [...bySlot].map(([slot, value]) => [slotLabels(slot), value]))
  }
  const each = (name: MetricName, of: (details: WorkerDetails) => Labelled): Family =>
    plain(name, newest.flatMap(({ worker, collected }) => of(collected.details).map(([labels, value]) => [[...slotLabels(worker.slot), ...labels], value] as const)))
  return [
    each('process_start_time_seconds', ({ startedAt }) => [[[], startedAt / 1000]]),
    sum('process_virtual_memory_bytes', ({ virtualBytes }) => virtualBytes),
    sum('process_heap_bytes', ({ dataBytes }) => dataBytes),
    sum('process_open_fds', ({ openFds }) => openFds),
    each('process_max_fds', ({ maxFds }) => (maxFds === null ? [] : [[[], maxFds]])),
    each('nodejs_heap_space_size_total_bytes', (details) => bySpace(details, 'total')),
    each('nodejs_heap_space_size_used_bytes', (details) => bySpace(details, 'used')),
    each('nodejs_heap_space_size_available_bytes', (details) => bySpace(details, 'available')),
    each('nodejs_active_resources', ({ resources }) => byType(resources)),
    each('nodejs_active_resources_total', ({ resources }) => total(resources)),
    each('nodejs_active_handles', ({ handles }) => byType(handles)),
    each('nodejs_active_handles_total', ({ handles }) => total(handles)),
    each('nodejs_active_requests', ({ requests }) => byType(requests)),
    each('nodejs_active_requests_total', ({ requests }) => total(requests)),
  ]
}
