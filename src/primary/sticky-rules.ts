/** The rules of sticky sessions for this run: what was set, a fresh secret, and a directory for the sockets between workers. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { randomId } from '../base/random.ts'
import type { Settings } from '../config/types.ts'
import type { StickyRules } from '../protocol/sticky.ts'

const PREFIX = 'sticky-'

/**
 * Undefined when clients are not told apart.
 *
 * @param secret that of the supervisor before this one, so that clients stay with their slots; default: a fresh one
 */
export function stickyRules({ sticky, runtimeDir, launch }: Pick<Settings, 'sticky' | 'runtimeDir' | 'launch'>, secret = randomId()): StickyRules | undefined {
  if (sticky === undefined) return undefined
  const { by, name, trusted } = sticky
  // Workers of another user can make nothing in a directory that is ours alone.
  const isOwnUser = launch.uid === undefined || launch.uid === process.geteuid?.()
  return { by, name, trusted, secret, socketDir: runtimeDir !== undefined && isOwnUser ? socketDir(runtimeDir) : null }
}

/** A worker that was killed leaves its sockets behind, and another process may get its pid. */
export function forgetEntrances(rules: StickyRules | undefined, pid: number): void {
  if (rules?.socketDir == null) return
  try {
    for (const name of readdirSync(rules.socketDir)) if (name.startsWith(`${pid}-`)) rmSync(join(rules.socketDir, name), { force: true })
  } catch {
    // Somebody has removed the directory: nothing is left behind.
  }
}

/** The workers are gone, and their sockets with them. */
export function releaseSticky(rules: StickyRules | undefined): void {
  if (rules?.socketDir != null) rmSync(rules.socketDir, { recursive: true, force: true })
}

/** Made anew; what supervisors left behind that were killed goes. */
function socketDir(runtimeDir: string): string | null {
  const path = join(runtimeDir, `${PREFIX}${process.pid}`)
  try {
    for (const name of readdirSync(runtimeDir)) {
      const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length)) : Number.NaN
      if (Number.isInteger(pid) && (pid === process.pid || !isAlive(pid))) rmSync(join(runtimeDir, name), { recursive: true, force: true })
    }
    mkdirSync(path, { mode: 0o700 })
    return path
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
