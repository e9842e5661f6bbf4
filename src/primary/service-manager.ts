/** What systemd is told about a supervisor: when it is ready, reloads, stops, how many workers serve, and that it is alive. */
import type { Snapshot } from '../core/snapshot.ts'
import type { Logger } from '../logs/logs.ts'
import { Notifier } from './notifier.ts'
import type { Supervisor } from './supervisor.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Added to what the next step may take, for a busy machine. */
const SLACK_MS = 10_000
/** What systemd gives a service to stop if its unit does not say: DefaultTimeoutStopSec of systemd-system.conf(5). */
const USUAL_STOP_MS = 90_000

export interface ServiceManager {
  /** Says that another process is the service from now on, and nothing after that. False when systemd cannot be told. */
  readonly passTo: (pid: number) => Promise<boolean>
}

/**
 * Tells systemd what happens, from now on.
 *
 * @param isRunning the workers are ready already, and somebody else has said so
 * @see https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
 */
export function tellServiceManager(supervisor: Supervisor, env: Environment, log: Logger, isRunning = false): ServiceManager {
  const notifier = new Notifier({ env, warn: (text) => log.warn(text) })
  const { core } = supervisor.settings
  const stepMs = core.readyTimeoutMs + core.provenMs + SLACK_MS
  let started = isRunning
  /** Kept until something else is to be said. */
  let remark = ''
  const status = (): void => notifier.status(`${remark}${statusText(supervisor.snapshot)}`)
  const progress = (): void => {
    status()
    const isUnderWay = !started || supervisor.snapshot.reload !== undefined
    // Who starts or reloads many workers one after the other takes long, and does not hang.
    if (isUnderWay && core.readyTimeoutMs > 0) void notifier.send(extension(stepMs))
  }

  supervisor.once('primary:started', () => {
    started = true
    void notifier.send('READY=1')
    status()
  })
  supervisor.on('worker:ready', progress)
  supervisor.on('worker:exited', status)
  supervisor.on('scale:changed', status)
  supervisor.on('primary:phase', status)
  // The time must be that of CLOCK_MONOTONIC, and come in the same message.
  const tellReloading = (): void => void notifier.send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
  supervisor.on('reload:started', () => {
    remark = ''
    tellReloading()
    status()
  })
  supervisor.on('reload:refused', ({ why }) => {
    remark = `reload refused (${why}): `
    status()
    if (supervisor.snapshot.reload !== undefined) return
    // Type=notify-reload waits for both.
    tellReloading()
    void notifier.send('READY=1')
  })
  supervisor.on('reload:finished', () => {
    void notifier.send('READY=1')
    status()
  })
  supervisor.on('reload:aborted', ({ failure }) => {
    if (failure.why === 'stopped') return
    remark = `reload aborted at slot ${failure.slot} (${failure.why}), the old workers go on: `
    void notifier.send('READY=1')
    status()
  })
  supervisor.on('primary:stopping', () => {
    remark = ''
    void notifier.send('STOPPING=1', ...(core.drainTimeoutMs + SLACK_MS > USUAL_STOP_MS ? [extension(core.drainTimeoutMs + SLACK_MS)] : []))
    status()
  })
  const endWatchdog = feedWatchdog(supervisor, env, notifier)
  if (started) status()

  return {
    async passTo(pid) {
      const sent = await notifier.send(`MAINPID=${pid}`, 'READY=1')
      if (!sent) return false
      endWatchdog()
      notifier.close()
      return true
    },
  }
}

/** "4 of 4 workers serve, generation 2", and what goes on besides. */
function statusText({ phase, size, generation, reload, workers }: Snapshot): string {
  const ready = workers.filter((worker) => worker.phase === 'ready')
  if (phase === 'stopped') return 'stopped'
  if (phase === 'stopping') return `stopping: ${workers.length} of ${size} workers have not finished`
  const seats = new Set(ready.map(({ slot }) => slot)).size
  const counts = `${seats} of ${size} workers serve`
  if (reload !== undefined) return `reloading: ${ready.filter((worker) => worker.generation === reload.to).length} of ${size} workers are of generation ${reload.to}; ${counts}`
  return `${phase === 'starting' ? 'starting: ' : ''}${counts}, generation ${generation}`
}

function extension(ms: number): string {
  return `EXTEND_TIMEOUT_USEC=${Math.ceil(ms) * 1000}`
}

/**
 * Twice within the time after which systemd takes the service for dead, but only while it does what it is
 * there for. The timer shows that the event loop of the supervisor runs.
 */
function feedWatchdog(supervisor: Supervisor, env: Environment, notifier: Notifier): () => void {
  const everyMs = watchdogMs(env) / 2
  if (!(everyMs > 0)) return () => {}
  let isOwed = false
  let isUnderWay = false
  const feed = (): void => {
    const { phase, workers } = supervisor.snapshot
    isOwed = !(phase === 'stopping' || workers.some((worker) => worker.phase === 'ready'))
    if (isOwed || isUnderWay) return
    isUnderWay = true
    void notifier.send('WATCHDOG=1').finally(() => (isUnderWay = false))
  }
  const timer = setInterval(feed, everyMs).unref()
  const onReady = (): void => void (isOwed && feed())
  supervisor.on('worker:ready', onReady)
  const end = (): void => {
    clearInterval(timer)
    supervisor.off('worker:ready', onReady)
  }
  supervisor.once('primary:stopped', end)
  return end
}

/** 0: systemd expects nothing, or not of this process. @see sd_watchdog_enabled(3) */
function watchdogMs(env: Environment): number {
  const pid = env['WATCHDOG_PID'] ?? ''
  const usec = Number(env['WATCHDOG_USEC'] ?? 0)
  return Number.isFinite(usec) && (pid === '' || pid === String(process.pid)) ? usec / 1000 : 0
}
