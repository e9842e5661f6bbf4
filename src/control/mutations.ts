/** Changes that clients ask for, one after the other. Each caller is answered once. */
import { EverycoreError } from '../base/errors.ts'
import { LIMITS } from './limits.ts'

interface Waiting {
  /** Requests for the same, made before it begins, share its answer; undefined shares with nobody. */
  readonly key: string | undefined
  readonly answer: Promise<unknown>
}

export class Mutations {
  readonly #waiting: Waiting[] = []
  #last: Promise<unknown> = Promise.resolve()

  /**
   * Runs it when all before it are done.
   *
   * @throws EverycoreError ERR_EVERYCORE_STATE when too many wait
   */
  async run<T>(key: string | undefined, change: () => Promise<T>): Promise<T> {
    const same = key === undefined ? undefined : this.#waiting.find((one) => one.key === key)
    // What has the same key gives the same type: the key names the method.
    if (same !== undefined) return same.answer as Promise<T>
    if (this.#waiting.length >= LIMITS.mutations) throw new EverycoreError('ERR_EVERYCORE_STATE', 'too many changes wait for their turn', { hint: 'try again later' })
    const before = this.#last
    const begun = async (): Promise<T> => {
      await before.catch(() => {})
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      return change()
    }
    const answer = begun()
    const waiting: Waiting = { key, answer }
    this.#waiting.push(waiting)
    this.#last = answer
    return answer
  }
}
