import { announce, forEach, quiet } from '../compose.ts'
import { orderDrain, orderKill } from '../orders.ts'
import type { Effect, State, Step } from '../types.ts'

/** A stop gives up the sockets, answers whoever waits for a reload, and sends all workers away. */
export function stopping(state: State, at: number): Step {
  const { stop } = state
  if (stop === undefined || state.phase === 'stopped') return quiet(state)
  const entered = state.phase === 'stopping' ? quiet(state) : enter(state, stop)
  const answered = answerReloads(entered.state)
  const sent = forEach(answered.state, answered.state.workers, (current, worker) =>
    stop.how === 'now' ? orderKill(current, worker, 'stop-now', at) : orderDrain(current, worker, 'stop', at),
  )
  return { state: sent.state, effects: [...entered.effects, ...answered.effects, ...sent.effects] }
}

function enter(state: State, stop: NonNullable<State['stop']>): Step {
  return {
    state: { ...state, phase: 'stopping' },
    effects: [
      announce({ type: 'primary:stopping', ...stop }),
      { type: 'releaseSockets' },
      announce({ type: 'primary:phase', phase: 'stopping' }),
    ],
  }
}

/** One answer for the reload under way, one for the requests that wait. */
function answerReloads(state: State): Step {
  if (state.reload === undefined && !state.reloadQueued) return quiet(state)
  const underWay = state.reload?.direction === 'forward'
  const owed = (underWay ? 1 : 0) + (state.reloadQueued ? 1 : 0)
  const answer: Effect = announce({
    type: 'reload:aborted',
    generation: state.generation,
    failure: { slot: 0, why: 'stopped', exit: undefined },
  })
  return { state: { ...state, reload: undefined, reloadQueued: false }, effects: Array.from({ length: owed }, () => answer) }
}
