/** Tells in the supervisor's own log what happens. One line an event, for people first; the fields are for machines. */
import { nowMs } from '../base/clock.ts'
import { formatDuration, formatSize } from '../base/units.ts'
import type { ExitReport, KillReason, Notice, RecycleReason } from '../core/types.ts'
import type { Logger } from '../logs/logs.ts'
import type { ServerKind } from '../protocol/messages.ts'
import type { Supervisor } from './supervisor.ts'

type Exited = Extract<Notice, { readonly type: 'worker:exited' }>

/** A worker that is full again within this time is in the same trouble. */
const EPISODE_MS = 10_000

/** Attaches to all events that an operator wants to read about. */
export function narrate(supervisor: Supervisor, log: Logger): void {
  let started = false
  supervisor.once('primary:started', () => (started = true))
  supervisor.on('worker:spawned', ({ slot, pid, generation }) => log.debug(`${nameOf(slot)} started (pid ${pid})`, { event: 'worker:spawned', slot, generation, workerPid: pid }))
  tellUnreadable(supervisor, log)
  supervisor.on('worker:listening', ({ slot, kind, address, port }) => log.debug(`${nameOf(slot)} listens on ${port === null ? address : `${address}:${port}`} (${kind})`, { event: 'worker:listening', slot, address, port }))
  supervisor.on('worker:ready', ({ slot, bootMs, generation }) => {
    // At the start the first output says it for all of them.
    const level = started ? 'info' : 'debug'
    log[level](`${nameOf(slot)} ready in ${formatDuration(Math.round(bootMs))}`, { event: 'worker:ready', slot, generation, bootMs: Math.round(bootMs) })
  })
  supervisor.on('worker:draining', ({ slot, reason }) => log.debug(`${nameOf(slot)} drains (${reason})`, { event: 'worker:draining', slot, reason }))
  narrateHealth(supervisor, log)
  narrateFull(supervisor, log)
  supervisor.on('worker:exited', (notice) => tellExit(notice, log))
  supervisor.on('worker:violated', ({ slot, why }) => log.error(`${nameOf(slot)} is ended: it sent ${why}`, { event: 'worker:violated', slot, why }))
  supervisor.on('worker:spawn-failed', ({ slot, code, respawnInMs }) => log.error(`${nameOf(slot)} could not be started (${code}), next try in ${formatDuration(Math.round(respawnInMs))}`, { event: 'worker:spawn-failed', slot, code }))
  supervisor.on('primary:phase', ({ phase }) => {
    const { size, workers } = supervisor.snapshot
    const ready = workers.filter((worker) => worker.phase === 'ready').length
    if (phase === 'degraded') log.warn(`degraded: ${ready} of ${size} workers serve`, { event: 'primary:phase', phase, ready, size })
    else log.debug(`${phase}: ${ready} of ${size} workers serve`, { event: 'primary:phase', phase, ready, size })
  })
  supervisor.on('primary:stopping', ({ how, outcome, inMs }) => {
    if (outcome.name === 'failed') return
    const first = inMs > 0 ? `all goes on for ${formatDuration(inMs)}, then ` : ''
    const text = how === 'now' ? 'stopping now' : `stopping: ${first}requests in flight have ${formatDuration(supervisor.settings.core.drainTimeoutMs)}`
    log.info(text, { event: 'primary:stopping', how, inMs })
  })
  supervisor.on('primary:stopped', ({ outcome }) => outcome.name === 'failed' || log.info('stopped', { event: 'primary:stopped' }))
  supervisor.on('scale:changed', ({ from, to }) => log.info(`scaling from ${from} to ${to} workers`, { event: 'scale:changed', from, to }))
  supervisor.on('reload:started', ({ to }) => log.info(`reloading: generation ${to}, one worker after the other`, { event: 'reload:started', generation: to }))
  supervisor.on('reload:finished', ({ generation, tookMs }) => log.info(`reloaded in ${formatDuration(Math.round(tookMs))}`, { event: 'reload:finished', generation, tookMs: Math.round(tookMs) }))
  supervisor.on('restart:started', ({ to }) => log.info(`restarting: all workers leave, then those of generation ${to} start`, { event: 'restart:started', generation: to }))
  supervisor.on('restart:finished', ({ generation, tookMs }) => log.info(`restarted in ${formatDuration(Math.round(tookMs))}`, { event: 'restart:finished', generation, tookMs: Math.round(tookMs) }))
  supervisor.on('upgrade:started', ({ pid }) => log.info(`upgrading: a new supervisor starts (pid ${pid})`, { event: 'upgrade:started', successorPid: pid }))
  supervisor.on('upgrade:finished', ({ pid, tookMs }) => log.info(`upgraded in ${formatDuration(Math.round(tookMs))}: process ${pid} has taken over, this one ends`, { event: 'upgrade:finished', successorPid: pid, tookMs: Math.round(tookMs) }))
  supervisor.on('upgrade:aborted', ({ why }) => log.error(`upgrade aborted: ${why}. This supervisor goes on serving`, { event: 'upgrade:aborted', why }))
  supervisor.on('reload:aborted', ({ failure }) => {
    const fields = { event: 'reload:aborted', ...failure }
    if (failure.why === 'stopped') log.info('reload ended: the supervisor stops', fields)
    else if (failure.why === 'cancelled') log.warn('reload aborted, as somebody asked: the old workers go on serving', fields)
    else log.error(`reload aborted at slot ${failure.slot} (${failure.why}${failure.said === undefined ? '' : `: ${failure.said}`}): the old workers go on serving`, fields)
  })
}

function narrateHealth(supervisor: Supervisor, log: Logger): void {
  supervisor.on('worker:stalled', ({ slot, pid, silentMs }) =>
    log.error(`${nameOf(slot)} has not answered for ${formatDuration(Math.round(silentMs))}: something blocks its event loop. Node tells where, if it can; then it is killed`, { event: 'worker:stalled', slot, workerPid: pid, silentMs: Math.round(silentMs) }),
  )
  supervisor.on('worker:worn', ({ slot, why, value }) => log.info(`${nameOf(slot)} is recycled: ${WORN[why](value)}; its replacement starts first`, { event: 'worker:worn', slot, why, value }))
}

const WORN: Readonly<Record<RecycleReason, (value: number) => string>> = {
  memory: (bytes) => `it has ${formatSize(bytes)} of memory`,
  heap: (part) => `${Math.round(part * 100)} % of its heap's limit are in use`,
  requests: (count) => `it has begun ${count} requests`,
  lifetime: (ms) => `it has been ready for ${formatDuration(Math.round(ms))}`,
}

/** Once for each episode; where connections come and go at the limit, a worker is full many times a second. */
function narrateFull(supervisor: Supervisor, log: Logger): void {
  const fullAt = new Map<number, number>()
  supervisor.on('worker:full', ({ id, slot, used, limit }) => {
    const isNew = nowMs() - (fullAt.get(id) ?? Number.NEGATIVE_INFINITY) > EPISODE_MS
    fullAt.set(id, nowMs())
    log[isNew ? 'warn' : 'debug'](`${nameOf(slot)} has ${used} of ${limit} file descriptors in use: it accepts no more until some are closed`, { event: 'worker:full', slot, used, limit })
  })
  supervisor.on('worker:accepting', ({ slot }) => log.debug(`${nameOf(slot)} accepts again`, { event: 'worker:accepting', slot }))
  supervisor.on('worker:exited', ({ id }) => fullAt.delete(id))
}

/** Once: what --sticky cannot mean for servers whose requests cannot be read before the app has them. */
function tellUnreadable(supervisor: Supervisor, log: Logger): void {
  const by = supervisor.settings.sticky?.by
  if (by === undefined || by === 'ip') return
  const onListening = ({ kind }: { readonly kind: ServerKind }): void => {
    if (kind !== 'https' && kind !== 'tls' && kind !== 'http2') return
    supervisor.off('worker:listening', onListening)
    log.warn(`--sticky ${by} cannot read the requests of ${kind} servers: their clients are told apart by address. To use the ${by}, end TLS and HTTP/2 in a proxy in front`, { event: 'sticky:unreadable', kind, by })
  }
  supervisor.on('worker:listening', onListening)
}

const KILLED: Readonly<Record<KillReason, string>> = {
  'ready-timeout': 'was not ready in time and was killed',
  'drain-timeout': 'did not finish within the drain timeout and was killed',
  'stop-now': 'was killed',
  'reload-aborted': 'was killed with the reload',
  violation: 'was killed for what it sent',
  stalled: 'hung and was killed',
  memory: 'took too much memory and was killed',
}

function tellExit({ slot, kind, killReason, exit, uptimeMs, respawnInMs, generation }: Exited, log: Logger): void {
  const fields = { event: 'worker:exited', slot, generation, kind, killReason, code: exit.code, signal: exit.signal }
  const lived = `after ${formatDuration(Math.round(uptimeMs))}`
  if (kind === 'retired' || killReason === 'stop-now') {
    log.debug(`${nameOf(slot)} has left (${howEnded(exit)} ${lived})`, fields)
    return
  }
  const what = kind === 'boot-failure' ? 'failed to start' : killReason === undefined ? 'crashed' : KILLED[killReason]
  const next = respawnInMs === undefined ? '' : respawnInMs <= 0 ? '; its replacement starts now' : `; its replacement starts in ${formatDuration(Math.round(respawnInMs))}`
  log.error(`${nameOf(slot)} ${what} (${howEnded(exit)} ${lived})${next}`, fields)
}

/** A spare has no slot yet. */
function nameOf(slot: number): string {
  return slot < 0 ? 'a spare worker' : `worker ${slot}`
}

function howEnded({ code, signal }: ExitReport): string {
  return signal === null ? `exit code ${code}` : signal
}
