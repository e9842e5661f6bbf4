import { readCgroupFreeMemory, readCgroupLimits, type ReadText } from './cgroup.ts'
import type { Host } from './host.ts'

/** What the machine, or the container, gives to all workers together. */
export interface Machine {
  /** CPUs that this process may run on, whatever the quota. */
  readonly cores: number
  /** CPUs that the quota grants, with fractions; undefined without a quota. */
  readonly quota: number | undefined
  /** Bytes; undefined without a limit below the memory of the machine. */
  readonly memoryLimit: number | undefined
}

/** Reads the limits as they are now; a container can be resized while it runs. */
export function readMachine(host: Host): Machine {
  const read = reader(host)
  const limits = host.platform === 'linux' ? readCgroupLimits(read) : { cpuQuota: undefined, memory: undefined }
  return {
    cores: Math.max(1, usableCores(host, read)),
    quota: limits.cpuQuota,
    memoryLimit: lowest([limits.memory, host.constrainedMemory()], host.totalMemory()),
  }
}

/** Bytes that can be taken without swapping and below all limits; undefined outside Linux, where nobody tells. @see proc_meminfo(5), MemAvailable */
export function readFreeMemory(host: Host): number | undefined {
  if (host.platform !== 'linux') return undefined
  const read = reader(host)
  const available = /^MemAvailable:\s*(\d+) kB$/m.exec(read('/proc/meminfo') ?? '')?.[1]
  const known = [available === undefined ? undefined : Number(available) * 1024, readCgroupFreeMemory(read)].filter((bytes) => bytes !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

function reader(host: Host): ReadText {
  return (path) => {
    try {
      return host.readFile(path)
    } catch {
      return undefined
    }
  }
}

/**
 * The affinity mask. `os.availableParallelism()` alone will not do: since Node 22.12 it has the quota in
 * it, in ways that differ, and then `max` could not ignore the quota.
 */
function usableCores(host: Host, read: (path: string) => string | undefined): number {
  if (host.platform !== 'linux') return host.availableParallelism()
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(read('/proc/self/status') ?? '')?.[1]
  if (allowed === undefined) return host.availableParallelism()
  // The mask may name CPUs that could be plugged in but are not.
  const online = read('/sys/devices/system/cpu/online')?.trim()
  const ranges = parseRanges(allowed)
  if (online !== undefined) return overlap(ranges, parseRanges(online))
  // Not asked without need: os.cpus() reads the frequency of every core, a millisecond for two of them.
  const usable = countOf(ranges)
  return Math.min(usable, host.cpuCount() || usable)
}

type Range = readonly [first: number, last: number]

function parseRanges(list: string): readonly Range[] {
  return list.split(',').flatMap((part): readonly Range[] => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    return match === null ? [] : [[Number(match[1]), Number(match[2] ?? match[1])]]
  })
}

function countOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0)
}

function overlap(a: readonly Range[], b: readonly Range[]): number {
  const shared = a.flatMap(([first, last]) => b.map(([from, to]) => Math.min(last, to) - Math.max(first, from) + 1))
  return shared.reduce((sum, length) => sum + Math.max(0, length), 0)
}

/** libuv writes "no limit" as 0, undefined, 2^64-1 or the size of the memory, depending on its version. */
function lowest(limits: readonly (number | undefined)[], total: number): number | undefined {
  const real = limits.filter((limit) => limit !== undefined).filter((limit) => limit > 0 && limit < total)
  return real.length === 0 ? undefined : Math.min(...real)
}
