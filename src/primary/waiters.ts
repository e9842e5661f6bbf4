/** Callers of the supervisor that wait for something to come about. Each is answered exactly once. */
import { EverycoreError } from '../base/errors.ts'
import type { Notice, ReloadFailure, State } from '../core/types.ts'

interface Waiter {
  readonly reached: (state: State) => boolean
  readonly settle: (ended: boolean) => void
}

interface ReloadWaiter {
  readonly resolve: () => void
  readonly reject: (error: EverycoreError) => void
}

export class Waiters {
  readonly done: Promise<EverycoreError | undefined>
  readonly #waiters = new Set<Waiter>()
  /** Callers of the reload under way. */
  #current: ReloadWaiter[] | undefined
  /** Callers of the one that has not begun. */
  #waiting: ReloadWaiter[] = []
  #resolveDone: (failure: EverycoreError | undefined) => void = () => {}
  #ended = false

  constructor() {
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve
    })
  }

  /** Resolves with false when the state is reached, with true when everything ended first. */
  async until(state: State, reached: (state: State) => boolean): Promise<boolean> {
    if (this.#ended) return true
    if (reached(state)) return false
    return new Promise((resolve) => {
      this.#waiters.add({ reached, settle: resolve })
    })
  }

  /** To be called before the reload is asked for. @throws EverycoreError ERR_EVERYCORE_RELOAD */
  async nextReload(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  /**
   * To be called after each change of the state.
   *
   * @param lastLines of the worker with which a reload failed
   */
  check(state: State, notice: Notice, lastLines: readonly string[] = []): void {
    if (notice.type === 'reload:started') {
      this.#current = this.#waiting
      this.#waiting = []
    }
    if (notice.type === 'reload:finished') this.#answerReload(undefined)
    if (notice.type === 'reload:aborted') this.#answerReload(reloadError(notice.failure, lastLines))
    for (const waiter of this.#waiters) {
      if (!waiter.reached(state)) continue
      this.#waiters.delete(waiter)
      waiter.settle(false)
    }
  }

  end(failure: EverycoreError | undefined): void {
    this.#ended = true
    for (const waiter of this.#waiters) waiter.settle(true)
    this.#waiters.clear()
    for (const { reject } of [...(this.#current ?? []), ...this.#waiting]) reject(stoppedError())
    this.#resolveDone(failure)
  }

  #answerReload(failure: EverycoreError | undefined): void {
    // Without a reload under way it is the waiting one that will not begin.
    const answered = this.#current ?? this.#waiting
    if (this.#current === undefined) this.#waiting = []
    this.#current = undefined
    for (const { resolve, reject } of answered) {
      if (failure === undefined) resolve()
      else reject(failure)
    }
  }
}

function stoppedError(): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_RELOAD', 'the reload was not carried out', { why: 'the supervisor was stopped' })
}

function reloadError(failure: ReloadFailure, lastLines: readonly string[]): EverycoreError {
  if (failure.why === 'stopped') return stoppedError()
  return new EverycoreError('ERR_EVERYCORE_RELOAD', `the reload was aborted at slot ${failure.slot}`, {
    why: whyAborted(failure),
    hint: 'the old workers go on serving; mend the release and reload again',
    cause: failure.exit?.error,
    lastLines,
  })
}

/** The reason in one line: its name, and what the worker said. */
export function whyAborted({ why, exit, said }: ReloadFailure): string {
  const error = exit?.error
  if (error !== undefined) return `${why}: ${error.name}: ${error.message.split('\n')[0] ?? ''}`
  if (said !== undefined) return `${why}: ${said}`
  // One that was killed for being late says nothing by how it ended.
  if (exit === undefined || why === 'ready-timeout') return why
  return `${why}: ${exit.signal ?? `exit code ${exit.code}`}`
}
