/** Turns the end of a run into the error that a person reads: what, why, what to do. */
import { relative } from 'node:path'
import { EverycoreError } from '../base/errors.ts'
import { formatDuration } from '../base/units.ts'
import type { ExitReport, Outcome, ReportedError } from '../core/types.ts'
import { findHolder, type PortHolder } from '../listen/primary/port-holder.ts'

/** What the shell knows about the failure besides the outcome. */
export interface FailureContext {
  /** Path of the script; told relative to the working directory where that is shorter. */
  readonly script: string
  readonly readyTimeoutMs: number
  readonly waitReady: boolean
  /** The last listen() that failed, with what it asked for. */
  readonly listenFailure: { readonly code: string; readonly address: string | null; readonly port: number | null } | undefined
  /** A server was listening when the run failed. */
  readonly listened: boolean
}

type Failed = Extract<Outcome, { readonly name: 'failed' }>

/** Undefined when the run ended as asked. */
export async function failureOf(outcome: Outcome, known: FailureContext): Promise<EverycoreError | undefined> {
  if (outcome.name !== 'failed') return undefined
  const script = asTyped(known.script)
  const context = { ...known, script }
  if (outcome.everReady) {
    return neverReady(`no worker of ${script} could be kept`, `each ended several times in a row; the last one ${howEnded(outcome.last)}`, 'the lines above are its last words; everycore gives up only when no worker serves any more')
  }
  if (outcome.why === 'spawn-failed') {
    return neverReady('no worker process could be started', `fork failed${outcome.last?.error?.code === undefined ? '' : ` with ${outcome.last.error.code}`}`, 'look at the limits for processes, descriptors and memory: ulimit -a')
  }
  if (outcome.why === 'ready-timeout') return timeoutError(context)
  const error = outcome.last?.error
  if (error !== undefined && isListenError(error)) return listenError(error, context)
  if (error !== undefined) return thrownError(error, script)
  return endedError(outcome, script)
}

/** A path as a person would write it. */
function asTyped(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' || short.startsWith('..') ? path : short
}

function neverReady(message: string, why: string, hint: string): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_NEVER_READY', message, { why, hint })
}

function timeoutError({ script, readyTimeoutMs, waitReady, listened }: FailureContext): EverycoreError {
  const message = `${script} was not ready within ${formatDuration(readyTimeoutMs)}`
  if (waitReady) {
    const why = listened ? 'it listens, but it has not said that it is ready' : 'it neither listens nor said that it is ready'
    return neverReady(message, why, `call ready() from 'everycore/worker' or process.send('ready'), or leave --wait-ready off; --ready-timeout gives it more time`)
  }
  return neverReady(message, 'it runs, but no server of it listens', `a worker without a server says ready() from 'everycore/worker'; --ready-timeout gives a slow start more time`)
}

function thrownError(error: ReportedError, script: string): EverycoreError {
  const loading = error.loading ?? error.syscall === undefined
  const why = `${error.name}: ${error.message.split('\n')[0] ?? ''}${whereFrom(error)}`
  const hint = 'the lines above are what it printed; `node ' + script + '` shows the same without everycore'
  return loading
    ? new EverycoreError('ERR_EVERYCORE_LOAD', `${script} could not be loaded`, { why, hint })
    : neverReady(`${script} failed before it was ready`, why, hint)
}

/** First frame of the stack that is a file of the user's. */
function whereFrom({ stack }: ReportedError): string {
  const frame = stack.split('\n').find((line) => /\(?(?:file:\/\/)?\/.*:\d+/.test(line) && !line.includes('node:'))
  const place = frame === undefined ? undefined : /(?:file:\/\/)?(\/[^()]*?:\d+(?::\d+)?)\)?\s*$/.exec(frame.trim())?.[1]
  return place === undefined ? '' : ` (${place})`
}

function endedError(outcome: Failed, script: string): EverycoreError {
  const exit = outcome.last
  const message = `${script} ended before it was ready`
  if (exit?.code === 0) {
    return neverReady(message, 'it exited with code 0: nothing kept it running', `a server keeps its process alive by listening; is this the right script?`)
  }
  return neverReady(message, `it ${howEnded(exit)}`, 'the lines above are what it printed; `node ' + script + '` shows the same without everycore')
}

function howEnded(exit: ExitReport | undefined): string {
  if (exit === undefined) return 'ended'
  if (exit.error !== undefined) return `threw ${exit.error.name}: ${exit.error.message.split('\n')[0] ?? ''}${whereFrom(exit.error)}`
  return exit.signal === null ? `exited with code ${exit.code}` : `was ended by ${exit.signal}`
}

function isListenError({ syscall, code }: ReportedError): boolean {
  return (syscall === 'listen' || syscall === 'bind') && code !== undefined
}

async function listenError(error: ReportedError, { listenFailure, script }: FailureContext): Promise<EverycoreError> {
  const port = error.port ?? listenFailure?.port ?? undefined
  const address = error.address ?? listenFailure?.address ?? undefined
  const isPath = port === undefined || port < 0
  const place = isPath ? (address ?? 'its address') : `port ${port}`
  if (error.code === 'EADDRINUSE') {
    const holder = await findHolder(isPath ? { path: address ?? '' } : { port })
    return neverReady(`${place} is already in use`, holderText(holder), isPath ? 'stop that process, or listen on another path' : 'stop that process, or choose another port, for instance with --port if the app reads PORT')
  }
  if (error.code === 'EACCES') {
    const why = isPath ? 'the directory does not let this user create a socket there' : 'ports below 1024 belong to root on this system'
    const hint = isPath ? 'check owner and mode of the directory' : 'choose a port from 1024 up behind a proxy, or allow it: CAP_NET_BIND_SERVICE, or sysctl net.ipv4.ip_unprivileged_port_start'
    return neverReady(`no permission to listen on ${place}`, why, hint)
  }
  return neverReady(`${script} could not listen on ${place}`, `${error.name}: ${error.message}`, 'check the address that the app listens on')
}

function holderText(holder: PortHolder | undefined): string {
  if (holder === undefined) return 'another process listens there; which one this user may not see'
  return `process ${holder.pid} listens there (${holder.command})`
}
