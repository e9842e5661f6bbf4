/** Makes supervisors: for programs, and for the command, which is one of them. */
import cluster from 'node:cluster'
import { EverycoreError } from '../base/errors.ts'
import { nodeHost } from '../config/host.ts'
import type { SupervisorOptions } from '../config/options.ts'
import { readMachine } from '../config/machine.ts'
import { resolveSettings } from '../config/resolve.ts'
import { derivedSize } from '../config/sizing.ts'
import type { Settings } from '../config/types.ts'
import { announcedSockets } from '../listen/primary/held-sockets.ts'
import { canHoldSockets } from '../listen/primary/raw-handle.ts'
import { createLogs, type Logs } from '../logs/logs.ts'
import { narrate } from './narrate.ts'
import { Supervisor, type SupervisorContext } from './supervisor.ts'

/**
 * Makes a supervisor. Nothing runs before its `start()`.
 *
 * Unlike the command it installs no signal handlers, prints no banner, and by default tells only
 * warnings and errors; the output of the workers goes to stdout and stderr of this process.
 *
 * @example
 * ```js
 * import { createSupervisor } from 'everycore'
 *
 * const supervisor = await createSupervisor({ script: 'server.js', workers: 4 })
 * supervisor.on('worker:exited', ({ slot, kind }) => console.log(`worker ${slot}: ${kind}`))
 * await supervisor.start()
 * process.once('SIGTERM', () => supervisor.stop())
 * ```
 *
 * @throws EverycoreError with everything that is wrong with the options, ERR_EVERYCORE_PLATFORM in a cluster worker
 */
export async function createSupervisor(options: SupervisorOptions = {}): Promise<Supervisor> {
  const cwd = process.cwd()
  const resolve = (): Settings =>
    resolveSettings({
      options: { verbosity: 'quiet', ...options },
      env: process.env,
      cwd,
      isTTY: options.stdout === undefined && process.stdout.isTTY,
      host: nodeHost(),
    })
  const settings = resolve()
  const { supervisor, logs } = await assemble(settings, { inherited: announcedSockets(process.env), relaunch: () => resolve().launch }, options)
  for (const warning of [...settings.warnings, ...settings.sizing.warnings]) logs.logger.warn(warning)
  return supervisor
}

/** For the command, which has resolved the settings itself. */
export async function assemble(settings: Settings, context: Pick<SupervisorContext, 'inherited' | 'relaunch'>, streams: Pick<SupervisorOptions, 'stdout' | 'stderr'> = {}): Promise<{ readonly supervisor: Supervisor; readonly logs: Logs }> {
  if (!cluster.isPrimary) {
    throw new EverycoreError('ERR_EVERYCORE_PLATFORM', 'a supervisor cannot run in a cluster worker', {
      why: 'this process was itself started by everycore or node:cluster',
      hint: 'start the supervisor in the primary, or use worker_threads here',
    })
  }
  const logs = await createLogs({
    format: settings.logFormat,
    color: settings.color,
    name: settings.name,
    size: settings.sizing.size,
    stdout: streams.stdout ?? process.stdout,
    stderr: streams.stderr ?? process.stderr,
    verbosity: settings.verbosity,
    now: Date.now,
  })
  const supervisor = new Supervisor(settings, { ...context, logs, viaCluster: !canHoldSockets, derivedSize: () => derivedSize(settings.sizing.asked, readMachine(nodeHost())) })
  narrate(supervisor, logs.logger)
  if (!canHoldSockets) logs.logger.warn('this Node cannot hold sockets: connections are spread by node:cluster in the primary, as its round-robin does')
  if (process.platform === 'win32') {
    logs.logger.warn('on Windows workers cannot be drained by signals, children of workers are not ended with them, and nothing ends workers whose supervisor was killed: use it for development, and Linux in production')
  }
  return { supervisor, logs }
}
