/** Messages between the program that supervises and the app in its workers. The worker's end is `worker/app-messages.ts`. */
import { EverycoreError } from '../base/errors.ts'
import type { WorkerProcess } from './worker-process.ts'

/** @throws EverycoreError ERR_EVERYCORE_MESSAGE when JSON cannot hold the message */
export function writeMessage(message: unknown): string {
  let body: string | undefined
  try {
    body = JSON.stringify(message)
  } catch (cause) {
    throw new EverycoreError('ERR_EVERYCORE_MESSAGE', 'the message cannot be written as JSON', { cause })
  }
  if (body === undefined) throw new EverycoreError('ERR_EVERYCORE_MESSAGE', 'the message cannot be written as JSON', { why: `it is of type ${typeof message}` })
  return body
}

/** @throws EverycoreError ERR_EVERYCORE_MESSAGE when there is no worker, when it does not read, or when the message is too large */
export function sendTo(slot: number, worker: WorkerProcess | undefined, message: unknown): void {
  if (worker === undefined) throw new EverycoreError('ERR_EVERYCORE_MESSAGE', `no worker serves in slot ${slot}`, { hint: 'listen for worker:ready before sending' })
  if (worker.sendApp(writeMessage(message))) return
  throw new EverycoreError('ERR_EVERYCORE_MESSAGE', `the message to slot ${slot} could not be queued`, { why: 'it is larger than 1 MiB, or the worker does not read its messages' })
}

/** Undefined for what is no JSON. */
export function readMessage(body: string): { readonly message: unknown } | undefined {
  try {
    return { message: JSON.parse(body) as unknown }
  } catch {
    return undefined
  }
}
