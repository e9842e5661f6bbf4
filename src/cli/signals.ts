/** What signals mean to the command. */
import { nowMs } from '../base/clock.ts'
import { EXIT, type ExitCode } from '../base/exit-codes.ts'
import { MAX_WORKERS } from '../config/workers.ts'
import type { Logger } from '../logs/logs.ts'
import type { Supervisor } from '../primary/supervisor.ts'

/**
 * How long idle keep-alive connections stay after a Ctrl-C: a person waits. Everywhere else they stay as
 * long as the server promised, so that no client loses a request.
 */
const IMPATIENT_LINGER_MS = 500

/**
 * npm hands on a signal that the terminal has already sent to the whole group, so one Ctrl-C arrives
 * twice where the shell between them gave its place to us. No finger is that quick.
 */
const ECHO_MS = 100

export interface SignalOptions {
  /** A person sits at a terminal. */
  readonly isTTY: boolean
  /** One of the standard streams is a terminal. */
  readonly hasTerminal: boolean
  /** Started by npm, npx or the like. */
  readonly byRunner: boolean
  /** Ends the line on which the terminal has shown `^C`. */
  readonly breakLine: () => void
  /** Has another process take the place of this one. */
  readonly upgrade: () => void
  /** Opens the log files anew. */
  readonly reopenLogs: () => void
}

export interface Signals {
  /** Set when a signal forced the end. */
  readonly exitCode: ExitCode | undefined
  readonly remove: () => void
}

/** Installs the handlers. */
export function installSignals(supervisor: Supervisor, log: Logger, { isTTY, hasTerminal, byRunner, breakLine, upgrade, reopenLogs }: SignalOptions): Signals {
  let exitCode: ExitCode | undefined
  let interruptedAt: number | undefined
  const force = (code: ExitCode): void => {
    exitCode = code
    void supervisor.stop({ force: true })
  }
  const handlers: Partial<Record<NodeJS.Signals, () => void>> = {
    SIGTERM: () => void supervisor.stop(),
    SIGINT() {
      const now = nowMs()
      if (interruptedAt !== undefined) {
        if (byRunner && now - interruptedAt < ECHO_MS) return
        log.warn('interrupted again: ending at once')
        force(EXIT.interrupted)
        return
      }
      interruptedAt = now
      if (isTTY) breakLine()
      if (isTTY) log.info('press Ctrl-C again to end at once')
      void supervisor.stop(isTTY ? { lingerMs: IMPATIENT_LINGER_MS, closeSpreadMs: 0, delayMs: 0 } : {})
    },
    SIGQUIT: () => force(EXIT.quit),
    // A terminal that hangs up takes its user with it; without one it is the old way to ask for a reload.
    SIGHUP: () => (isTTY ? void supervisor.stop() : reload(supervisor)),
    SIGUSR2: () => reload(supervisor),
    // Ignored by whoever does not know it, such as a worker or an older version: docs/decisions/0015.
    SIGURG: upgrade,
    // With a terminal the kernel sends them to whoever uses it from the background, again and again to who handles them.
    ...(hasTerminal ? {} : { SIGTTIN: () => scaleBy(supervisor, 1), SIGTTOU: () => scaleBy(supervisor, -1) }),
    // What logrotate sends. Without a handler Node would open the inspector.
    SIGUSR1: reopenLogs,
  }
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler)
  return {
    get exitCode() {
      return exitCode
    },
    remove() {
      for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler)
    },
  }
}

function scaleBy(supervisor: Supervisor, change: number): void {
  const size = supervisor.snapshot.size + change
  // Its outcome is in the log; at the ends of the range, and in a stop, nothing happens.
  if (size >= 1 && size <= MAX_WORKERS) supervisor.scale(size).catch(() => {})
}

function reload(supervisor: Supervisor): void {
  // The outcome is in the log, by the reload events.
  supervisor.reload().catch(() => {})
}
