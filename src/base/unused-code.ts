/** What `code-cache.ts` has kept of versions of everycore and of Node, and for arguments, that nobody runs any more. */
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Two apps of one user may run different versions, so a file is not judged by its version but by when it was read. The kernel notes that once a day, or never (mount(8), relatime, noatime): then a file that is in use is written again after a week. */
const UNUSED_MS = 7 * 24 * 3600 * 1000
/** Files that are looked at, so that it takes a few milliseconds at most. */
const LOOK_AT = 256
/** `<file>-<hash>-…`, and what a process has left that was killed while it wrote. */
const NAME = /^(?:main|hook|verbs|control)\.cjs-[0-9a-f]{16}-/

/**
 * Removes what has not been read for a week. Somebody may write the same file at that moment: then it is written once more
 * by the next start.
 *
 * @param directory private to us; what is not ours, or of another kind, stays
 * @param nowMs as `Date.now()`
 */
export function removeUnusedCode(directory: string, nowMs: number): void {
  try {
    const names = readdirSync(directory).filter((name) => NAME.test(name))
    for (const name of names.slice(0, LOOK_AT)) removeUnused(join(directory, name), nowMs)
  } catch {
    // Nothing depends on it.
  }
}

function removeUnused(path: string, nowMs: number): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isFile() !== true || stats.uid !== (process.geteuid?.() ?? stats.uid)) return
  if (nowMs - Math.max(stats.atimeMs, stats.mtimeMs) > UNUSED_MS) rmSync(path, { force: true })
}
