/** One round of chaos: some reloads and faults under a load, then quiet, then the reckoning. */
import { assertOnlyFrom, describe, type Report } from '../harness/load/report.ts'
import type { UnderLoad } from '../harness/load/everycore.ts'
import type { Random } from '../harness/load/seed.ts'
import { until } from '../harness/until.ts'
import { FAULTS, type Death } from './faults.ts'
import { BAD, GOOD } from './releases.ts'

const BAD_SHARE = 0.4
const FAULT_SHARE = 0.5
/** When, after a reload was asked for, a fault comes at the latest. */
const FAULT_WITHIN_MS = 2500
/** A client knows so soon that the worker with its request is dead. */
const KNOWN_WITHIN_MS = 1500
const QUIET_MS = 60_000

export interface RoundResult {
  readonly report: Report
  readonly good: number
  readonly bad: number
  readonly faults: Readonly<Record<string, number>>
  /** What may not be, as sentences. */
  readonly problems: readonly string[]
  /** Ms from the death of a worker until all serve again. */
  readonly recoveries: readonly number[]
}

export interface RoundOptions {
  readonly random: Random
  readonly reloads: number
  readonly isTimeUp: () => boolean
}

export async function round(under: UnderLoad, { random, reloads, isTimeUp }: RoundOptions): Promise<RoundResult> {
  const deaths: Death[] = []
  const problems: string[] = []
  const faults: Record<string, number> = {}
  const recoveries: number[] = []
  const current: { readonly generation: number; readonly at: number; until: number }[] = []
  let [good, bad] = [0, 0]
  const forgetYoung = noteDyingYoung(under, deaths)
  for (let count = 0; count < reloads && !isTimeUp(); count += 1) {
    const release = random.chance(BAD_SHARE) ? random.pick(BAD) : GOOD
    release.put(under, random)
    const name = random.chance(FAULT_SHARE) ? random.pick(Object.keys(FAULTS)) : undefined
    const from = under.app.records.length
    if (current.length > 0) current[current.length - 1]!.until = performance.now()
    const fault = name === undefined ? undefined : pause(random.between(0, FAULT_WITHIN_MS)).then(async () => FAULTS[name]?.({ under, random, deaths }))
    const { event } = await under.reload()
    const at = performance.now()
    await fault
    if (name !== undefined) faults[name] = (faults[name] ?? 0) + 1
    if (release.good) good += 1
    else bad += 1
    if (event === 'reload:finished' && !release.good) problems.push(`a release that ${release.what} was taken`)
    if (event === 'reload:aborted' && release.good && name === undefined) problems.push(`a good release was refused\n${transcriptSince(under, from)}`)
    // Slots go on with the files that are on disk.
    under.release()
    const diedAt = deaths.at(-1)?.at
    await quiet(under)
    if (name?.startsWith('kill') === true && diedAt !== undefined) recoveries.push(performance.now() - diedAt)
    if (event === 'reload:finished' && name === undefined) current.push({ generation: under.app.records.findLast((record) => record.event === event)?.['generation'] as number, at, until: Number.POSITIVE_INFINITY })
  }
  forgetYoung()
  const report = await under.load.stop()
  for (const { generation, at, until: end } of current) collect(problems, () => assertOnlyFrom(report, generation, at, end))
  problems.push(...unexcused(report, deaths))
  return { report, good, bad, faults, problems, recoveries }
}

const pause = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function collect(problems: string[], check: () => void): void {
  try {
    check()
  } catch (error) {
    problems.push(String(error))
  }
}

function transcriptSince(under: UnderLoad, from: number): string {
  return under.app.records.slice(from).map(({ slot, msg }) => `  ${slot ?? '-'} ${msg}`).join('\n')
}

function key(slot: unknown, generation: unknown): string {
  return `${String(slot)}/${String(generation)}`
}

/** Workers that die by themselves: of a bad release, or killed as not ready in time. */
function noteDyingYoung(under: UnderLoad, deaths: Death[]): () => void {
  let over = false
  const pids = new Map<string, number>()
  under.app.onRecord(({ event, slot, generation, workerPid, kind }) => {
    if (over) return
    if (event === 'worker:spawned' && workerPid !== undefined) pids.set(key(slot, generation), workerPid)
    if (event === 'worker:exited' && kind !== 'retired') deaths.push({ pid: pids.get(key(slot, generation)) ?? -1, at: performance.now() })
  })
  return () => {
    over = true
  }
}

/** All reloads are over, all seats are taken by workers that serve, and none drains any more. */
async function quiet(under: UnderLoad): Promise<void> {
  const count = (name: string): number => under.app.records.filter(({ event }) => event === name).length
  const isQuiet = (): boolean =>
    count('reload:started') === count('reload:finished') + count('reload:aborted') && under.app.records.findLast(({ event }) => event === 'primary:phase')?.['phase'] !== 'degraded'
  await until('the supervisor is at rest', async () => {
    if (!isQuiet()) return false
    await pause(100)
    return isQuiet()
  }, QUIET_MS)
}

/** What no death of a worker explains. */
function unexcused(report: Report, deaths: readonly Death[]): readonly string[] {
  const died = new Map(deaths.map(({ pid, at }) => [pid, at]))
  const isExcused = (settledAt: number): boolean => deaths.some(({ at }) => settledAt > at - KNOWN_WITHIN_MS && settledAt < at + KNOWN_WITHIN_MS)
  const problems = [
    ...report.executed.filter(({ begun, settledAt }) => !died.has(begun.pid) || !isExcused(settledAt)).map(({ id, begun, detail }) => `${id} was lost (${detail}), and ${begun.pid} that had begun it did not die then`),
    ...report.unseen.filter(({ settledAt }) => !isExcused(settledAt)).map(({ id, detail }) => `${id} was lost (${detail}) while no worker died`),
    ...(['refused', 'stuck', 'wrong', 'error'] as const).filter((fate) => report.fates[fate] > 0).map((fate) => `${report.fates[fate]} ${fate}`),
    ...report.flaws,
  ]
  return problems.length === 0 ? [] : [...problems, describe(report)]
}
