/** Rounds of chaos on one supervisor; between two of them it rests, and must then hold what it held before. */
import { readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { formatDuration } from '../../src/base/units.ts'
import { UnderLoad } from '../harness/load/everycore.ts'
import type { Mix } from '../harness/load/mix.ts'
import { stream } from '../harness/load/seed.ts'
import { until } from '../harness/until.ts'
import { Cleanup } from './cleanup.ts'
import { HANG_TIMEOUT_MS } from './faults.ts'
import { MIN_UPTIME_MS } from './releases.ts'
import { round, type RoundResult } from './round.ts'
import { quantile } from './slope.ts'
import { exactly, told, type Row } from './verdict.ts'

export interface ChaosOptions {
  readonly reloads: number
  readonly seconds: number
  readonly seed: number
}

const ROUND_RELOADS = 20
const WORKERS = 2
const MIX: Mix = { 'keep-alive': 12, fresh: 6, slow: 4, pipelined: 1, upload: 2, 'slow-reader': 1, events: 2, websocket: 4, hunter: 10, 'tls-keep-alive': 3, 'tls-fresh': 1, 'tls-hunter': 3, http2: 1 }

export async function chaos({ reloads, seconds, seed }: ChaosOptions): Promise<readonly Row[]> {
  const cleanup = new Cleanup()
  const end = performance.now() + seconds * 1000
  const isTimeUp = (): boolean => performance.now() > end
  const results: RoundResult[] = []
  const descriptors: number[] = []
  let left = ''
  try {
    const under = await UnderLoad.start(cleanup, { mix: MIX, seed, workers: WORKERS, minUptimeMs: MIN_UPTIME_MS, options: ['--ready-timeout', '3s', '--graceful-timeout', '8s', '--hang-timeout', formatDuration(HANG_TIMEOUT_MS)] })
    for (let done = 0; done < reloads && !isTimeUp(); done += ROUND_RELOADS) {
      if (done > 0) await under.loadAgain(seed + done)
      const result = await round(under, { random: stream(seed, `round ${done}`), reloads: Math.min(ROUND_RELOADS, reloads - done), isTimeUp })
      results.push(result)
      await atRest(under)
      descriptors.push(readdirSync(`/proc/${under.app.pid}/fd`).length)
      for (const name of readdirSync(under.ledger.directory)) truncateSync(join(under.ledger.directory, name))
      console.log(`after ${done + result.good + result.bad} reloads: ${JSON.stringify(result.report.fates)}, descriptors ${descriptors.at(-1)}, RSS ${rssOf(under.app.pid)} MB`)
      for (const problem of result.problems) console.log(`  ${problem}`)
    }
  } finally {
    await cleanup.run().catch((error: unknown) => (left = String(error)))
  }
  return rows(results, descriptors, left)
}

/** No worker drains, and the clients are gone. */
async function atRest({ app }: UnderLoad): Promise<void> {
  const count = (name: string): number => app.records.filter(({ event }) => event === name).length
  await until('only those workers live that serve', () => count('worker:spawned') - count('worker:exited') === WORKERS, 30_000)
}

function rssOf(pid: number): string {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kilobytes) / 1024).toFixed(1)
}

function rows(results: readonly RoundResult[], descriptors: readonly number[], left: string): readonly Row[] {
  const sum = (value: (result: RoundResult) => number): number => results.reduce((total, result) => total + value(result), 0)
  const names = [...new Set(results.flatMap(({ faults }) => Object.keys(faults)))]
  const tookMs = results.flatMap((result) => result.tookMs)
  const recoveries = results.flatMap((result) => result.recoveries)
  return [
    told('reloads', `${sum(({ good }) => good)} of good releases, ${sum(({ bad }) => bad)} of bad ones`),
    told('faults meanwhile', names.map((name) => `${name} ${sum(({ faults }) => faults[name] ?? 0)}`).join(', ')),
    told('workers that were found hanging and killed', String(sum(({ stalled }) => stalled))),
    told('from the request for a reload until all was quiet: p50, p99', `${quantile(tookMs, 0.5).toFixed(0)} ms, ${quantile(tookMs, 0.99).toFixed(0)} ms`),
    told('requests', String(sum(({ report }) => report.sent))),
    told('lost in workers that died: begun, not begun', `${sum(({ report }) => report.executed.length)}, ${sum(({ report }) => report.unseen.length)}`),
    exactly('refused', sum(({ report }) => report.fates.refused), 0),
    exactly('stuck', sum(({ report }) => report.fates.stuck), 0),
    exactly('wrong', sum(({ report }) => report.fates.wrong), 0),
    exactly('answered with 5xx', sum(({ report }) => report.fates.error), 0),
    exactly('lost without a reason, run twice, answered by old code, and other problems', sum(({ problems }) => problems.length), 0),
    { what: 'descriptors of the supervisor at rest', found: [...new Set(descriptors)].join(', '), wanted: 'always as many', met: new Set(descriptors).size === 1 },
    told('from a kill until all serve again: p50, p99', `${quantile(recoveries, 0.5).toFixed(0)} ms, ${quantile(recoveries, 0.99).toFixed(0)} ms`),
    { what: 'processes left', found: left === '' ? 'none' : left, wanted: 'none', met: left === '' },
  ]
}
