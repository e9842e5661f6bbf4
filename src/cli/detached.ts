/** This process was started by `-d`, and tells the one that waits that it runs. The other side is `detach.ts`. */
import { closeSync, writeSync } from 'node:fs'

/** Says that somebody waits on {@link DETACHED_FD}. Gone before anything else is started. */
export const DETACHED_VARIABLE = 'EVERYCORE_DETACHED'
export const DETACHED_FD = 3

/** What whoever waits is told. */
export interface DetachedWord {
  readonly name: string
  readonly pid: number
  readonly size: number
  readonly urls: readonly string[]
}

/** Tells it, once; undefined when nobody waits. */
export function detachedTeller(env: NodeJS.ProcessEnv): ((word: DetachedWord) => void) | undefined {
  if (env[DETACHED_VARIABLE] === undefined) return undefined
  delete env[DETACHED_VARIABLE]
  return (word) => {
    try {
      writeSync(DETACHED_FD, `${JSON.stringify(word)}\n`)
    } catch {
      // Nobody waits any more.
    }
    closeSync(DETACHED_FD)
  }
}

/** @returns undefined for what is none */
export function readWord(text: string): DetachedWord | undefined {
  try {
    const { name, pid, size, urls } = JSON.parse(text) as Readonly<Record<string, unknown>>
    return { name: String(name), pid: Number(pid), size: Number(size), urls: Array.isArray(urls) ? urls.map(String) : [] }
  } catch {
    return undefined
  }
}
