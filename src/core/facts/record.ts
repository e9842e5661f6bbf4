import { assertNever } from '../../base/assert-never.ts'
import { quiet } from '../compose.ts'
import { recordExit, recordSpawnFailed } from './loss.ts'
import { recordClosed, recordOverweight, recordReady, recordRetireRequest, recordSpawned, recordStalled, recordUnfit, recordViolation, recordWaits, recordWorn } from './worker.ts'
import { recordReloadAbort, recordReloadRequest, recordRestartRequest, recordScale, recordStart, recordStop } from './request.ts'
import type { Event, State, Step } from '../types.ts'

/** Writes down what happened and tells the outside of it. Gives no orders: that is for the rules. */
export function record(state: State, event: Event): Step {
  switch (event.type) {
    case 'startRequested':
      return recordStart(state, event.at)
    case 'workerSpawned':
      return recordSpawned(state, event)
    case 'workerSpawnFailed':
      return recordSpawnFailed(state, event)
    case 'workerReady':
      return recordReady(state, event)
    case 'workerWaits':
      return recordWaits(state, event)
    case 'workerExited':
      return recordExit(state, event)
    case 'workerRetireRequested':
      return recordRetireRequest(state, event)
    case 'workerClosed':
      return recordClosed(state, event)
    case 'workerViolated':
      return recordViolation(state, event)
    case 'workerStalled':
      return recordStalled(state, event)
    case 'workerWorn':
      return recordWorn(state, event)
    case 'workerOverweight':
      return recordOverweight(state, event)
    case 'workerUnfit':
      return recordUnfit(state, event)
    case 'scaleRequested':
      return recordScale(state, event.size)
    case 'reloadRequested':
      return recordReloadRequest(state)
    case 'reloadAbortRequested':
      return recordReloadAbort(state)
    case 'restartRequested':
      return recordRestartRequest(state)
    case 'stopRequested':
      return recordStop(state, event)
    case 'timePassed':
      return quiet(state)
    default:
      return assertNever(event)
  }
}
