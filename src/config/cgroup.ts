/**
 * What the cgroups grant. We read them ourselves: Node 20 ignores CPU quotas, 22.12-22.16 multiply them by
 * a weight and 22.17-24.15 miss quotas below one CPU.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html
 * @see https://man7.org/linux/man-pages/man7/cgroups.7.html (the files below /proc)
 */

/** Limits of this process; undefined where there is none. */
export interface CgroupLimits {
  /** CPUs, with fractions. */
  readonly cpuQuota: number | undefined
  /** Bytes. */
  readonly memory: number | undefined
}

/** Text of a file, or undefined when it cannot be read. */
export type ReadText = (path: string) => string | undefined

interface Mount {
  /** The cgroup that is mounted there. */
  readonly root: string
  readonly point: string
  readonly version: 1 | 2
  /** Controllers of a version 1 mount. */
  readonly controllers: readonly string[]
}

/** A cgroup that this process is in. */
interface Level {
  readonly directory: string
  readonly version: 1 | 2
}

/** The tightest limits on the way from the cgroup of the process up to the root that we can see. */
export function readCgroupLimits(read: ReadText): CgroupLimits {
  return {
    cpuQuota: least(levelsWith(read, 'cpu').map(({ directory, version }) => (version === 2 ? quotaV2(read, directory) : quotaV1(read, directory)))),
    memory: least(levelsWith(read, 'memory').map((level) => memoryLimit(read, level))),
  }
}

/**
 * Bytes that the process and its neighbours may still take, by the tightest cgroup; undefined without a limit. File pages
 * that were not used lately are not counted as taken: the kernel drops them first.
 */
export function readCgroupFreeMemory(read: ReadText): number | undefined {
  return least(
    levelsWith(read, 'memory').map((level) => {
      const limit = memoryLimit(read, level)
      const used = positive(read(`${level.directory}/${level.version === 2 ? 'memory.current' : 'memory.usage_in_bytes'}`))
      if (limit === undefined || used === undefined) return undefined
      const field = level.version === 2 ? 'inactive_file' : 'total_inactive_file'
      const idle = positive(new RegExp(String.raw`^${field} (\d+)$`, 'm').exec(read(`${level.directory}/memory.stat`) ?? '')?.[1]) ?? 0
      return Math.max(0, limit - Math.max(0, used - idle))
    }),
  )
}

function memoryLimit(read: ReadText, { directory, version }: Level): number | undefined {
  // Above memory.high a cgroup is throttled until it is below: for sizing that is a limit too.
  return least((version === 2 ? ['memory.max', 'memory.high'] : ['memory.limit_in_bytes']).map((file) => positive(read(`${directory}/${file}`))))
}

function levelsWith(read: ReadText, controller: string): readonly Level[] {
  const mounts = parseMounts(read('/proc/self/mountinfo') ?? '')
  const paths = parsePaths(read('/proc/self/cgroup') ?? '')
  return mounts.flatMap((mount) => {
    if (mount.version === 1 && !mount.controllers.includes(controller)) return []
    const path = paths.get(mount.version === 2 ? '' : controller)
    return path === undefined ? [] : levelsOf(mount, path).map((directory) => ({ directory, version: mount.version }))
  })
}

/** `/proc/self/cgroup`: the path by controller; version 2 stands under the empty name. */
function parsePaths(text: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line)
    const [, controllers = '', path] = match ?? []
    if (path !== undefined) for (const controller of controllers.split(',')) paths.set(controller, path)
  }
  return paths
}

function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line): readonly Mount[] => {
    const [own = '', type = ''] = line.split(' - ', 2)
    const [, , , root, point] = own.split(' ')
    const [fs, , options = ''] = type.split(' ')
    if (root === undefined || point === undefined || (fs !== 'cgroup' && fs !== 'cgroup2')) return []
    return [{ root: unescape(root), point: unescape(point), version: fs === 'cgroup2' ? 2 : 1, controllers: options.split(',') }]
  })
}

/**
 * The directories from the mount point down to the cgroup of the process. A path that is not below the mounted
 * root belongs to another cgroup namespace: then the mount point is the nearest thing that we can see.
 */
function levelsOf(mount: Mount, path: string): readonly string[] {
  const root = mount.root === '/' ? '' : mount.root
  const inside = path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : ''
  const names = inside.split('/').filter((name) => name !== '')
  if (names.includes('..')) return [mount.point]
  return [mount.point, ...names.map((_, index) => `${mount.point}/${names.slice(0, index + 1).join('/')}`)]
}

function quotaV2(read: ReadText, directory: string): number | undefined {
  const [quota, period = '100000'] = (read(`${directory}/cpu.max`) ?? '').trim().split(/\s+/)
  return share(positive(quota), positive(period))
}

function quotaV1(read: ReadText, directory: string): number | undefined {
  return share(positive(read(`${directory}/cpu.cfs_quota_us`)), positive(read(`${directory}/cpu.cfs_period_us`)))
}

function share(quota: number | undefined, period: number | undefined): number | undefined {
  return quota === undefined || period === undefined ? undefined : quota / period
}

/** A positive whole number; undefined for 'max', -1, nothing and everything else. */
function positive(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? ''
  return /^\d+$/.test(trimmed) && Number(trimmed) > 0 ? Number(trimmed) : undefined
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/** mountinfo writes a space as \040. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)))
}
