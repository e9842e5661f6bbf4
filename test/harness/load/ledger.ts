/** What the workers of the fixture `ledger.cjs` wrote down: which requests they began, and which they finished. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from '../app.ts'

export interface Begun {
  readonly pid: number
  readonly generation: number
  finished: boolean
  /** How many handlers ran for this request. More than one is a replay. */
  times: number
}

export class Ledger {
  readonly directory: string

  constructor(scope: Scope) {
    this.directory = mkdtempSync(join(tmpdir(), 'everycore-ledger-'))
    scope.after(async () => rmSync(this.directory, { recursive: true, force: true }))
  }

  /** By id. A last line that a killed worker did not finish is left out. */
  read(): ReadonlyMap<string, Begun> {
    const begun = new Map<string, Begun>()
    const lines = readdirSync(this.directory).flatMap((name) => readFileSync(join(this.directory, name), 'utf8').split('\n').slice(0, -1))
    const ended: string[] = []
    for (const line of lines) {
      const [what, id = '', pid, generation] = line.split(' ')
      if (what === 'E') ended.push(id)
      else begun.set(id, { pid: Number(pid), generation: Number(generation), finished: false, times: (begun.get(id)?.times ?? 0) + 1 })
    }
    for (const id of ended) {
      const entry = begun.get(id)
      if (entry !== undefined) entry.finished = true
    }
    return begun
  }

  /** Requests that a worker has begun and not finished. */
  inFlight(pid: number): readonly string[] {
    return [...this.read()].filter(([, begun]) => begun.pid === pid && !begun.finished).map(([id]) => id)
  }
}
