/** Errors on their way to a client. */
import { ERROR_CODES, EverycoreError, type ErrorCode } from '../base/errors.ts'
import type { ControlError } from '../protocol/control.ts'

/** HTTP status by error code; what is not here is a defect of ours or has happened in the middle of the work. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_EVERYCORE_REQUEST: 400,
  ERR_EVERYCORE_SETTING: 400,
  ERR_EVERYCORE_STATE: 409,
  ERR_EVERYCORE_RELOAD: 409,
  ERR_EVERYCORE_DIAGNOSIS: 409,
}

/** An error that a client gets, and the status it gets it with. */
export interface Answer {
  readonly status: number
  readonly body: ControlError
}

/** Reads anything that was thrown. By its shape: the class is another one in each bundle. */
export function answerTo(error: unknown): Answer {
  const { code, message, why, hint, lastLines } = error as Partial<EverycoreError>
  if (code === undefined || !Object.hasOwn(ERROR_CODES, code)) return failure(500, new EverycoreError('ERR_EVERYCORE_INTERNAL', 'internal error', { why: String(message ?? error) }))
  const body = { code, message: message ?? '', why: why ?? null, hint: hint ?? null, ...(lastLines !== undefined && lastLines.length > 0 && { lastLines }) }
  return { status: STATUS[code] ?? 500, body: { error: body } }
}

/** An error with a status of its own. */
export function failure(status: number, { code, message, why, hint }: EverycoreError): Answer {
  return { status, body: { error: { code, message, why: why ?? null, hint: hint ?? null } } }
}

/** A request that is wrong. */
export function refusal(status: number, message: string, hint?: string): Answer {
  return failure(status, new EverycoreError('ERR_EVERYCORE_REQUEST', message, hint === undefined ? {} : { hint }))
}
