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
  /** Callers of the restart under way. */
  #restarts: ReloadWaiter[] = []
  /** Callers of the one that has not begun. */
  #restartsWaiting: ReloadWaiter[] = []
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

  /** To be called before the restart is asked for. @throws EverycoreError ERR_EVERYCORE_STATE */
  async nextRestart(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#restartsWaiting.push({ resolve, reject })
    })
  }

  /** To be called after each change of the state. */
  check(state: State, notice: Notice): void {
    if (notice.type === 'reload:started') {
      this.#current = this.#waiting
      this.#waiting = []
    }
    if (notice.type === 'reload:finished') this.#answerReload(undefined)
    if (notice.type === 'reload:aborted') this.#answerReload(notice.failure)
    this.#checkRestarts(notice)
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
    for (const { reject } of [...this.#restarts, ...this.#restartsWaiting]) reject(restartError('the supervisor was stopped'))
    this.#resolveDone(failure)
  }

  /** Whatever begins after a restart that has not come to its end was asked for because its code fails. */
  #checkRestarts({ type }: Notice): void {
    if (type === 'restart:finished') for (const { resolve } of this.#restarts.splice(0)) resolve()
    if (type !== 'restart:started' && type !== 'reload:started') return
    for (const { reject } of this.#restarts.splice(0)) reject(restartError('new workers failed, and something else had to be tried'))
    if (type === 'restart:started') this.#restarts = this.#restartsWaiting.splice(0)
  }

  #answerReload(failure: ReloadFailure | undefined): void {
    // Without a reload under way it is the waiting one that will not begin.
    const answered = this.#current ?? this.#waiting
    if (this.#current === undefined) this.#waiting = []
    this.#current = undefined
    for (const { resolve, reject } of answered) {
      if (failure === undefined) resolve()
      else reject(reloadError(failure))
    }
  }
}

function restartError(why: string): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_STATE', 'the restart was not carried out', { why })
}

function stoppedError(): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_RELOAD', 'the reload was not carried out', { why: 'the supervisor was stopped' })
}

function reloadError({ slot, why, exit, said }: ReloadFailure): EverycoreError {
  if (why === 'stopped') return stoppedError()
  if (why === 'cancelled') return new EverycoreError('ERR_EVERYCORE_RELOAD', 'the reload was aborted', { why: 'somebody asked for that', hint: 'the old workers go on serving' })
  const error = exit?.error
  const cause = error === undefined ? (said === undefined ? '' : `: ${said}`) : `: ${error.name}: ${error.message.split('\n')[0] ?? ''}`
  return new EverycoreError('ERR_EVERYCORE_RELOAD', `the reload was aborted at slot ${slot}`, { why: `${why}${cause}`, hint: 'the old workers go on serving; mend the release and reload again' })
}
