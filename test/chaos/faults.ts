/** What goes wrong in a chaos run, and when. Each fault is over when its function returns. */
import { connect } from 'node:net'
import { isAlive } from '../harness/processes.ts'
import type { UnderLoad } from '../harness/load/everycore.ts'
import type { Random } from '../harness/load/seed.ts'

/** Deaths that excuse what was in the worker. Times are of `performance.now()`. */
export interface Death {
  readonly pid: number
  readonly at: number
}

export interface FaultContext {
  readonly under: UnderLoad
  readonly random: Random
  readonly deaths: Death[]
}

export type Fault = (context: FaultContext) => Promise<void>

/** Faults come and go at moments of the seed's choice: time is what is varied, and no event ends it. */
const sleep = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const livePids = ({ under }: FaultContext): readonly number[] =>
  under.app.records.flatMap(({ event, workerPid }) => (event === 'worker:spawned' && workerPid !== undefined && isAlive(workerPid) ? [workerPid] : []))

/** Signals that mean a reload, and some that mean nothing. */
const STORM: readonly NodeJS.Signals[] = ['SIGUSR2', 'SIGHUP', 'SIGUSR2', 'SIGUSR1', 'SIGWINCH', 'SIGCONT', 'SIGPIPE']

export const FAULTS: Readonly<Record<string, Fault>> = {
  /** Any worker: serving, booting or draining. */
  'kill a worker': async (context) => {
    const pids = livePids(context)
    if (pids.length === 0) return
    const pid = context.random.pick(pids)
    context.deaths.push({ pid, at: performance.now() })
    process.kill(pid, 'SIGKILL')
  },
  'kill all workers': async (context) => {
    for (const pid of livePids(context)) {
      context.deaths.push({ pid, at: performance.now() })
      process.kill(pid, 'SIGKILL')
    }
  },
  'stop a worker for a moment': async (context) => {
    const pids = livePids(context)
    if (pids.length === 0) return
    const pid = context.random.pick(pids)
    process.kill(pid, 'SIGSTOP')
    await sleep(context.random.between(50, 600))
    if (isAlive(pid)) process.kill(pid, 'SIGCONT')
  },
  'block a worker for a moment': async ({ under, random }) => {
    const socket = connect(under.app.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.end(`GET /?block=${random.between(100, 3000)} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n`)
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
  },
  'stop the supervisor for a moment': async ({ under, random }) => {
    under.app.kill('SIGSTOP')
    await sleep(random.between(50, 1500))
    under.app.kill('SIGCONT')
  },
  'a storm of signals': async ({ under, random }) => {
    for (let count = random.between(10, 60); count > 0; count -= 1) {
      under.app.kill(random.pick(STORM))
      if (random.chance(0.2)) await sleep(random.between(0, 20))
    }
  },
}
