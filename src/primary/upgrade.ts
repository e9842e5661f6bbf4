/**
 * Another supervisor takes the place of this one: a new process inherits the held sockets, starts workers of its own and
 * says when they are ready. Until then nothing changes here, and whatever goes wrong is the end of the new one. The
 * other side is `primary/succession.ts`.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { EverycoreError } from '../base/errors.ts'
import { LEGACY_LIMIT, LEGACY_VERSION, readSuccessorWord, UPGRADE_VARIABLE, type HeldBefore, type PredecessorWord, type SuccessorWord } from '../protocol/legacy.ts'
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
  /** How many workers there are to be. */
  readonly size: number
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
 * The shell ends at once, so that the successor is nobody's child but the system's: systemd does not wait at a stop for a
 * main process that was another's child when it was named. Its stdout is for the pid, its stdin our stdout
 * (what it starts in the background has no stdin by the time that its own redirections are looked at).
 */
const LAUNCH = '{ "$0" "$@" </dev/null & } >&0; echo $!'

/**
 * Starts the successor and waits until its workers are ready.
 *
 * @throws EverycoreError ERR_EVERYCORE_UPGRADE when it did not come to that; the process has been told to end
 */
export async function raiseSuccessor(predecessor: Predecessor, options: UpgradeOptions): Promise<Successor> {
  const { command = nodePath(), args = [...process.execArgv, ...process.argv.slice(1)] } = options
  const plan = planDescriptors(predecessor)
  const shell = spawn('/bin/sh', ['-c', LAUNCH, command, ...args], { stdio: [...plan.stdio], env: environment(plan.channel) })
  stayNonBlocking()
  const channel = shell.stdio[plan.channel] as Duplex | null | undefined
  const heard = firstWord(channel)
  const pid = await pidOf(shell)
  if (pid === undefined || channel == null) throw aborted('it cannot be started')
  predecessor.onSpawned(pid)
  const { held, named, announced, stickySecret = null, size } = { ...predecessor, held: plan.held }
  tell(channel, { word: 'legacy', legacy: { version: LEGACY_VERSION, pid: process.pid, named: [...named], announced: [...announced], held, stickySecret, size } })
  const failure = (await verdict(pid, heard, predecessor, options)) ?? (channel.destroyed ? 'it ended just when its workers were ready' : undefined)
  if (failure !== undefined) {
    tell(channel, { word: 'cancel', why: failure })
    endInTime(pid, channel, predecessor.drainTimeoutMs + END_SLACK_MS)
    throw aborted(failure)
  }
  return {
    pid,
    handOver() {
      tell(channel, { word: 'yours' })
      channel.end()
    },
  }
}

/** libuv makes what a child gets as its first three descriptors blocking, and so for us too: a slow reader must not stop the supervisor. */
function stayNonBlocking(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const { _handle: handle } = stream as unknown as { readonly _handle?: { readonly setBlocking?: (isBlocking: boolean) => number } | null }
    handle?.setBlocking?.(false)
  }
}

function aborted(why: string): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_UPGRADE', 'the upgrade was aborted', { why, hint: 'this supervisor goes on serving; mend the new version and try again' })
}

/** As the shell says it; undefined when there is no shell, or no process to be had. */
async function pidOf(shell: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = ''
    shell.once('error', () => resolve(undefined))
    shell.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    shell.stdout?.once('end', () => resolve(/^\d+\n$/.test(text) ? Number(text) : undefined))
  })
}

/** At once, because Node reads on, and throws away, what nobody listens to when the shell has ended. Undefined: it has ended; it alone has the other end. */
async function firstWord(channel: Duplex | null | undefined): Promise<SuccessorWord | undefined> {
  return new Promise((resolve) => {
    if (channel == null) return
    channel.on('error', () => {})
    channel.once('close', () => resolve(undefined))
    lines(channel, LEGACY_LIMIT, (line) => {
      const word = readSuccessorWord(line)
      if (word !== undefined) resolve(word)
    })
  })
}

/** Why there is no successor; undefined when its workers are ready. Whatever comes first counts. */
async function verdict(pid: number, heard: Promise<SuccessorWord | undefined>, { stopping, readyTimeoutMs }: Predecessor, { timeoutMs = Math.max(USUAL_TIMEOUT_MS, 2 * readyTimeoutMs), beforeHandOver }: UpgradeOptions): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`its workers were not ready within ${timeoutMs / 1000} s`), timeoutMs)
  })
  const stopped = stopping.then(() => 'this supervisor stops')
  const started = heard.then((word) => {
    clearTimeout(timer)
    if (word === undefined) return 'it ended before its workers were ready; what it wrote says more'
    return word.word === 'failed' ? word.why : undefined
  })
  const failure = await Promise.race([started, late, stopped])
  clearTimeout(timer)
  if (failure !== undefined || beforeHandOver === undefined) return failure
  return (await beforeHandOver(pid)) ? undefined : 'systemd could not be told that the new process is the service'
}

function tell(channel: Duplex, word: PredecessorWord): void {
  if (channel.writable) channel.write(`${JSON.stringify(word)}\n`)
}

/** It has been asked to; what it has accepted it may answer. As long as its end of the channel is open, the pid is its own. */
function endInTime(pid: number, channel: Duplex, limitMs: number): void {
  const signal = (name: NodeJS.Signals): void => {
    try {
      if (!channel.destroyed) process.kill(pid, name)
    } catch {
      // It has just ended.
    }
  }
  signal('SIGTERM')
  const timer = setTimeout(() => signal('SIGKILL'), limitMs).unref()
  channel.once('close', () => clearTimeout(timer))
  ;(channel as Socket).unref()
}

interface Plan {
  readonly stdio: readonly ('ignore' | 'pipe' | number)[]
  /** Descriptor of the successor's end of the channel. */
  readonly channel: number
  readonly held: readonly HeldBefore[]
}

/** What the app may name keeps its number; the rest takes what is free. */
function planDescriptors({ held, named }: Pick<Predecessor, 'held' | 'named'>): Plan {
  const stdio: Plan['stdio'][number][] = [1, 'pipe', 2]
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
