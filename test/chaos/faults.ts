/** What goes wrong in a chaos run, and when. Each fault is over when its function returns. */
import { connect } from 'node:net'
import { isAlive, isStopped } from '../harness/processes.ts'
import { until } from '../harness/until.ts'
import type { UnderLoad } from '../harness/load/everycore.ts'
import type { Random } from '../harness/load/seed.ts'

/** `--hang-timeout` of the run. Faults that are over by themselves are shorter, the others end by it. */
export const HANG_TIMEOUT_MS = 3000
const LONGEST_BLOCK_MS = 1500
/** A worker that is not killed for hanging is so when its drain timeout is over. */
const GONE_WITHIN_MS = 20_000

/** Deaths that excuse what was in the worker. Times are of `performance.now()`. */
export interface Death {
  readonly pid: number
  readonly at: number
}

export interface FaultContext {
  readonly under: UnderLoad
  readonly random: Random
  readonly deaths: Death[]
  /** What may not be, as sentences. */
  readonly problems: string[]
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
    socket.end(`GET /?block=${random.between(100, LONGEST_BLOCK_MS)} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n`)
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
  },
  /** A loop without end, in a worker that serves or drains. It is over when the supervisor has ended that worker. */
  'hang a worker for good': async ({ under, problems }) => {
    const socket = connect(under.app.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.end('GET /hang HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n')
    socket.resume()
    await withinTime(problems, 'a worker that hung was left alone', () => socket.closed)
    socket.destroy()
  },
  /** The same for any worker. One that is told to drain is continued, and goes by itself. */
  'stop a worker for good': async (context) => {
    const pids = livePids(context)
    if (pids.length === 0) return
    const pid = context.random.pick(pids)
    process.kill(pid, 'SIGSTOP')
    await until('it has stopped', () => isStopped(pid) || !isAlive(pid))
    await withinTime(context.problems, `worker ${pid} was stopped and left alone`, () => !isAlive(pid) || !isStopped(pid))
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

/** Faults for which a worker may be found hanging. */
export const HANGS: ReadonlySet<string | undefined> = new Set(['hang a worker for good', 'stop a worker for good'])

async function withinTime(problems: string[], otherwise: string, isOver: () => boolean): Promise<void> {
  await until(otherwise, isOver, GONE_WITHIN_MS).catch(() => problems.push(otherwise))
}
