/** What the loss of a worker that nobody had asked to leave is charged to: the reload, or its slot. */
import { backoffMs } from './backoff.ts'
import { patchSlot, slotAt } from './slots.ts'
import { isReady, isSpare } from './workers.ts'
import type { Failure, FailureCause, Reload, ReloadFailure, State, Worker } from './types.ts'

/** The longest wait after a fork that failed, while others serve. */
const SPAWN_AGAIN_MS = 2000

/** Records a failure. `chance` in [0, 1) feeds the jitter of the back-off. */
export function recordFailure(state: State, worker: Worker, failure: Failure, at: number, chance: number): State {
  if (isSpare(worker)) return chargeSpare(state, at, chance)
  const bootFailed = state.bootFailed || (worker.readyAt === undefined && failure.why !== 'spawn-failed')
  const noted: State = { ...patchSlot(state, worker.slot, { failed: true }), bootFailed, lastFailure: failure }
  const { reload } = noted
  if (reload?.direction !== 'forward' || worker.generation !== reload.to) return chargeSlot(noted, worker, failure, at, chance)
  if (isYoung(noted, worker, at) || reload.crashes >= noted.settings.maxFailures) return chargeReload(noted, reload, worker, failure)
  return chargeSlot({ ...noted, reload: { ...reload, crashes: reload.crashes + 1 } }, worker, failure, at, chance)
}

/** Nobody has lost anything: the next one boots with back-off, from the first failure on. */
function chargeSpare(state: State, at: number, chance: number): State {
  const failures = state.spare.failures + 1
  return { ...state, spare: { failures, respawnAt: at + backoffMs(failures + 1, state.settings, chance) } }
}

/** Has not been ready for as long as it must. */
export function isYoung(state: State, worker: Worker, at: number): boolean {
  return worker.readyAt === undefined || at - worker.readyAt < trialMs(state, worker)
}

/** How long it must stay ready to be proven: the first of a reload longer, if a canary was asked for. */
export function trialMs({ settings, reload }: State, worker: Worker): number {
  const isCanary = reload?.direction === 'forward' && !reload.proven && worker.generation === reload.to
  return isCanary ? Math.max(settings.provenMs, settings.canaryMs) : settings.provenMs
}

/** The slot goes on with the old generation, so its own record stays as it is. */
function chargeReload(state: State, reload: Reload, worker: Worker, failure: Failure): State {
  const first = reload.failure ?? { slot: worker.slot, id: worker.id, why: RELOAD_CAUSE[failure.why], exit: failure.exit, ...(failure.said === undefined ? {} : { said: failure.said }) }
  return { ...state, reload: { ...reload, failure: first } }
}

const RELOAD_CAUSE = {
  'boot-failure': 'boot-failure',
  'ready-timeout': 'ready-timeout',
  crash: 'died-young',
  'spawn-failed': 'spawn-failed',
} as const satisfies Record<FailureCause, ReloadFailure['why']>

function chargeSlot(state: State, worker: Worker, failure: Failure, at: number, chance: number): State {
  const slot = slotAt(state, worker.slot)
  const stable = worker.readyAt !== undefined && at - worker.readyAt >= state.settings.stableMs
  const failures = (stable ? 0 : slot.failures) + 1
  const noProcess = failure.why === 'spawn-failed'
  // The machine, not the app, is short of something: trying again at once makes it worse.
  const plainMs = backoffMs(noProcess ? failures + 1 : failures, state.settings, chance)
  // It may be back at any moment, and a fork that fails costs nearly nothing. With nobody ready each try counts for giving up.
  const delayMs = noProcess && state.workers.some(isReady) ? Math.min(plainMs, SPAWN_AGAIN_MS) : plainMs
  const restarts = noProcess ? slot.restarts : slot.restarts + 1
  return patchSlot(state, worker.slot, { failures, respawnAt: at + delayMs, restarts })
}
