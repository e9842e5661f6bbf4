/** `everycore start`: runs an app in the foreground until a signal or a failure ends it. */
import { isatty } from 'node:tty'
import { nowMs } from '../base/clock.ts'
import { EXIT } from '../base/exit-codes.ts'
import { formatDuration } from '../base/units.ts'
import { VERSION } from '../base/version.ts'
import type { Settings } from '../config/types.ts'
import { inheritedSockets } from '../listen/primary/held-sockets.ts'
import { canHoldSockets } from '../listen/primary/raw-handle.ts'
import type { Logs } from '../logs/logs.ts'
import type { Control } from '../primary/control.ts'
import { assemble } from '../primary/create.ts'
import type { ServiceManager } from '../primary/service-manager.ts'
import type { Succession } from '../primary/succession.ts'
import type { Supervisor } from '../primary/supervisor.ts'
import { balanceText } from './balance-text.ts'
import { banner, urlOf } from './banner.ts'
import { detachedTeller, type DetachedWord } from './detached.ts'
import { errorText } from './report-error.ts'
import { installSignals } from './signals.ts'

/** By its number: `process.stdin` would open a stream that nobody reads. */
const STDIN = 0
const STDERR = 2

/**
 * Returns the exit code when everything has ended.
 *
 * @param resolve finds the settings anew, for a reload
 */
export async function runStart(settings: Settings, resolve: () => Settings): Promise<number> {
  const began = nowMs()
  const tellStarter = detachedTeller(process.env)
  const { supervisor, logs, control, succession } = await assemble(settings, { named: inheritedSockets(), relaunch: () => resolve().launch })
  for (const warning of [...settings.warnings, ...settings.sizing.warnings]) logs.logger.warn(warning)
  const manager = (process.env['NOTIFY_SOCKET'] ?? '') === '' ? undefined : joinServiceManager(supervisor, logs, succession)
  const signals = installSignals(supervisor, logs.logger, {
    isTTY: isatty(STDIN),
    hasTerminal: [STDIN, 1, STDERR].some((fd) => isatty(fd)),
    byRunner: (process.env['npm_execpath'] ?? '') !== '',
    breakLine: () => logs.print(['']),
    reopenLogs: () => logs.reopen(),
    upgrade: () => void import('./upgrade.ts').then(async ({ upgradeByCommand }) => upgradeByCommand(supervisor, logs.logger, manager)),
  })
  guardPrimary(supervisor, logs)
  if (settings.logFiles !== undefined && isatty(STDERR)) logs.tellAside([`all output goes to ${settings.logFiles.file}`])
  if (process.pid === 1) void import('../primary/orphans.ts').then(({ watchOrphans }) => watchOrphans((text) => logs.logger.warn(text)))
  supervisor.once('primary:started', () => greet(supervisor, logs, nowMs() - began))
  if (tellStarter !== undefined) supervisor.once('primary:started', () => void tellDetached(supervisor, control, tellStarter))
  // Its failure is told below, by `done`.
  supervisor.start().catch(() => {})
  const failure = await supervisor.done
  signals.remove()
  await control?.close()
  if (failure === undefined) return signals.exitCode ?? EXIT.ok
  for (const line of errorText(failure)) logs.logger.error(line, { code: failure.code })
  logs.tellAside(errorText(failure))
  await logs.flush(1000)
  return failure.exitCode
}

/** A successor says nothing as long as another speaks for the service. */
async function joinServiceManager(supervisor: Supervisor, logs: Logs, succession: Succession | undefined): Promise<ServiceManager> {
  const { tellServiceManager } = await import('../primary/service-manager.ts')
  await succession?.taken
  return tellServiceManager(supervisor, process.env, logs.logger, succession !== undefined)
}

async function tellDetached({ settings, addresses }: Supervisor, control: Control | undefined, tell: (word: DetachedWord) => void): Promise<void> {
  await control?.opened
  tell({ name: control?.name ?? settings.name, pid: process.pid, size: settings.sizing.size, urls: addresses.map(urlOf) })
}

/** A banner for people, a line for logs. */
function greet(supervisor: Supervisor, logs: Logs, tookMs: number): void {
  const { settings, addresses } = supervisor
  if (settings.verbosity === 'quiet') return
  if (settings.logFormat === 'pretty') {
    logs.print(banner({ settings, addresses, tookMs, pid: process.pid, isTTY: isatty(STDIN), holdsSockets: canHoldSockets }))
    return
  }
  const places = addresses.map(urlOf)
  const { size } = settings.sizing
  const where = places.length === 0 ? 'running' : `listening on ${places.join(', ')}`
  const balance = balanceText(settings, canHoldSockets)
  const spread = balance === undefined ? '' : `, balance ${balance.split(':')[0]}`
  logs.logger.info(`${where} with ${size} ${size === 1 ? 'worker' : 'workers'}${spread}, ready in ${formatDuration(Math.round(tookMs))}, everycore ${VERSION}, node ${process.version}`, {
    event: 'primary:started',
    addresses: places,
    size,
    balance,
    tookMs: Math.round(tookMs),
  })
}

/** The last resort: a defect of ours must not take the service down. It is told, and supervision goes on. */
function guardPrimary(supervisor: Supervisor, logs: Logs): void {
  const tell = (error: unknown): void => logs.logger.error(`a defect of everycore, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, { pid: process.pid, phase: supervisor.snapshot.phase })
  process.on('uncaughtException', tell)
  process.on('unhandledRejection', tell)
}
