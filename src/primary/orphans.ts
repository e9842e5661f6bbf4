/**
 * Process 1 of a container is given every process whose parent has ended, and must wait(2) for it. Node waits only for
 * what it has started itself, so such processes stay as zombies, and each takes a pid. All that can be done here is
 * to say so.
 *
 * @see https://docs.docker.com/reference/cli/docker/container/run/#init
 */
import { readdirSync, readFileSync } from 'node:fs'

const EVERY_MS = 5000
/** Of the zombies that are found, so many are named. */
const NAMED = 3

/** Tells once, when something stays that nobody will wait for. Linux only. */
export function watchOrphans(warn: (text: string) => void): void {
  if (process.platform !== 'linux') return
  let before: ReadonlySet<string> = new Set()
  const timer = setInterval(() => {
    const now = zombies()
    // What ended just now may be a child of ours, and still be waited for.
    const stay = [...now].filter((pid) => before.has(pid))
    before = now
    if (stay.length === 0) return
    clearInterval(timer)
    const them = `${stay.slice(0, NAMED).join(', ')}${stay.length > NAMED ? ', ...' : ''}`
    warn(`what the app started and left behind stays as a zombie when it ends (pid ${them}): this is process 1 of the container, and Node waits only for its own children. Give the container an init: docker run --init, tini, or shareProcessNamespace in Kubernetes`)
  }, EVERY_MS).unref()
}

/** Pids of ended children of process 1 that nobody has waited for. */
function zombies(): ReadonlySet<string> {
  return new Set(readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isZombie(name)))
}

/** @see proc_pid_stat(5): the name stands in parentheses and may hold any byte */
function isZombie(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' && ppid === '1'
  } catch {
    return false
  }
}
