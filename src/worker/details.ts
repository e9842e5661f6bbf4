/** What of a worker is looked at only when somebody asks: it costs milliseconds where there are many connections. */
import { readdirSync, readFileSync } from 'node:fs'
import { TYPES_LIMIT, type Counted, type WorkerDetails } from '../protocol/collected.ts'

interface HeapSpaceInfo {
  readonly space_name: string
  readonly space_size: number
  readonly space_used_size: number
  readonly space_available_size: number
}

/** Undocumented, and the same on Node 20 to 26; prom-client reads them too. */
interface Internals {
  readonly _getActiveHandles?: () => readonly unknown[]
  readonly _getActiveRequests?: () => readonly unknown[]
}

export function readDetails(): WorkerDetails {
  const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8') as { readonly getHeapSpaceStatistics: () => readonly HeapSpaceInfo[] }
  const { _getActiveHandles: handles, _getActiveRequests: requests } = process as unknown as Internals
  const status = read('/proc/self/status')
  return {
    startedAt: Math.round(Date.now() - process.uptime() * 1000),
    heapSpaces: getHeapSpaceStatistics().map((space) => ({
      name: space.space_name.replace(/_space$/, ''),
      total: space.space_size,
      used: space.space_used_size,
      available: space.space_available_size,
    })),
    resources: countedBy(process.getActiveResourcesInfo()),
    handles: countedBy((handles?.() ?? []).map(typeName)),
    requests: countedBy((requests?.() ?? []).map(typeName)),
    virtualBytes: kilobytes(status, 'VmSize'),
    dataBytes: kilobytes(status, 'VmData'),
    openFds: openFds(),
    maxFds: numberIn(read('/proc/self/limits'), /^Max open files\s+(\d+)/m),
  }
}

function typeName(value: unknown): string {
  const { constructor } = (value ?? {}) as { readonly constructor?: { readonly name?: unknown } }
  return typeof constructor?.name === 'string' ? constructor.name.slice(0, 100) : 'Object'
}

/** The most frequent types; the others together. */
function countedBy(types: readonly string[]): Counted {
  const counts = new Map<string, number>()
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1)
  const sorted = [...counts].sort(([, a], [, b]) => b - a)
  if (sorted.length <= TYPES_LIMIT) return sorted
  const kept = sorted.slice(0, TYPES_LIMIT - 1).filter(([type]) => type !== 'other')
  return [...kept, ['other', types.length - kept.reduce((sum, [, count]) => sum + count, 0)]]
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function openFds(): number | null {
  try {
    // The one that reads the directory is among them.
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    return null
  }
}

function kilobytes(status: string, name: string): number | null {
  const count = numberIn(status, new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm'))
  return count === null ? null : count * 1024
}

function numberIn(text: string, pattern: RegExp): number | null {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? null : Number(found)
}
