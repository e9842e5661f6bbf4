import { assertNever } from '../base/assert-never.ts'
import { formatSize } from '../base/units.ts'
import type { Machine } from './machine.ts'
import { settingError } from './problems.ts'
import type { Sizing } from './types.ts'
import { MAX_WORKERS, parseWorkers, type Workers } from './workers.ts'

/**
 * Memory that a worker needs at least when `auto` divides a limit. An empty Node.js server takes 50 MB,
 * one with a framework and a database driver 80-120 MB; less ends at the OOM killer under the first load.
 */
export const LEAST_MEMORY_PER_WORKER = 128 * 1024 ** 2

/**
 * The number of workers. `auto`, parts of it and `-1` are lowered where memory is too little for that
 * many; a count that was asked for is kept, with a warning.
 *
 * @throws EverycoreError ERR_EVERYCORE_SETTING when a percentage gives more than {@link MAX_WORKERS}.
 */
export function resolveSizing(workers: Workers, machine: Machine): Sizing {
  const { cores, quota, memoryLimit } = machine
  const auto = Math.max(1, Math.min(cores, Math.floor(quota ?? cores)))
  const fitting = memoryLimit === undefined ? MAX_WORKERS : Math.max(1, Math.floor(memoryLimit / LEAST_MEMORY_PER_WORKER))
  const wanted = wantedSize(workers, auto, cores)
  if (wanted > MAX_WORKERS) throw settingError(`--workers ${workers.asked} of ${auto} are ${wanted} workers; the most are ${MAX_WORKERS}`)
  const size = workers.kind === 'count' || workers.kind === 'max' ? wanted : Math.min(wanted, fitting)
  return { size, asked: workers.asked, cores, quota, auto, memoryLimit, warnings: warningsOf({ size, wanted, fitting, auto }, machine) }
}

/** What the machine gives now, by the words that were used at the start; undefined where they name a number. */
export function derivedSize(asked: string, machine: Machine): number | undefined {
  const workers = parseWorkers(asked)
  return workers === undefined || workers.kind === 'count' ? undefined : resolveSizing(workers, machine).size
}

function wantedSize(workers: Workers, auto: number, cores: number): number {
  switch (workers.kind) {
    case 'auto':
      return auto
    case 'max':
      return cores
    case 'count':
      return workers.count
    case 'percent':
      return Math.max(1, Math.floor((auto * workers.percent) / 100))
    case 'less':
      return Math.max(1, auto - workers.by)
    default:
      return assertNever(workers)
  }
}

interface Counts {
  readonly size: number
  readonly wanted: number
  readonly fitting: number
  readonly auto: number
}

function warningsOf({ size, wanted, fitting, auto }: Counts, { quota, memoryLimit }: Machine): readonly string[] {
  const warnings: string[] = []
  if (size > auto) {
    const because = quota === undefined ? '' : ` (CPU quota ${Number(quota.toFixed(2))})`
    warnings.push(`${count(size, 'worker')} on ${count(auto, 'core')}${because}: more workers, more switching, not more throughput.`)
  }
  if (memoryLimit === undefined) return warnings
  if (size < wanted) {
    warnings.push(`${count(size, 'worker')} instead of ${wanted}: the memory limit of ${formatSize(memoryLimit)} has room for no more, at ${formatSize(LEAST_MEMORY_PER_WORKER)} each.`)
  } else if (size > fitting && size > 1) {
    warnings.push(`${count(size, 'worker')} share a memory limit of ${formatSize(memoryLimit)}: ${formatSize(memoryLimit / size)} each, and a Node.js server needs about ${formatSize(LEAST_MEMORY_PER_WORKER)}.`)
  }
  return warnings
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
