import { accessSync, constants, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, type Stats } from 'node:fs'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import { tryReusePort } from './reuse-port.ts'

/** What {@link Host.stat} tells of a path. */
export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly uid: number
  /** Permission bits, for instance 0o700. */
  readonly mode: number
}

/** Everything the settings ask of the operating system; tests answer from tables. Paths are absolute. */
export interface Host {
  readonly platform: NodeJS.Platform
  /** This node runs TypeScript by removing the types. */
  readonly stripsTypes: boolean
  /** This node has `module.enableCompileCache` (22.8). */
  readonly hasCompileCache: boolean
  /** Without the leading v. */
  readonly nodeVersion: string
  readonly tmpdir: string
  /** Effective user; undefined where there are none (Windows). */
  readonly euid: number | undefined
  /** @throws NodeJS.ErrnoException */
  readFile(path: string): string
  /** Facts about the target of a path, or undefined when it cannot be reached. */
  stat(path: string): FileFacts | undefined
  /** The same without following a symbolic link. */
  lstat(path: string): FileFacts | undefined
  /** Names in a directory; empty when it cannot be read. */
  list(path: string): readonly string[]
  /** @throws NodeJS.ErrnoException */
  realPath(path: string): string
  isWritable(path: string): boolean
  /** @throws NodeJS.ErrnoException also when it exists */
  makeDirectory(path: string, mode: number): void
  /** Number of CPUs that the kernel shows as online. */
  cpuCount(): number
  /** `os.availableParallelism()`: what it means differs between Node versions, see `cores.ts`. */
  availableParallelism(): number
  /** `process.constrainedMemory()` in bytes, with whatever it returns for "none". */
  constrainedMemory(): number | undefined
  totalMemory(): number
  /** Several sockets can be bound to one port (SO_REUSEPORT). */
  canReusePort(): boolean
  /** The file that `require.resolve(name)` gives in the script `from`; undefined when there is none. */
  resolvePackage(name: string, from: string): string | undefined
}

/** The {@link Host} of this process. */
export function nodeHost(): Host {
  return {
    platform: process.platform,
    stripsTypes: 'typescript' in process.features && Boolean(process.features.typescript),
    hasCompileCache: hasCompileCache(process.versions.node),
    nodeVersion: process.versions.node,
    tmpdir: tmpdir(),
    euid: process.geteuid?.(),
    readFile: (path) => readFileSync(path, 'utf8'),
    stat: (path) => factsOf(() => statSync(path)),
    lstat: (path) => factsOf(() => lstatSync(path)),
    list: (path) => attempt(() => readdirSync(path)) ?? [],
    realPath: (path) => realpathSync(path),
    isWritable: (path) => attempt(() => (accessSync(path, constants.W_OK | constants.X_OK), true)) ?? false,
    makeDirectory: (path, mode) => mkdirSync(path, { mode }),
    cpuCount: () => cpus().length,
    availableParallelism: () => availableParallelism(),
    constrainedMemory: () => process.constrainedMemory?.(),
    totalMemory: () => totalmem(),
    canReusePort: tryReusePort,
    resolvePackage: (name, from) => attempt(() => process.getBuiltinModule('node:module').createRequire(from).resolve(name)),
  }
}

/** Node 20 has none, and is not asked: there `node:module` takes 7 ms to load, which the workers would wait for. */
function hasCompileCache(version: string): boolean {
  return !version.startsWith('20.') && 'enableCompileCache' in process.getBuiltinModule('node:module')
}

function factsOf(read: () => Stats): FileFacts | undefined {
  const stats = attempt(read)
  if (stats === undefined) return undefined
  return { kind: kindOf(stats), uid: stats.uid, mode: stats.mode & 0o7777 }
}

function kindOf(stats: Stats): FileFacts['kind'] {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  return stats.isSymbolicLink() ? 'symlink' : 'other'
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
