/** Releases that a deploy may bring. */
import { readFileSync } from 'node:fs'
import { fixture } from '../harness/app.ts'
import type { UnderLoad } from '../harness/load/everycore.ts'
import type { Random } from '../harness/load/seed.ts'

export interface Release {
  readonly what: string
  readonly good: boolean
  readonly put: (under: UnderLoad, random: Random) => void
}

/** `--min-uptime` of the run: what lives as long is proven, and one reload takes twice as long at least. */
export const MIN_UPTIME_MS = 600
/** Well below it: timers of a busy machine are late. */
const DIES_WITHIN_MS = 300

const text = (what: string, source: string): Release => ({ what, good: false, put: (under) => under.release(source) })

export const GOOD: Release = { what: 'good', good: true, put: (under) => under.release() }

export const BAD: readonly Release[] = [
  text('throws at once', 'throw new Error("a bad release")'),
  text('throws later', 'setTimeout(() => { throw new Error("a bad release") }, 50)'),
  text('rejects', 'Promise.reject(new Error("a bad release"))'),
  text('cannot be parsed', 'function {'),
  text('ends at once', 'process.exit(0)'),
  text('never listens', 'setInterval(() => {}, 1000)'),
  text('hangs at once', 'for (;;);'),
  { what: 'is not there', good: false, put: (under) => under.removeRelease() },
  {
    what: 'serves and dies young',
    good: false,
    put: (under, random) => under.release(`${readFileSync(fixture('ledger.cjs'), 'utf8')}\nsetTimeout(() => process.exit(1), ${random.between(0, DIES_WITHIN_MS)})`),
  },
]
