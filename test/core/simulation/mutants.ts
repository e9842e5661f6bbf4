/** Supervisors with one defect each. The simulation must notice every one of them. */
import { bootBudget, bootWishes } from '../../../src/core/boots.ts'
import { createStep } from '../../../src/core/step.ts'
import { forEach, quiet } from '../../../src/core/compose.ts'
import { isHopeless } from '../../../src/core/hopeless.ts'
import { orderDrain, orderKill, orderSeat, orderSpawn } from '../../../src/core/orders.ts'
import { record } from '../../../src/core/facts/record.ts'
import { beginRestart } from '../../../src/core/rules/begin-restart.ts'
import { finishRestart } from '../../../src/core/rules/finish-restart.ts'
import { beginReload } from '../../../src/core/rules/begin-reload.ts'
import { boot } from '../../../src/core/rules/boot.ts'
import { deadlines } from '../../../src/core/rules/deadlines.ts'
import { finish } from '../../../src/core/rules/finish.ts'
import { finishReload } from '../../../src/core/rules/finish-reload.ts'
import { freeSockets } from '../../../src/core/rules/free-sockets.ts'
import { giveUp } from '../../../src/core/rules/give-up.ts'
import { RULES } from '../../../src/core/rules/index.ts'
import { phase } from '../../../src/core/rules/phase.ts'
import { prove } from '../../../src/core/rules/prove.ts'
import { renew } from '../../../src/core/rules/renew.ts'
import { dismissSpares } from '../../../src/core/rules/dismiss-spares.ts'
import { seat } from '../../../src/core/rules/seat.ts'
import { shrink } from '../../../src/core/rules/shrink.ts'
import { makeRoom } from '../../../src/core/rules/make-room.ts'
import { stopping } from '../../../src/core/rules/stopping.ts'
import { swap } from '../../../src/core/rules/swap.ts'
import { turnBack } from '../../../src/core/rules/turn-back.ts'
import { isLive, isProven, isReady } from '../../../src/core/workers.ts'
import { wakeAt } from '../../../src/core/wake-at.ts'
import type { Rule } from '../../../src/core/compose.ts'
import type { StepFunction } from '../../../src/core/step.ts'
import type { CoreSettings, Effect, State, Step, WorkerPhase } from '../../../src/core/types.ts'
import type { Machine } from './machine.ts'

export interface Mutant {
  readonly name: string
  readonly machine: Machine
}

function without(name: string, rule: Rule): Mutant {
  return { name, machine: { step: createStep(record, RULES.filter((other) => other !== rule)), wakeAt } }
}

function instead(name: string, rule: Rule, broken: Rule): Mutant {
  return { name, machine: { step: createStep(record, RULES.map((other) => (other === rule ? broken : other))), wakeAt } }
}

function recording(name: string, broken: StepFunction): Mutant {
  return { name, machine: { step: createStep(broken, RULES), wakeAt } }
}

function waking(name: string, broken: Machine['wakeAt']): Mutant {
  return { name, machine: { step: createStep(record, RULES), wakeAt: broken } }
}

/** Runs a part with other settings and puts the true ones back. */
function pretend(state: State, lie: Partial<CoreSettings>, part: (state: State) => Step): Step {
  const lied = { ...state, settings: { ...state.settings, ...lie } }
  const result = part(lied)
  if (result.state === lied) return { ...result, state }
  return { ...result, state: { ...result.state, settings: state.settings } }
}

function killOverdue(which: WorkerPhase['name']): Rule {
  return (state, at) =>
    forEach(state, state.workers, (current, worker) => {
      const { phase: now } = worker
      if (now.name !== which || !('deadline' in now) || now.deadline === undefined || now.deadline > at) return quiet(current)
      return orderKill(current, worker, now.name === 'booting' ? 'ready-timeout' : 'drain-timeout', at)
    })
}

function effectsOf(rule: Rule, keep: (effect: Effect, index: number, all: readonly Effect[]) => boolean): Rule {
  return (state, at) => {
    const result = rule(state, at)
    return { ...result, effects: result.effects.filter(keep) }
  }
}

function onlyTimes(keep: (state: State) => State): Machine['wakeAt'] {
  return (state, now) => wakeAt(keep(state), now)
}

const killTwice: Rule = (state, at) => {
  const result = deadlines(state, at)
  return { ...result, effects: result.effects.flatMap((effect): readonly Effect[] => (effect.type === 'killWorker' ? [effect, effect] : [effect])) }
}

const bootAll: Rule = (state, at) =>
  forEach(state, bootWishes(state).filter((wish) => wish.notBefore <= at), (current, wish) => orderSpawn(current, wish.slot, wish.generation, at))

const bootTwice: Rule = (state, at) =>
  forEach(state, bootWishes(state).filter((wish) => wish.notBefore <= at).slice(0, bootBudget(state)), (current, wish) => {
    const first = orderSpawn(current, wish.slot, wish.generation, at)
    const second = orderSpawn(first.state, wish.slot, wish.generation, at)
    return { state: second.state, effects: [...first.effects, ...second.effects] }
  })

/** Now and then; always, it would never come to rest. */
const bootNewest: Rule = (state, at) =>
  forEach(state, bootWishes(state).filter((wish) => wish.notBefore <= at).slice(0, bootBudget(state)), (current, wish) =>
    orderSpawn(current, wish.slot, current.reload?.direction === 'back' && wish.slot !== -1 && current.nextWorkerId % 2 === 0 ? current.reload.to : wish.generation, at),
  )

const noBackoff: StepFunction = (state, event) => {
  const result = record(state, event)
  return { ...result, state: { ...result.state, slots: result.state.slots.map((slot) => ({ ...slot, respawnAt: 0 })) } }
}

const swapUnready: Rule = (state, at) => {
  const doubled = state.workers.filter((old) => isLive(old) && state.workers.some((heir) => heir.slot === old.slot && heir.generation > old.generation && isLive(heir)))
  return state.reload?.direction === 'forward' ? forEach(state, doubled, (current, worker) => orderDrain(current, worker, 'reload', at)) : swap(state, at)
}

const renewFirst: Rule = (state, at) => {
  const worn = state.workers.filter((worker) => worker.worn !== undefined && isReady(worker))
  return state.stop === undefined && state.reload === undefined ? forEach(state, worn, (current, worker) => orderDrain(current, worker, 'recycle', at)) : quiet(state)
}

const renewAll: Rule = (state, at) => {
  const worn = state.workers.filter((worker) => worker.worn !== undefined && isReady(worker) && !state.workers.some((other) => other.slot === worker.slot && other.id > worker.id))
  if (state.stop !== undefined || state.reload !== undefined) return boot(state, at)
  return forEach(state, worn.slice(0, bootBudget(state)), (current, worker) => orderSpawn(current, worker.slot, current.generation, at))
}

const seatAny: Rule = (state, at) => {
  const spare = state.workers.find((worker) => worker.phase.name === 'spare')
  const wish = bootWishes(state).find(({ slot, notBefore }) => slot !== -1 && notBefore <= at)
  return spare === undefined || wish === undefined ? quiet(state) : orderSeat(state, spare, wish.slot, at)
}

const shrinkLowest: Rule = (state, at) => {
  const surplus = state.workers.filter((worker) => worker.slot >= state.size && isLive(worker)).length
  const lowest = state.workers.filter((worker) => isLive(worker)).slice(0, surplus)
  return state.stop === undefined ? forEach(state, lowest, (current, worker) => orderDrain(current, worker, 'scale', at)) : quiet(state)
}

const finishEarly: Rule = (state) => {
  const rest = state.workers.filter((worker) => worker.phase.name !== 'draining')
  return state.stop !== undefined && rest.length === 0 && state.workers.length > 0 ? finish({ ...state, workers: [] }) : finish(state)
}

const giveUpThoughServed: Rule = (state, at) => {
  const result = giveUp({ ...state, workers: [] }, at)
  return result.state.stop === state.stop ? quiet(state) : { ...result, state: { ...result.state, workers: state.workers } }
}

const giveUpEarly: Rule = (state, at) => {
  const serving = state.workers.filter((worker) => worker.phase.name !== 'booting')
  return isHopeless({ ...state, workers: serving }) ? giveUpThoughServed(state, at) : quiet(state)
}

const carryOn: StepFunction = (state, event) => {
  const result = record(state, event)
  const { reload } = result.state
  return reload?.failure === undefined || reload.direction === 'back' ? result : { ...result, state: { ...result.state, reload: { ...reload, failure: undefined } } }
}

const revive: StepFunction = (state, event) => {
  const { state: next, effects } = record(state, event)
  if (event.type !== 'workerReady') return { state: next, effects }
  const ready: WorkerPhase = { name: 'ready', since: event.at, proven: false }
  const workers = next.workers.map((worker) => (worker.id === event.id && worker.phase.name === 'draining' ? { ...worker, phase: ready } : worker))
  return { state: { ...next, workers }, effects }
}

const blame = (result: Step): Step => ({ ...result, state: { ...result.state, slots: result.state.slots.map((slot) => ({ ...slot, failed: slot.failed || slot.failures > 0 })) } })

const ignoreSpawnFailure: StepFunction = (state, event) => {
  if (event.type !== 'workerSpawnFailed') return record(state, event)
  return quiet({ ...state, workers: state.workers.filter((worker) => worker.id !== event.id) })
}

const callKilled: StepFunction = (state, event) => {
  const result = record(state, event)
  const target = state.workers.find((worker) => event.type === 'workerExited' && worker.id === event.id)
  if (target?.phase.name !== 'killed') return result
  const { reason } = target.phase
  return {
    ...result,
    effects: result.effects.map((effect) =>
      effect.type === 'announce' && effect.notice.type === 'worker:exited' ? { ...effect, notice: { ...effect.notice, kind: 'killed', killReason: reason } } : effect,
    ),
  }
}

const leaveTheDead: StepFunction = (state, event) => {
  const result = record(state, event)
  const ghost = state.workers.find((worker) => event.type === 'workerExited' && worker.id === event.id && worker.phase.name === 'draining')
  return ghost === undefined ? result : { ...result, state: { ...result.state, workers: [...result.state.workers, ghost] } }
}

const rollbackForgotten: Rule = (state, at) => (state.reload?.direction === 'back' ? quiet({ ...state, reload: undefined }) : finishReload(state, at))

const finishUnproven: Rule = (state, at) => {
  const { reload } = state
  const sure = reload !== undefined && state.workers.some((worker) => worker.generation === reload.to && isProven(worker))
  if (!sure || reload.direction === 'back') return finishReload(state, at)
  return { state: { ...state, reload: undefined, generation: reload.to }, effects: [{ type: 'announce', notice: { type: 'reload:finished', generation: reload.to, tookMs: 0 } }] }
}

const finishThoughOpen: Rule = (state, at) => {
  const blind = { ...state, workers: state.workers.filter(({ phase: { name } }) => name !== 'draining') }
  const result = finishReload(blind, at)
  return result.state === blind ? quiet(state) : { ...result, state: { ...result.state, workers: state.workers } }
}

const beginTwice: Rule = (state, at) => {
  const begun = beginReload({ ...state, reload: undefined }, at)
  return begun.effects.length === 0 ? quiet(state) : begun
}

const freeEarly: Rule = (state) => (state.socketsInDoubt && state.everReady && state.stop === undefined ? { state: { ...state, socketsInDoubt: false }, effects: [{ type: 'releaseUnusedSockets' }] } : quiet(state))

/** As if the old workers had left already. */
const bootBeside: Rule = (state, at) => {
  if (state.restart === undefined) return boot(state, at)
  const { restart } = state
  const result = boot({ ...state, restart: undefined }, at)
  return result.effects.length === 0 ? quiet(state) : { ...result, state: { ...result.state, restart } }
}

const restartTheFirst: Rule = (state, at) => {
  const begun = beginRestart(state, at)
  if (begun.state === state) return quiet(state)
  const [first] = begun.effects.filter(({ type }) => type === 'drainWorker')
  const isKept = (id: number): boolean => first?.type !== 'drainWorker' || first.id === id
  const workers = begun.state.workers.map((worker) => (isKept(worker.id) ? worker : (state.workers.find(({ id }) => id === worker.id) ?? worker)))
  return { state: { ...begun.state, workers }, effects: begun.effects.filter((effect) => effect.type !== 'drainWorker' || isKept(effect.id)) }
}

const restartMeanwhile: Rule = (state, at) => {
  const begun = beginRestart({ ...state, reload: undefined }, at)
  return begun.effects.length === 0 ? quiet(state) : begun
}

const finishRestartEarly: Rule = (state, at) => {
  const { restart } = state
  if (restart === undefined || !state.workers.some((worker) => worker.generation === restart.to && isReady(worker))) return finishRestart(state, at)
  return { state: { ...state, restart: undefined }, effects: [{ type: 'announce', notice: { type: 'restart:finished', generation: restart.to, tookMs: 0 } }] }
}

const keepGoing: StepFunction = (state, event) => (event.type === 'reloadAbortRequested' ? quiet(state) : record(state, event))

const dropUnanswered: StepFunction = (state, event) => {
  const result = record(state, event)
  return event.type === 'reloadAbortRequested' ? { ...result, effects: [] } : result
}

const isAbort = (effect: Effect): boolean => effect.type === 'announce' && effect.notice.type === 'reload:aborted'

export const MUTANTS: readonly Mutant[] = [
  instead('forgets the drain deadline', deadlines, killOverdue('booting')),
  instead('forgets the ready deadline', deadlines, killOverdue('draining')),
  instead('kills twice', deadlines, killTwice),
  instead('boots all at once', boot, bootAll),
  instead('boots twice', boot, bootTwice),
  instead('boots the newest code during a rollback', boot, bootNewest),
  recording('knows no back-off', noBackoff),
  recording('never resets the failures', (state, event) => pretend(state, { stableMs: Number.POSITIVE_INFINITY }, (lied) => record(lied, event))),
  recording('backs off by half', (state, event) =>
    pretend(state, { backoff: { ...state.settings.backoff, baseMs: state.settings.backoff.baseMs / 2 } }, (lied) => record(lied, event)),
  ),
  recording('takes a spawn failure for nothing', ignoreSpawnFailure),
  instead('gives up while one serves', giveUp, giveUpThoughServed),
  instead('gives up while one boots', giveUp, giveUpEarly),
  without('never gives up', giveUp),
  instead('takes ready for proven', prove, (state, at) => pretend(state, { provenMs: 0 }, (lied) => prove(lied, at))),
  instead('drains the old before the new is ready', swap, swapUnready),
  without('never drains the old', swap),
  without('keeps two old workers in a slot', makeRoom),
  without('does not turn back', turnBack),
  recording('goes on after a failed reload', carryOn),
  instead('does not answer a failed reload', turnBack, effectsOf(turnBack, (effect) => !isAbort(effect))),
  instead('forgets the rollback', finishReload, rollbackForgotten),
  instead('calls a reload done after the first slot', finishReload, finishUnproven),
  instead('lets any number of generations drain', beginReload, (state, at) => pretend(state, { maxDraining: Infinity }, (lied) => beginReload(lied, at))),
  instead('knows no canary', prove, (state, at) => pretend(state, { canaryMs: 0 }, (lied) => prove(lied, at))),
  instead('replaces more than the surge allows', boot, (state, at) => pretend(state, { surge: { percent: 100 } }, (lied) => boot(lied, at))),
  instead('tells a success while old workers accept', finishReload, finishThoughOpen),
  instead('begins a reload during a reload', beginReload, beginTwice),
  without('forgets that a reload was asked for', beginReload),
  without('never lets go who has reached a limit', renew),
  instead('recycles without a replacement', renew, renewFirst),
  instead('recycles all at once', boot, renewAll),
  without('keeps spares of old code', dismissSpares),
  instead('seats a spare of any generation', seat, seatAny),
  instead('drains the wrong slots', shrink, shrinkLowest),
  without('forgets to scale down', shrink),
  instead('finishes though some still drain', finish, finishEarly),
  instead('answers one of two reloads at the stop', stopping, effectsOf(stopping, (effect, index, all) => !isAbort(effect) || all.findIndex(isAbort) === index)),
  without('does not say how it is', phase),
  without('forgets that a restart was asked for', beginRestart),
  without('never ends a restart', finishRestart),
  instead('boots beside the old workers in a restart', boot, bootBeside),
  instead('restarts one worker and forgets the others', beginRestart, restartTheFirst),
  instead('calls a restart done after the first slot', finishRestart, finishRestartEarly),
  instead('begins a restart during a reload', beginRestart, restartMeanwhile),
  recording('does not abort a reload that nobody wants', keepGoing),
  recording('drops a reload that waits, without a word', dropUnanswered),
  without('holds for ever what nobody uses', freeSockets),
  instead('gives up sockets before all slots serve', freeSockets, freeEarly),
  instead('gives up sockets in the middle of a reload', freeSockets, (state) => freeSockets({ ...state, reload: undefined }).effects.length === 0 ? quiet(state) : { ...freeSockets({ ...state, reload: undefined }), state: { ...state, socketsInDoubt: false } }),
  recording('takes a wish for a failure', (state, event) => blame(record(state, event))),
  recording('takes a late ready for a return', revive),
  recording('calls killed who had gone by itself', callKilled),
  recording('keeps the dead', leaveTheDead),
  waking('sleeps through the back-off', onlyTimes((state) => ({ ...state, settings: { ...state.settings, bootParallel: 0 } }))),
  waking('sleeps through the proof', onlyTimes((state) => ({ ...state, reload: undefined }))),
  waking('sleeps through the deadlines', onlyTimes((state) => ({ ...state, workers: state.workers.filter((worker) => worker.phase.name !== 'draining') }))),
  waking('sleeps through the delay of a stop', onlyTimes((state) => ({ ...state, stopDue: undefined }))),
  recording('does not wait with a stop', (state, event) => record(state, event.type === 'stopRequested' ? { ...event, delayMs: 0 } : event)),
  recording('waits for ever with a stop', (state, event) => record(state, event.type === 'stopRequested' && (event.delayMs ?? 0) > 0 ? { ...event, delayMs: 1_000_000 } : event)),
  instead('forgets the sockets when it stops later', stopping, (state, at) => {
    const result = stopping(state, at)
    return state.stopDue === undefined ? result : { ...result, effects: result.effects.filter(({ type }) => type !== 'releaseSockets') }
  }),
  instead('brings nobody back while it waits with a stop', boot, (state, at) => (state.stopDue === undefined ? boot(state, at) : quiet(state))),
  waking('wakes all the time', (_, now) => now),
]
