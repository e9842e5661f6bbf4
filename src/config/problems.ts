import { EverycoreError } from '../base/errors.ts'

/** Collects what is wrong, so that everything is told at once and not one mistake a run. */
export class Problems {
  readonly #errors: EverycoreError[] = []

  /** Notes one problem. */
  add(error: EverycoreError): void {
    this.#errors.push(error)
  }

  /** Notes a setting with a wrong value. */
  addSetting(message: string, hint?: string): void {
    this.add(settingError(message, hint))
  }

  /** The result of `action`; undefined after it threw an {@link EverycoreError}, which is noted. */
  attempt<T>(action: () => T): T | undefined {
    try {
      return action()
    } catch (error) {
      if (!(error instanceof EverycoreError)) throw error
      this.add(error)
      return undefined
    }
  }

  /** True while nothing is wrong. */
  get none(): boolean {
    return this.#errors.length === 0
  }

  /** Everything as one error: the only one itself, or a list under the code of the first. */
  toError(): EverycoreError {
    const [first, second] = this.#errors
    if (first === undefined) return new EverycoreError('ERR_EVERYCORE_INTERNAL', 'settings are missing although nothing was wrong')
    if (second === undefined) return first
    return new EverycoreError(first.code, `${this.#errors.length} problems, nothing was started`, {
      why: this.#errors.map(listed).join('\n'),
    })
  }
}

/** An error about one setting. */
export function settingError(message: string, hint?: string): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_SETTING', message, hint === undefined ? {} : { hint })
}

/** The `code` of a system error, for instance `ENOENT`. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}

function listed(error: EverycoreError): string {
  const details = [error.why, error.hint].filter((text) => text !== undefined)
  return [`- ${error.message}`, ...details.map((text) => text.replaceAll(/^/gm, '  '))].join('\n')
}
