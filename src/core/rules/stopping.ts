import { announce, forEach, quiet } from '../compose.ts'
import { orderDrain, orderKill } from '../orders.ts'
import type { Effect, State, Step } from '../types.ts'

/** A stop is told at once; when its time has come it gives up the sockets, answers whoever waits for a reload, and sends all workers away. */
export function stopping(state: State, at: number): Step {
  if ((state.stop === undefined && state.stopDue === undefined) || state.phase === 'stopped') return quiet(state)
  const entered = state.phase === 'stopping' ? begin(state, at) : enter(state, at)
  const { stop } = entered.state
  if (stop === undefined) return entered
  const answered = answerReloads(entered.state)
  const sent = forEach(answered.state, answered.state.workers, (current, worker) =>
    stop.how === 'now' ? orderKill(current, worker, 'stop-now', at) : orderDrain(current, worker, 'stop', at),
  )
  return { state: sent.state, effects: [...entered.effects, ...answered.effects, ...sent.effects] }
}

const AS_ASKED = { how: 'graceful', outcome: { name: 'stopped' } } as const

function enter(state: State, at: number): Step {
  const { stop, stopDue } = state
  return {
    state: { ...state, phase: 'stopping' },
    effects: [
      announce({ type: 'primary:stopping', ...(stop ?? AS_ASKED), inMs: (stopDue?.at ?? at) - at }),
      ...(stop === undefined ? [] : [{ type: 'releaseSockets' } as const]),
      announce({ type: 'primary:phase', phase: 'stopping' }),
    ],
  }
}

/** The time has come, or somebody could not wait for it. */
function begin(state: State, at: number): Step {
  const { stop, stopDue } = state
  if (stopDue === undefined || (stop === undefined && stopDue.at > at)) return quiet(state)
  return { state: { ...state, stop: stop ?? AS_ASKED, stopDue: undefined }, effects: [{ type: 'releaseSockets' }] }
}

/** One answer for the reload under way, one for the requests that wait. */
function answerReloads(state: State): Step {
  if (state.reload === undefined && !state.reloadQueued) return quiet(state)
  const underWay = state.reload?.direction === 'forward'
  const owed = (underWay ? 1 : 0) + (state.reloadQueued ? 1 : 0)
  const answer: Effect = announce({
    type: 'reload:aborted',
    generation: state.generation,
    failure: { slot: 0, id: undefined, why: 'stopped', exit: undefined },
  })
  return { state: { ...state, reload: undefined, reloadQueued: false }, effects: Array.from({ length: owed }, () => answer) }
}
