import { dirname } from 'node:path'
import type { FileFacts, Host } from './host.ts'

/** A {@link Host} that only says that it has made a directory: for those who want to know and not to start. */
export function dryHost(host: Host): Host {
  const made = new Set<string>()
  const facts: FileFacts = { kind: 'directory', uid: host.euid ?? 0, mode: 0o700 }
  return {
    ...host,
    stat: (path) => (made.has(path) ? facts : host.stat(path)),
    lstat: (path) => (made.has(path) ? facts : host.lstat(path)),
    isWritable: (path) => made.has(path) || host.isWritable(path),
    makeDirectory(path) {
      if (!made.has(dirname(path)) && !host.isWritable(dirname(path))) throw Object.assign(new Error(`cannot make ${path}`), { code: 'EACCES' })
      made.add(path)
    },
  }
}
