/** Processes of a test, found by a mark in their environment, so that none is left behind unnoticed. */
import { readFileSync, readdirSync } from 'node:fs'

export const RUN_VARIABLE = 'TEST_RUN_ID'

export interface ProcessFacts {
  readonly pid: number
  readonly command: string
}

/** Live processes (zombies are not) whose environment carries the mark. Linux only: elsewhere nothing is found. */
export function processesOf(runId: string): readonly ProcessFacts[] {
  if (process.platform !== 'linux') return []
  const mark = `${RUN_VARIABLE}=${runId}`
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(`/proc/${pid}/environ`).split('\0').includes(mark) && isAlive(Number(pid)))
    .map((pid) => ({ pid: Number(pid), command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
}

/** False for a process that does not exist, and for a zombie that nobody has reaped. */
export function isAlive(pid: number): boolean {
  if (process.platform !== 'linux') return signals(pid)
  const state = stateOf(pid)
  return state !== '' && state !== 'Z' && state !== 'X'
}

/** SIGSTOP has stopped it. Linux only. */
export function isStopped(pid: number): boolean {
  return stateOf(pid) === 'T'
}

/** The letter of proc(5); empty for a process that does not exist. */
function stateOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
}

function signals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
