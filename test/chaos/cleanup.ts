/** What a test ends with, for runs that are no tests: in the order in which it was asked for. */
import type { Scope } from '../harness/app.ts'

export class Cleanup implements Scope {
  readonly #cleaners: (() => Promise<void>)[] = []

  readonly after = (clean: () => Promise<void>): void => {
    this.#cleaners.push(clean)
  }

  /** @throws the first error, after all have run. */
  async run(): Promise<void> {
    const errors: unknown[] = []
    for (const clean of this.#cleaners.splice(0)) {
      await clean().catch((error: unknown) => errors.push(error))
    }
    if (errors.length > 0) throw errors[0]
  }
}
