/** What the process says when it ends. The numbers are part of the interface and are documented in `docs/exit-codes.md`. */
export const EXIT = {
  /** Stopped as asked, also after SIGTERM. */
  ok: 0,
  /** Anything that has no code of its own. */
  failure: 1,
  /** The command line or a setting is wrong; nothing was started. */
  usage: 2,
  /** No worker became ready, or none could be kept; of a verb: no such app runs. */
  neverReady: 3,
  /** The script could not be loaded: missing, unreadable, a syntax error, a throw while loading. */
  cannotLoad: 4,
  /** A reload failed or was aborted: the old workers go on serving. */
  reloadFailed: 5,
  /** The control socket cannot be reached, or does not answer. */
  unreachable: 6,
  /** A second Ctrl-C, or one to a verb that waits (128 + SIGINT). */
  interrupted: 130,
  /** SIGQUIT (128 + 3). */
  quit: 131,
} as const

/** One of the numbers above. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
