/** What each generation runs. Pinned when its first worker starts, so that a respawn never runs newer code under an older number. */
import { realpathSync } from 'node:fs'
import type { Launch } from '../config/types.ts'

export class Generations {
  readonly #launch: Launch
  readonly #pinned = new Map<number, Launch>()

  constructor(launch: Launch) {
    this.#launch = launch
  }

  /** With the real paths of script and working directory: a release behind a link such as `current -> releases/42` stays what it was. */
  launchOf(generation: number): Launch {
    const known = this.#pinned.get(generation)
    if (known !== undefined) return known
    const launch = { ...this.#launch, script: realPath(this.#launch.script), cwd: realPath(this.#launch.cwd) }
    this.#pinned.set(generation, launch)
    return launch
  }

  /** Forgets generations that no worker can have again. */
  keepFrom(oldest: number): void {
    for (const generation of this.#pinned.keys()) if (generation < oldest) this.#pinned.delete(generation)
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // Gone since it was found: node says so in words that the user knows.
    return path
  }
}
