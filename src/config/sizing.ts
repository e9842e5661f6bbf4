import { assertNever } from '../base/assert-never.ts'
import { formatSize } from '../base/units.ts'
import type { Machine } from './machine.ts'
import { settingError } from './problems.ts'
import type { SizeRange, Sizing } from './types.ts'
import { MAX_WORKERS, parseWorkers, type Count, type Workers } from './workers.ts'

/**
 * Memory that a worker needs at least when `auto` divides a limit. An empty Node.js server takes 50 MB,
 * one with a framework and a database driver 80-120 MB; less ends at the OOM killer under the first load.
 */
export const LEAST_MEMORY_PER_WORKER = 128 * 1024 ** 2

/**
 * The number of workers. `auto`, parts of it and `-1` are lowered where memory is too little for that
 * many; a count that was asked for is kept, with a warning.
 *
 * @throws EverycoreError ERR_EVERYCORE_SETTING when a percentage gives more than {@link MAX_WORKERS}, or when the first number of a range is above the second
 */
export function resolveSizing(workers: Workers, machine: Machine): Sizing {
  const { cores, quota, memoryLimit } = machine
  const limits = limitsOf(machine)
  const highest = workers.kind === 'range' ? workers.most : workers
  const { least, most } = rangeOf(workers, limits)
  const turned = workers.kind === 'range' && sizeOf(workers.least, limits) > sizeOf(workers.most, limits)
  const warnings = [
    ...(turned ? [`--workers ${workers.asked} means ${sizeOf(workers.least, limits)} to ${sizeOf(workers.most, limits)} on this machine: there will always be ${countOf(most, 'worker')}.`] : []),
    ...warningsOf({ size: most, certain: least, wanted: wantedSize(highest, limits), ...limits }, machine),
  ]
  return { size: least, most, asked: workers.asked, cores, quota, auto: limits.auto, memoryLimit, warnings }
}

/** What the machine gives now, by the words that were used at the start; undefined where they name nothing but numbers. */
export function derivedRange(asked: string, machine: Machine): SizeRange | undefined {
  const workers = parseWorkers(asked)
  const ends = workers?.kind === 'range' ? [workers.least, workers.most] : [workers]
  return workers === undefined || ends.every((end) => end?.kind === 'count') ? undefined : rangeOf(workers, limitsOf(machine))
}

/** What numbers are derived from. */
interface Limits {
  readonly cores: number
  readonly auto: number
  /** How many workers the memory limit has room for. */
  readonly fitting: number
}

function limitsOf({ cores, quota, memoryLimit }: Machine): Limits {
  return {
    cores,
    auto: Math.max(1, Math.min(cores, Math.floor(quota ?? cores))),
    fitting: memoryLimit === undefined ? MAX_WORKERS : Math.max(1, Math.floor(memoryLimit / LEAST_MEMORY_PER_WORKER)),
  }
}

/** Where the machine turns the ends around, a first number holds: `4-auto` on two cores is four workers. Otherwise the second end does. */
function rangeOf(workers: Workers, limits: Limits): SizeRange {
  if (workers.kind !== 'range') {
    const size = sizeOf(workers, limits)
    return { least: size, most: size }
  }
  const [least, most] = [sizeOf(workers.least, limits), sizeOf(workers.most, limits)]
  if (least <= most) return { least, most }
  if (workers.least.kind === 'count' && workers.most.kind === 'count') throw settingError(`--workers ${workers.asked}: ${least} is more than ${most}`, `Give the lower number first: --workers ${most}-${least}.`)
  return workers.least.kind === 'count' ? { least, most: least } : { least: most, most }
}

function sizeOf(count: Count, limits: Limits): number {
  const wanted = wantedSize(count, limits)
  if (wanted > MAX_WORKERS) throw settingError(`--workers ${count.asked} of ${limits.auto} are ${wanted} workers; the most are ${MAX_WORKERS}`)
  return count.kind === 'count' || count.kind === 'max' ? wanted : Math.min(wanted, limits.fitting)
}

function wantedSize(count: Count, { auto, cores }: Limits): number {
  switch (count.kind) {
    case 'auto':
      return auto
    case 'max':
      return cores
    case 'count':
      return count.count
    case 'percent':
      return Math.max(1, Math.floor((auto * count.percent) / 100))
    case 'less':
      return Math.max(1, auto - count.by)
    default:
      return assertNever(count)
  }
}

interface Counts extends Limits {
  /** The most that there can be. */
  readonly size: number
  /** So many there will be. */
  readonly certain: number
  readonly wanted: number
}

function warningsOf({ size, certain, wanted, fitting, auto }: Counts, { quota, memoryLimit }: Machine): readonly string[] {
  const warnings: string[] = []
  if (size > auto) {
    const because = quota === undefined ? '' : ` (CPU quota ${Number(quota.toFixed(2))})`
    warnings.push(`${countOf(size, 'worker')} on ${countOf(auto, 'core')}${because}: more workers, more switching, not more throughput.`)
  }
  if (memoryLimit === undefined) return warnings
  if (size < wanted) {
    warnings.push(`${countOf(size, 'worker')} instead of ${wanted}: the memory limit of ${formatSize(memoryLimit)} has room for no more, at ${formatSize(LEAST_MEMORY_PER_WORKER)} each.`)
  } else if (certain > fitting && certain > 1) {
    warnings.push(`${countOf(certain, 'worker')} share a memory limit of ${formatSize(memoryLimit)}: ${formatSize(memoryLimit / certain)} each, and a Node.js server needs about ${formatSize(LEAST_MEMORY_PER_WORKER)}.`)
  }
  return warnings
}

function countOf(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
