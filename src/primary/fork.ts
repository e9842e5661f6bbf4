/** Starts a worker process: `cluster.fork`, with what it leaves out. */
import { ChildProcess } from 'node:child_process'
import cluster, { type Worker as ClusterWorker } from 'node:cluster'
import type { Launch } from '../config/types.ts'
import { bootEnvironment, type BootInfo } from '../protocol/boot.ts'

/** Entry of stdio that the worker sees as its control pipe. */
export const STDIO = ['ignore', 'pipe', 'pipe', 'pipe', 'ipc'] as const

/** Otherwise SIGUSR1 opens the inspector of whoever gets it (Node 22.14, 23.7; before that the worker's hook sees to it). */
const DISABLE_SIGUSR1 = '--disable-sigusr1'
const QUIET_SIGUSR1: readonly string[] = knowsDisableSigusr1(process.versions.node) ? [DISABLE_SIGUSR1] : []

/** By version: `process.allowedNodeEnvironmentFlags` takes milliseconds to be built. */
function knowsDisableSigusr1(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 23 || (major === 23 && minor >= 7) || (major === 22 && minor >= 14)
}

/**
 * On SIGINT Node prints the stack of what runs, even of a loop without end, and ends: a thread of its own waits for the
 * signal. So it can be told where a worker hangs, and it costs nothing until then. An app that handles SIGINT itself has it as ever.
 *
 * @see https://nodejs.org/api/cli.html#--trace-sigint
 */
const TRACE_SIGINT: readonly string[] = process.platform === 'win32' ? [] : ['--trace-sigint']

interface SpawnOptions {
  detached?: boolean
}

interface Spawner {
  spawn: (this: ChildProcess, options: SpawnOptions) => number
}

/**
 * Forks. `cluster.settings` is set anew for each worker, so that two supervisors in one process, or two
 * generations with different arguments, do not mix.
 *
 * Uid and gid: libuv's child clears the supplementary groups, then sets gid, then uid, before exec.
 *
 * @throws what `spawn` throws at once, for instance on an invalid cwd type
 * @see https://docs.libuv.org/en/v1.x/process.html
 */
export function forkWorker(launch: Launch, preload: string, boot: BootInfo): ClusterWorker {
  const inspect = launch.inspectPort === undefined ? [] : [`--inspect=127.0.0.1:${launch.inspectPort + boot.slot}`]
  cluster.setupPrimary({
    exec: launch.script,
    args: [...launch.args],
    execArgv: ['--require', preload, ...launch.nodeArgs, ...TRACE_SIGINT, ...(inspect.length === 0 ? QUIET_SIGUSR1 : inspect)],
    cwd: launch.cwd,
    stdio: [...STDIO],
    serialization: 'json',
    ...(launch.inspectPort === undefined ? {} : { inspectPort: launch.inspectPort + boot.slot }),
    ...identity(launch),
  })
  return inOwnGroup(() => withEnvironment(launch.env, () => cluster.fork(bootEnvironment(boot))))
}

/** Properties that must be absent and not undefined: setupPrimary keeps what an earlier call set. */
function identity({ uid, gid }: Launch): { readonly uid?: number; readonly gid?: number } {
  delete cluster.settings.uid
  delete cluster.settings.gid
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) }
}

/**
 * Each worker leads a process group of its own: Ctrl-C in a terminal then reaches the primary alone,
 * which drains, and a kill of the group takes the worker's children along. `cluster.fork` has no such
 * option, but all of child_process ends in this one method.
 */
function inOwnGroup<T>(fork: () => T): T {
  const prototype = ChildProcess.prototype as unknown as Spawner
  const original = prototype.spawn
  prototype.spawn = function spawn(options) {
    return original.call(this, { ...options, detached: process.platform !== 'win32' })
  }
  try {
    return fork()
  } finally {
    prototype.spawn = original
  }
}

/** `cluster.fork(env)` only adds to the primary's environment; a worker's must be exact. */
function withEnvironment<T>(env: Readonly<Record<string, string>>, fork: () => T): T {
  const original = process.env
  process.env = { ...env }
  try {
    return fork()
  } finally {
    process.env = original
  }
}
