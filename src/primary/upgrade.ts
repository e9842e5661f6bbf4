/**
 * Another supervisor takes the place of this one: a new process inherits the held sockets, starts workers of its own and
 * says when they are ready. Until then nothing changes here, and whatever goes wrong is the end of the new one. The
 * other side is `primary/succession.ts`.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { EverycoreError } from '../base/errors.ts'
import { LEGACY_LIMIT, LEGACY_VERSION, readSuccessorWord, UPGRADE_VARIABLE, type HeldBefore, type PredecessorWord } from '../protocol/legacy.ts'
import { lines } from './lines.ts'

export interface UpgradeOptions {
  /** The program of the new supervisor. Default: the Node that runs this one, by the path that it was started with. */
  readonly command?: string
  /** Its arguments. Default: those of this process. */
  readonly args?: readonly string[]
  /** How long its workers may take to be ready, in ms. Default: two minutes, or twice the ready timeout if that is more. */
  readonly timeoutMs?: number
  /** Called with the pid of the new process when its workers are ready; false ends it. @internal */
  readonly beforeHandOver?: (pid: number) => Promise<boolean>
}

/** What of a supervisor an upgrade needs. */
export interface Predecessor {
  readonly held: readonly HeldBefore[]
  readonly named: ReadonlySet<number>
  readonly announced: ReadonlySet<number>
  readonly stickySecret: string | undefined
  readonly readyTimeoutMs: number
  readonly drainTimeoutMs: number
  /** Fulfilled when this supervisor stops for another reason. */
  readonly stopping: Promise<void>
  readonly onSpawned: (pid: number) => void
}

const USUAL_TIMEOUT_MS = 120_000
/** Added to the drain timeout: what a successor that is not wanted any more may take to end. */
const END_SLACK_MS = 5000
/** Of systemd, for this process; and of Node, for a process that is not started by it. */
const NOT_PASSED_ON = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'WATCHDOG_PID', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'NODE_UNIQUE_ID']

/** A successor whose workers are ready. */
export interface Successor {
  readonly pid: number
  /** Tells it that the sockets are its own. Nothing can fail after that. */
  readonly handOver: () => void
}

/**
 * Starts the successor and waits until its workers are ready.
 *
 * @throws EverycoreError ERR_EVERYCORE_UPGRADE when it did not come to that; the process has been told to end
 */
export async function raiseSuccessor(predecessor: Predecessor, options: UpgradeOptions): Promise<Successor> {
  const { command = nodePath(), args = [...process.execArgv, ...process.argv.slice(1)] } = options
  const plan = planDescriptors(predecessor)
  const child = spawn(command, [...args], { stdio: [...plan.stdio], env: environment(plan.channel) })
  const channel = child.stdio[plan.channel] as Duplex | null | undefined
  channel?.on('error', () => {})
  tell(channel, { word: 'legacy', legacy: { version: LEGACY_VERSION, pid: process.pid, named: [...predecessor.named], announced: [...predecessor.announced], held: plan.held, stickySecret: predecessor.stickySecret ?? null } })
  child.once('spawn', () => predecessor.onSpawned(child.pid ?? -1))
  const failure = await verdict(child, channel, predecessor, options)
  if (failure !== undefined) {
    tell(channel, { word: 'cancel', why: failure })
    endInTime(child, predecessor.drainTimeoutMs + END_SLACK_MS)
    throw new EverycoreError('ERR_EVERYCORE_UPGRADE', 'the upgrade was aborted', { why: failure, hint: 'this supervisor goes on serving; mend the new version and try again' })
  }
  return {
    pid: child.pid ?? -1,
    handOver() {
      tell(channel, { word: 'yours' })
      channel?.end()
      // It outlives this process.
      child.unref()
    },
  }
}

/** Why there is no successor; undefined when its workers are ready. Whatever comes first counts. */
async function verdict(child: ChildProcess, channel: Duplex | null | undefined, { stopping, readyTimeoutMs }: Predecessor, { timeoutMs = Math.max(USUAL_TIMEOUT_MS, 2 * readyTimeoutMs), beforeHandOver }: UpgradeOptions): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const outcome = new Promise<string | undefined>((resolve) => {
    timer = setTimeout(() => resolve(`its workers were not ready within ${timeoutMs / 1000} s`), timeoutMs)
    child.once('error', ({ message }) => resolve(`it cannot be started (${message})`))
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`} before its workers were ready`))
    void stopping.then(() => resolve('this supervisor stops'))
    if (channel == null) return
    lines(channel, LEGACY_LIMIT, (line) => {
      const word = readSuccessorWord(line)
      if (word?.word === 'failed') resolve(word.why)
      if (word?.word !== 'ready') return
      clearTimeout(timer)
      if (beforeHandOver === undefined) resolve(undefined)
      else void beforeHandOver(child.pid ?? -1).then((isFine) => resolve(isFine ? undefined : 'systemd could not be told that the new process is the service'))
    })
  })
  const failure = await outcome
  clearTimeout(timer)
  return failure ?? (child.exitCode === null && child.signalCode === null ? undefined : 'it ended just when its workers were ready')
}

function tell(channel: Duplex | null | undefined, word: PredecessorWord): void {
  if (channel?.writable === true) channel.write(`${JSON.stringify(word)}\n`)
}

/** It has been asked to; what it has accepted it may answer. */
function endInTime(child: ChildProcess, limitMs: number): void {
  if (child.pid === undefined) return
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs).unref()
  child.once('exit', () => clearTimeout(timer))
  child.unref()
}

interface Plan {
  readonly stdio: readonly ('inherit' | 'ignore' | 'pipe' | number)[]
  /** Descriptor of the successor's end of the channel. */
  readonly channel: number
  readonly held: readonly HeldBefore[]
}

/** What the app may name keeps its number; the rest takes what is free. */
function planDescriptors({ held, named }: Pick<Predecessor, 'held' | 'named'>): Plan {
  const stdio: Plan['stdio'][number][] = ['inherit', 'inherit', 'inherit']
  for (const fd of named) stdio[fd] = fd
  let next = 3
  const place = (what: number | 'pipe'): number => {
    while (stdio[next] !== undefined) next += 1
    stdio[next] = what
    return next
  }
  const channel = place('pipe')
  const passed = held.map((one) => ({ ...one, sockets: one.sockets.map(({ slot, fd }) => ({ slot, fd: place(fd) })) }))
  return { stdio: Array.from(stdio, (entry) => entry ?? 'ignore'), channel, held: passed }
}

function environment(channel: number): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, [UPGRADE_VARIABLE]: String(channel) }
  for (const name of NOT_PASSED_ON) delete env[name]
  return env
}

/** The path that was typed, if there was one: it may lead to another Node by now, which is what an upgrade is for. */
function nodePath(): string {
  return process.argv0.startsWith('/') ? process.argv0 : process.execPath
}
