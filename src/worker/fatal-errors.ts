/** Tells the primary which error ends this process. Observes only: what the error does to the process stays Node's business. */
import type { ReportedError } from '../core/types.ts'
import type { ControlChannel } from './control-channel.ts'

const MESSAGE_LIMIT = 4 * 1024
const STACK_LIMIT = 16 * 1024

/** @see https://nodejs.org/api/process.html#event-uncaughtexceptionmonitor */
export function reportFatalErrors(channel: ControlChannel): void {
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    // With a handler of its own, or a domain, the app decides whether it goes on.
    const isCaught = process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()
    if (!isCaught) channel.send({ type: 'fatal', error: describe(error) })
  })
}

function describe(thrown: unknown): ReportedError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown).slice(0, MESSAGE_LIMIT), stack: '', ...loading() }
  const { code, syscall, address, port } = thrown as NodeJS.ErrnoException & { readonly address?: unknown; readonly port?: unknown }
  return {
    name: thrown.name,
    message: thrown.message.slice(0, MESSAGE_LIMIT),
    stack: String(thrown.stack).slice(0, STACK_LIMIT),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof syscall === 'string' ? { syscall } : {}),
    ...(typeof address === 'string' ? { address } : {}),
    ...(typeof port === 'number' ? { port } : {}),
    ...loading(),
  }
}

/** CommonJS says whether the main module is still being evaluated. */
function loading(): { readonly loading?: boolean } {
  const main = process.mainModule as { readonly loaded?: boolean } | undefined
  return typeof main?.loaded === 'boolean' ? { loading: !main.loaded } : {}
}
