/** Asks the supervisor of an app. The other side is `server.ts`. */
import { request, type IncomingMessage } from 'node:http'
import { ERROR_CODES, EverycoreError, type ErrorCode } from '../base/errors.ts'
import type { ControlEvent, ReloadResult, ScaleResult, StatusReport, StopResult } from '../protocol/control.ts'
import { methodOf, type MethodName } from './methods.ts'
import { readEvents, type ReadEvent } from './read-events.ts'

/** What each method answers. */
export interface Answers {
  readonly status: StatusReport
  readonly reload: ReloadResult
  readonly abortReload: object
  readonly restart: ReloadResult
  readonly scale: ScaleResult
  readonly stop: StopResult
}

/** What a supervisor that lives answers within, on any machine. */
const PATIENCE_MS = 10_000
/** A supervisor that is asked for a stream says at least that it lives, every 15 s. */
const SILENCE_MS = 60_000
/** More than any answer that is no stream. */
const ANSWER_BYTES = 16 * 1024 * 1024

/**
 * Asks once, and waits for the answer.
 *
 * @throws EverycoreError ERR_EVERYCORE_NOT_RUNNING when nobody listens, ERR_EVERYCORE_CONTROL when there is no way to it or no answer, or the error that was answered
 */
export async function call<Name extends keyof Answers>(socketPath: string, name: Name, body: object = {}, patienceMs = PATIENCE_MS): Promise<Answers[Name]> {
  const response = await send(socketPath, name, body, 'application/json', patienceMs)
  const value = parse(await textOf(response))
  if ((response.statusCode ?? 0) >= 400) throw errorOf(value)
  // What a supervisor of the same user says is believed; every method has one type of answer.
  return value as Answers[Name]
}

/**
 * Asks for a stream, and calls for each event until it ends.
 *
 * @param signal ends it from our side, with an error
 *
 * @returns the result; undefined when the stream ended without one
 * @throws EverycoreError as {@link call}
 */
export async function follow<Name extends MethodName>(socketPath: string, name: Name, body: object, onEvent: (event: ControlEvent) => void, signal?: AbortSignal): Promise<(Name extends keyof Answers ? Answers[Name] : object) | undefined> {
  const response = await send(socketPath, name, body, 'text/event-stream', SILENCE_MS, { signal })
  if ((response.statusCode ?? 0) >= 400) throw errorOf(parse(await textOf(response)))
  let result: unknown
  try {
    for await (const { name: event, data } of readEvents(response)) {
      if (event === 'error') throw errorOf(parse(data))
      if (event === 'result') result = parse(data)
      else onEvent({ type: event, at: '', ...parse(data) })
    }
  } catch (error) {
    if (error instanceof EverycoreError) throw error
    throw unreachable(socketPath, error)
  }
  return result as Awaited<ReturnType<typeof follow<Name>>>
}

/**
 * Asks for a stream, and gives its events one by one: the next is read when it is asked for, so that a slow reader slows down
 * nobody but itself.
 *
 * @throws EverycoreError as {@link call}
 */
export async function* watch(socketPath: string, name: MethodName, query: URLSearchParams, signal: AbortSignal): AsyncGenerator<ReadEvent> {
  const response = await send(socketPath, name, {}, 'text/event-stream', SILENCE_MS, { query, signal })
  if ((response.statusCode ?? 0) >= 400) throw errorOf(parse(await textOf(response)))
  try {
    yield* readEvents(response)
  } catch (error) {
    throw error instanceof EverycoreError ? error : unreachable(socketPath, error)
  } finally {
    response.destroy()
  }
}

async function send(socketPath: string, name: MethodName, body: object, accept: string, silenceMs: number, { query, signal }: { readonly query?: URLSearchParams; readonly signal?: AbortSignal | undefined } = {}): Promise<IncomingMessage> {
  const { verb: method, path: page } = methodOf(name)
  const path = query === undefined || query.size === 0 ? page : `${page}?${query.toString()}`
  const text = method === 'POST' ? JSON.stringify(body) : ''
  const headers = { host: 'localhost', accept, ...(method === 'POST' && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }) }
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, headers, agent: false, ...(signal !== undefined && { signal }) }, resolve)
    asked.setTimeout(silenceMs, () => asked.destroy(new Error(`no answer within ${silenceMs / 1000} s`)))
    asked.on('error', (error) => reject(unreachable(socketPath, error)))
    asked.end(text)
  })
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > ANSWER_BYTES) throw new EverycoreError('ERR_EVERYCORE_CONTROL', 'the answer is too long')
  }
  return text
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Told below.
  }
  throw new EverycoreError('ERR_EVERYCORE_CONTROL', 'what answered is no everycore', { why: `it said ${JSON.stringify(text.slice(0, 60))}` })
}

function errorOf({ error }: Readonly<Record<string, unknown>>): EverycoreError {
  const { code, message, why, hint, lastLines } = (error ?? {}) as Readonly<Record<string, unknown>>
  const known: ErrorCode = typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'ERR_EVERYCORE_CONTROL'
  const lines = Array.isArray(lastLines) ? lastLines.map(String) : []
  return new EverycoreError(known, String(message), { ...(typeof why === 'string' && { why }), ...(typeof hint === 'string' && { hint }), lastLines: lines })
}

function unreachable(socketPath: string, error: unknown): EverycoreError {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return new EverycoreError('ERR_EVERYCORE_NOT_RUNNING', 'the app does not run', { why: `nobody listens on ${socketPath}`, cause: error })
  const isForbidden = code === 'EACCES' || code === 'EPERM'
  const hint = isForbidden ? 'run it as the user who started the app, or as root' : 'the log of the supervisor may tell more'
  return new EverycoreError('ERR_EVERYCORE_CONTROL', `the control socket ${isForbidden ? 'is not for this user' : 'gives no answer'}`, { why: `${socketPath}: ${message}`, hint, cause: error })
}
