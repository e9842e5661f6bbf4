/** Makes supervisors: for programs, and for the command, which is one of them. */
import cluster from 'node:cluster'
import { EverycoreError } from '../base/errors.ts'
import { nodeHost } from '../config/host.ts'
import type { SupervisorOptions } from '../config/options.ts'
import { readMachine } from '../config/machine.ts'
import { resolveSettings } from '../config/resolve.ts'
import { derivedSize } from '../config/sizing.ts'
import type { Settings } from '../config/types.ts'
import { announcedSockets, misplacedSockets } from '../listen/primary/announced.ts'
import { Inherited } from '../listen/primary/inherited.ts'
import { canHoldSockets } from '../listen/primary/raw-handle.ts'
import { createLogs, type Logs } from '../logs/logs.ts'
import { UPGRADE_VARIABLE } from '../protocol/legacy.ts'
import type { SupervisorContext } from './context.ts'
import { Control } from './control.ts'
import { narrate } from './narrate.ts'
import type { Succession } from './succession.ts'
import { Supervisor } from './supervisor.ts'

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
      options: { verbosity: 'quiet', control: false, ...options },
      env: process.env,
      cwd,
      isTTY: options.stdout === undefined && process.stdout.isTTY,
      host: nodeHost(),
    })
  const settings = resolve()
  const { supervisor, logs, control } = await assemble(settings, { named: announcedSockets(process.env), relaunch: () => resolve().launch }, options)
  for (const warning of [...settings.warnings, ...settings.sizing.warnings]) logs.logger.warn(warning)
  if (control !== undefined) void supervisor.done.then(async () => control.close())
  return supervisor
}

export interface Assembled {
  readonly supervisor: Supervisor
  readonly logs: Logs
  /** Undefined where none was asked for. */
  readonly control: Control | undefined
  /** Set when this process takes the place of another supervisor. */
  readonly succession: Succession | undefined
}

/** What differs between a program and the command. */
interface Surroundings extends Pick<SupervisorContext, 'relaunch'> {
  /** Descriptors that `listen({ fd })` of the app may name. */
  readonly named: ReadonlySet<number>
}

/** For the command, which has resolved the settings itself. */
export async function assemble(settings: Settings, { named, relaunch }: Surroundings, streams: Pick<SupervisorOptions, 'stdout' | 'stderr'> = {}): Promise<Assembled> {
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
    files: settings.logFiles,
    ringBytes: settings.logBuffer,
    verbosity: settings.verbosity,
    now: Date.now,
  })
  const succession = (process.env[UPGRADE_VARIABLE] ?? '') === '' ? undefined : await (await import('./succession.ts')).beginSuccession(process.env)
  const supervisor = new Supervisor(settings, { ...inheritance(named, succession), relaunch, logs, viaCluster: !canHoldSockets, derivedSize: (asked: string = settings.sizing.asked) => derivedSize(asked, readMachine(nodeHost())) })
  narrate(supervisor, logs.logger)
  const control = settings.control.isOn ? new Control(supervisor, { log: logs.logger, ring: logs.ring, succession }) : undefined
  succession?.report(supervisor, logs.logger)
  const misplaced = succession === undefined ? misplacedSockets(process.env) : undefined
  if (misplaced !== undefined) logs.logger.warn(misplaced)
  if (!canHoldSockets) logs.logger.warn('this Node cannot hold sockets: connections are spread by node:cluster in the primary, as its round-robin does')
  if (process.platform === 'win32') {
    logs.logger.warn('on Windows workers cannot be drained by signals, children of workers are not ended with them, and nothing ends workers whose supervisor was killed: use it for development, and Linux in production')
  }
  return { supervisor, logs, control, succession }
}

/** What was open when this process started, and what only another supervisor can have told. */
function inheritance(named: ReadonlySet<number>, succession: Succession | undefined): Pick<SupervisorContext, 'inherited' | 'stickySecret'> {
  if (succession === undefined) return { inherited: new Inherited({ named, announced: announcedSockets(process.env) }), stickySecret: undefined }
  const { legacy, taken } = succession
  const inherited = new Inherited({ named: new Set(legacy.named), announced: new Set(legacy.announced), held: legacy.held })
  void taken.then(() => inherited.own())
  return { inherited, stickySecret: legacy.stickySecret ?? undefined }
}
