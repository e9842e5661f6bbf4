import { dirname } from 'node:path'
import type { FileFacts, Host } from '../../src/config/host.ts'

/** An entry of the pretended file system; a text is a readable file of root. */
export type FakeEntry =
  | string
  | { readonly kind: FileFacts['kind']; readonly text?: string; readonly uid?: number; readonly mode?: number; readonly target?: string; readonly denied?: boolean }

/** A host that answers from a table; directories above an entry exist by themselves. */
export interface FakeHost extends Host {
  /** Directories that were made, with their modes. */
  readonly made: readonly string[]
}

const GIB = 1024 ** 3

export function fakeHost(files: Readonly<Record<string, FakeEntry>> = {}, overrides: Partial<Host> = {}): FakeHost {
  const entries = new Map<string, Exclude<FakeEntry, string>>([['/', { kind: 'directory' }], ['/tmp', { kind: 'directory', mode: 0o1777 }]])
  for (const [path, entry] of Object.entries(files)) {
    for (let parent = dirname(path); !entries.has(parent); parent = dirname(parent)) entries.set(parent, { kind: 'directory' })
    entries.set(path, typeof entry === 'string' ? { kind: 'file', text: entry } : entry)
  }
  const made: string[] = []
  const lookUp = (path: string) => entries.get(path.length > 1 ? path.replace(/\/$/, '') : path)
  const follow = (path: string) => {
    const entry = lookUp(path)
    return entry?.target === undefined ? entry : lookUp(entry.target)
  }
  const factsOf = (entry: Exclude<FakeEntry, string> | undefined): FileFacts | undefined =>
    entry && { kind: entry.kind, uid: entry.uid ?? 0, mode: entry.mode ?? (entry.kind === 'directory' ? 0o755 : 0o644) }
  return {
    platform: 'linux',
    stripsTypes: false,
    hasCompileCache: true,
    nodeVersion: '24.0.0',
    tmpdir: '/tmp',
    euid: 1000,
    made,
    readFile(path) {
      const entry = follow(path)
      if (entry === undefined) throw errno('ENOENT')
      if (entry.denied === true) throw errno('EACCES')
      if (entry.kind === 'directory') throw errno('EISDIR')
      return entry.text ?? ''
    },
    stat: (path) => factsOf(follow(path)),
    lstat: (path) => factsOf(lookUp(path)),
    list: (path) => [...entries.keys()].filter((entry) => dirname(entry) === path).map((entry) => entry.slice(path.length + 1)),
    realPath: (path) => lookUp(path)?.target ?? path,
    isWritable: (path) => lookUp(path)?.denied !== true,
    makeDirectory(path, mode) {
      if (lookUp(dirname(path))?.denied === true) throw errno('EACCES')
      made.push(`${path} ${mode.toString(8)}`)
      entries.set(path, { kind: 'directory', uid: overrides.euid ?? 1000, mode })
    },
    cpuCount: () => 64,
    availableParallelism: () => 8,
    constrainedMemory: () => undefined,
    totalMemory: () => 64 * GIB,
    canReusePort: () => true,
    resolvePackage: () => undefined,
    ...overrides,
  }
}

function errno(code: string): Error {
  return Object.assign(new Error(code), { code })
}
