import { EXIT, type ExitCode } from './exit-codes.ts'

/**
 * Every error code, its exit code and what it means. The one table: the class, the command and
 * `docs/errors.md` all read it.
 */
export const ERROR_CODES = {
  ERR_EVERYCORE_USAGE: { exit: EXIT.usage, text: 'The command line is wrong.' },
  ERR_EVERYCORE_SETTING: { exit: EXIT.usage, text: 'A setting has a value that is not allowed.' },
  ERR_EVERYCORE_NO_SCRIPT: { exit: EXIT.usage, text: 'No script was given and none was found.' },
  ERR_EVERYCORE_ENV_FILE: { exit: EXIT.usage, text: 'The env file is missing or cannot be parsed.' },
  ERR_EVERYCORE_CONFIG: { exit: EXIT.cannotLoad, text: 'The config file cannot be loaded, or must not be trusted.' },
  ERR_EVERYCORE_SCRIPT: { exit: EXIT.cannotLoad, text: 'The script is missing, unreadable, a directory or of an unknown kind.' },
  ERR_EVERYCORE_LOAD: { exit: EXIT.cannotLoad, text: 'The script threw while it was loaded.' },
  ERR_EVERYCORE_NEVER_READY: { exit: EXIT.neverReady, text: 'No worker became ready, or none could be kept.' },
  ERR_EVERYCORE_LOG_FILE: { exit: EXIT.usage, text: 'A log file cannot be opened.' },
  ERR_EVERYCORE_METRICS: { exit: EXIT.neverReady, text: 'Metrics cannot be served where they were asked for.' },
  ERR_EVERYCORE_RUNTIME_DIR: { exit: EXIT.failure, text: 'The runtime directory cannot be used.' },
  ERR_EVERYCORE_STATE: { exit: EXIT.failure, text: 'The call does not fit the state of the supervisor.' },
  ERR_EVERYCORE_MESSAGE: { exit: EXIT.failure, text: 'A message cannot be sent: too large, not serialisable, or nobody to receive it.' },
  ERR_EVERYCORE_RELOAD: { exit: EXIT.reloadFailed, text: 'The reload was aborted; the old workers go on serving.' },
  ERR_EVERYCORE_NOT_RUNNING: { exit: EXIT.neverReady, text: 'No app of that name runs.' },
  ERR_EVERYCORE_CONTROL: { exit: EXIT.unreachable, text: 'The control socket of the app cannot be reached, or gives no answer.' },
  ERR_EVERYCORE_REQUEST: { exit: EXIT.failure, text: 'What was asked of the control socket is wrong.' },
  ERR_EVERYCORE_DIAGNOSIS: { exit: EXIT.failure, text: 'A worker cannot be inspected or profiled now.' },
  ERR_EVERYCORE_UPGRADE: { exit: EXIT.failure, text: 'The upgrade was aborted; the supervisor goes on serving.' },
  ERR_EVERYCORE_GENERATE: { exit: EXIT.usage, text: 'A file cannot be generated or written.' },
  ERR_EVERYCORE_PLATFORM: { exit: EXIT.failure, text: 'This platform lacks what the call needs.' },
  ERR_EVERYCORE_INTERNAL: { exit: EXIT.failure, text: 'A defect of everycore itself.' },
} as const satisfies Record<string, { exit: ExitCode; text: string }>

/** A code of the table above. */
export type ErrorCode = keyof typeof ERROR_CODES

/** What {@link EverycoreError} takes besides code and message. */
export interface ErrorDetails {
  /** Why it happened, when the message alone does not say. */
  readonly why?: string
  /** What the reader should do about it. */
  readonly hint?: string
  readonly cause?: unknown
  /** The last lines of the worker that failed, oldest first, harmless for a terminal. */
  readonly lastLines?: readonly string[]
}

/**
 * The one error class. `message` says what happened, `why` the reason, `hint` what to do. `lastLines` is empty but for a reload
 * that was aborted: then it has what the new worker printed last, 20 lines of 1000 characters at most.
 */
export class EverycoreError extends Error {
  readonly code: ErrorCode
  readonly why: string | undefined
  readonly hint: string | undefined
  readonly lastLines: readonly string[]

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'EverycoreError'
    this.code = code
    this.why = details.why
    this.hint = details.hint
    this.lastLines = details.lastLines ?? []
  }

  /** The exit code that belongs to the code. */
  get exitCode(): ExitCode {
    return ERROR_CODES[this.code].exit
  }
}
