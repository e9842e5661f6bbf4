/** One round of chaos: some reloads and faults under a load, then quiet, then the reckoning. */
import type { LogRecord } from '../harness/app.ts'
import { assertOnlyFrom, describe, type Report } from '../harness/load/report.ts'
import type { UnderLoad } from '../harness/load/everycore.ts'
import type { Random } from '../harness/load/seed.ts'
import { until } from '../harness/until.ts'
import { FAULTS, HANGS, type Death, type FaultContext } from './faults.ts'
import { BAD, GOOD, type Release } from './releases.ts'

const BAD_SHARE = 0.4
const FAULT_SHARE = 0.5
/** When, after a reload was asked for, a fault comes at the latest. */
const FAULT_WITHIN_MS = 1500
/** A client knows so soon that the worker with its request is dead. */
const KNOWN_WITHIN_MS = 1500
const QUIET_MS = 60_000
/** Of the log, around the loss of a request that nothing explains. */
const AROUND_MS = 15_000

export interface RoundResult {
  readonly report: Report
  readonly good: number
  readonly bad: number
  readonly faults: Readonly<Record<string, number>>
  /** What may not be, as sentences. */
  readonly problems: readonly string[]
  /** Workers that were found hanging. */
  readonly stalled: number
  /** Ms from the death of a worker until all serve again. */
  readonly recoveries: readonly number[]
  /** Ms from the request for each reload until all was quiet again. */
  readonly tookMs: readonly number[]
}

export interface RoundOptions {
  readonly random: Random
  readonly reloads: number
  readonly isTimeUp: () => boolean
}

export async function round(under: UnderLoad, { random, reloads, isTimeUp }: RoundOptions): Promise<RoundResult> {
  const deaths: Death[] = []
  const steps: Step[] = []
  const forgetYoung = noteDyingYoung(under, deaths)
  while (steps.length < reloads && !isTimeUp()) steps.push(await step({ under, random, deaths, problems: [] }))
  forgetYoung()
  const report = await under.load.stop()
  const faults: Record<string, number> = {}
  for (const { fault } of steps) if (fault !== undefined) faults[fault] = (faults[fault] ?? 0) + 1
  return {
    report,
    good: steps.filter(({ release }) => release.good).length,
    bad: steps.filter(({ release }) => !release.good).length,
    faults,
    problems: [...steps.flatMap(({ problems }) => problems), ...steps.flatMap((each, index) => oldCode(report, each, steps[index + 1])), ...unexcused(under, report, deaths)],
    stalled: steps.reduce((sum, { stalled }) => sum + stalled, 0),
    tookMs: steps.map(({ tookMs }) => tookMs),
    recoveries: steps.flatMap(({ recoveryMs }) => (recoveryMs === undefined ? [] : [recoveryMs])),
  }
}

interface Step {
  readonly release: Release
  readonly fault: string | undefined
  readonly beganAt: number
  /** Until all is quiet again. */
  readonly tookMs: number
  /** Workers that were found hanging. */
  readonly stalled: number
  /** A generation that nothing has disturbed, and when it was complete. */
  readonly complete: { readonly generation: number; readonly at: number } | undefined
  readonly problems: readonly string[]
  readonly recoveryMs: number | undefined
}

/** One reload, and perhaps a fault in it; then rest. */
async function step(context: FaultContext): Promise<Step> {
  const { under, random, deaths } = context
  const release = random.chance(BAD_SHARE) ? random.pick(BAD) : GOOD
  const fault = random.chance(FAULT_SHARE) ? random.pick(Object.keys(FAULTS)) : undefined
  const from = under.app.records.length
  const beganAt = performance.now()
  release.put(under, random)
  const happening = fault === undefined ? undefined : pause(random.between(0, FAULT_WITHIN_MS)).then(async () => FAULTS[fault]?.(context))
  const { event, generation } = await under.reload()
  const at = performance.now()
  await happening
  // Slots go on with the files that are on disk.
  under.release()
  const diedAt = deaths.at(-1)?.at
  await quiet(under)
  const isTaken = event === 'reload:finished'
  const stalled = under.app.records.slice(from).filter((record) => record.event === 'worker:stalled')
  const problems = [
    ...context.problems,
    ...(stalled.length > 0 && !HANGS.has(fault) ? [`a worker was taken for hanging (${fault ?? 'no fault'})\n${transcriptSince(under, from)}`] : []),
    ...(isTaken && !release.good ? [`a release that ${release.what} was taken`] : []),
    ...(!isTaken && release.good && fault === undefined ? [`a good release was refused\n${transcriptSince(under, from)}`] : []),
  ]
  const isKill = fault?.startsWith('kill') === true && diedAt !== undefined && diedAt > beganAt
  return { release, fault, beganAt, tookMs: performance.now() - beganAt, stalled: stalled.length, complete: isTaken && fault === undefined ? { generation: Number(generation), at } : undefined, problems, recoveryMs: isKill ? performance.now() - diedAt : undefined }
}

/** Answers of older code between the end of a reload and the next one. */
function oldCode(report: Report, { complete }: Step, next: Step | undefined): readonly string[] {
  if (complete === undefined) return []
  try {
    assertOnlyFrom(report, complete.generation, complete.at, next?.beganAt ?? Number.POSITIVE_INFINITY)
    return []
  } catch (error) {
    return [String(error)]
  }
}

const pause = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function transcriptSince(under: UnderLoad, from: number): string {
  return under.app.records.slice(from).map(({ slot, msg }) => `  ${slot ?? '-'} ${msg}`).join('\n')
}

/** What was told in the seconds around a time of `performance.now()`. */
function transcriptAround(under: UnderLoad, at: number): string {
  const second = Math.round((performance.timeOrigin + at) / 1000) * 1000
  const near = under.app.records.filter(({ time, stream }) => stream === undefined && Math.abs(Number(time) - second) < AROUND_MS)
  return near.map(({ time, slot, msg }) => `  ${((Number(time) - second) / 1000).toFixed(2)} s ${slot ?? '-'} ${msg}`).join('\n')
}

function key(slot: unknown, generation: unknown): string {
  return `${String(slot)}/${String(generation)}`
}

/** Workers that die by themselves: of a bad release, or killed as not ready in time. */
function noteDyingYoung(under: UnderLoad, deaths: Death[]): () => void {
  let over = false
  const pids = new Map<string, number>()
  const note = ({ event, slot, generation, workerPid }: LogRecord): void => {
    if (event === 'worker:spawned' && workerPid !== undefined) pids.set(key(slot, generation), workerPid)
  }
  for (const record of under.app.records) note(record)
  under.app.onRecord((record) => {
    if (over) return
    note(record)
    const { event, slot, generation, kind } = record
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
function unexcused(under: UnderLoad, report: Report, deaths: readonly Death[]): readonly string[] {
  const died = new Map(deaths.map(({ pid, at }) => [pid, at]))
  const isExcused = (settledAt: number): boolean => deaths.some(({ at }) => settledAt > at - KNOWN_WITHIN_MS && settledAt < at + KNOWN_WITHIN_MS)
  const problems = [
    ...report.executed.filter(({ begun, settledAt }) => !died.has(begun.pid) || !isExcused(settledAt)).map(({ id, begun, detail }) => `${id} was lost (${detail}), and ${begun.pid} that had begun it did not die then`),
    ...report.unseen.filter(({ settledAt }) => !isExcused(settledAt)).map(({ id, detail }) => `${id} was lost (${detail}) while no worker died`),
    ...(['refused', 'stuck', 'wrong', 'error'] as const).filter((fate) => report.fates[fate] > 0).map((fate) => `${report.fates[fate]} ${fate}`),
    ...report.flaws,
  ]
  if (problems.length === 0) return []
  const lost = [...report.executed, ...report.unseen].filter(({ settledAt }) => !isExcused(settledAt))
  return [...problems, ...new Set(lost.map(({ settledAt }) => transcriptAround(under, settledAt))), describe(report)]
}
