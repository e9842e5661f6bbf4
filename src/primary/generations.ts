/** What each generation runs. Pinned when its first worker starts, so that a respawn never runs newer code under an older number. */
import { realpathSync } from 'node:fs'
import type { Launch } from '../config/types.ts'

/** A launch with real paths. */
export interface Pinned extends Launch {
  /** The script as it was named: what the app sees in `process.argv[1]`. */
  readonly named: string
}

export class Generations {
  #launch: Launch
  readonly #pinned = new Map<number, Pinned>()

  constructor(launch: Launch) {
    this.#launch = launch
  }

  /** With the real paths of script and working directory: a release behind a link such as `current -> releases/42` stays what it was. */
  launchOf(generation: number): Pinned {
    const known = this.#pinned.get(generation)
    if (known !== undefined) return known
    const launch = { ...this.#launch, named: this.#launch.script, script: realPath(this.#launch.script), cwd: realPath(this.#launch.cwd) }
    this.#pinned.set(generation, launch)
    return launch
  }

  /** From now on generations that have no worker yet run this. */
  use(launch: Launch): void {
    this.#launch = launch
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
