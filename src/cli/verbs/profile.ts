/** `everycore profile`: a profile of one worker, in a file. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { EverycoreError } from '../../base/errors.ts'
import { EXIT } from '../../base/exit-codes.ts'
import { formatDuration, formatSize } from '../../base/units.ts'
import { PROFILE_SECONDS } from '../../control/body.ts'
import { call, receive } from '../../control/client.ts'
import { CONTROL_SCHEMA, type HeapEstimate } from '../../protocol/control.ts'
import type { ProfileKind } from '../../protocol/diagnosis.ts'
import { isSet, printJson, textFlag, type VerbCall } from './call.ts'
import { findApp } from './find-app.ts'
import { requireNew, writeNew } from './new-file.ts'
import { slotOf } from './slot.ts'

/** How long nothing may come, besides the seconds of the profile: a snapshot of many gigabytes takes minutes. */
const SILENCE_MS: Readonly<Record<ProfileKind, number>> = { cpu: 120_000, sampling: 120_000, heap: 45 * 60_000 }
const SUFFIX: Readonly<Record<ProfileKind, string>> = { cpu: 'cpuprofile', heap: 'heapsnapshot', sampling: 'heapprofile' }

interface Wish {
  readonly kind: ProfileKind
  readonly slot: number
  readonly seconds: number
}

export async function runProfile(verb: VerbCall): Promise<number> {
  const [kindWord, slotWord, name] = verb.args
  const wish = { kind: kindOf(verb, kindWord), slot: slotOf(slotWord), seconds: secondsOf(verb) }
  const { path, name: app } = await findApp(verb, name)
  const file = resolve(textFlag(verb, 'output') ?? `${app}-${wish.slot}-${new Date().toISOString().replaceAll(/[-:]|\..*$/g, '')}.${SUFFIX[wish.kind]}`)
  requireNew(file)
  if (wish.kind === 'heap' && !(await isAgreed(verb, await call(path, 'estimateHeap', { slot: wish.slot })))) return EXIT.interrupted
  const { bytes, pid } = await untilInterrupted(async (signal) => fetchTo(file, verb, path, wish, signal)) ?? {}
  if (bytes === undefined) return EXIT.interrupted
  if (isSet(verb, 'json')) printJson(verb, { schemaVersion: CONTROL_SCHEMA, slot: wish.slot, pid, kind: wish.kind, file, bytes })
  else verb.streams.stdout.write(`${doneText(file, bytes, wish.kind)}\n`)
  return EXIT.ok
}

function kindOf(verb: VerbCall, word: string | undefined): ProfileKind {
  if (word === 'heap') return isSet(verb, 'sampling') ? 'sampling' : 'heap'
  if (word === 'cpu' && !isSet(verb, 'sampling')) return 'cpu'
  if (word === 'cpu') throw new EverycoreError('ERR_EVERYCORE_USAGE', '--sampling is for heap', { hint: 'A CPU profile is made of samples as it is.' })
  throw new EverycoreError('ERR_EVERYCORE_USAGE', `there is no profile of ${JSON.stringify(word)}`, { hint: 'Use cpu or heap.' })
}

function secondsOf(verb: VerbCall): number {
  const text = textFlag(verb, 'seconds')
  if (text === undefined) return PROFILE_SECONDS.default
  const seconds = /^\d{1,3}(?:\.\d{1,3})?s?$/.test(text) ? Number.parseFloat(text) : Number.NaN
  if (seconds >= PROFILE_SECONDS.least && seconds <= PROFILE_SECONDS.most) return seconds
  throw new EverycoreError('ERR_EVERYCORE_USAGE', `--seconds ${JSON.stringify(text)} is not ${PROFILE_SECONDS.least} to ${PROFILE_SECONDS.most}`)
}

/** False when a person says no. */
async function isAgreed(verb: VerbCall, estimate: HeapEstimate): Promise<boolean> {
  const { stderr } = verb.streams
  const lines = estimateLines(estimate)
  if (isSet(verb, 'yes')) {
    if (!isSet(verb, 'json')) stderr.write(`${lines.join('\n')}\n`)
    return true
  }
  if (!process.stdin.isTTY || isSet(verb, 'json')) {
    throw new EverycoreError('ERR_EVERYCORE_USAGE', 'a heap snapshot stops the worker, and nobody is there to be asked', { why: lines.join('\n'), hint: 'Say --yes if that is right; --sampling takes an allocation profile without a pause.' })
  }
  stderr.write(`${lines.join('\n')}\n`)
  const questions = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await Promise.race([questions.question('Take it? [y/N] '), once(questions, 'close').then(() => '')])
    return /^y(?:es)?$/i.test(answer.trim())
  } finally {
    questions.close()
  }
}

/** What a snapshot costs, for people. */
export function estimateLines({ slot, pid, heapUsedBytes, fileBytes, memoryBytes, availableBytes, pauseMs: [least, most] }: HeapEstimate): readonly string[] {
  return [
    `worker ${slot} (pid ${pid}) has a heap of ${formatSize(heapUsedBytes)}. While its snapshot is taken:`,
    `  it answers nobody, for ${aboutText(least)} to ${aboutText(most)}: many small objects take longer`,
    `  it needs up to ${formatSize(memoryBytes)} more memory; ${formatSize(availableBytes)} are available${memoryBytes > availableBytes ? ': THAT MAY BE TOO LITTLE, and then the kernel kills it or another process' : ''}`,
    `  the file will have about ${formatSize(fileBytes)}, and all that is in memory stands in it, passwords and tokens too`,
  ]
}

function aboutText(ms: number): string {
  return formatDuration(ms < 1000 ? Math.ceil(ms / 100) * 100 : Math.ceil(ms / 1000) * 1000)
}

async function fetchTo(file: string, verb: VerbCall, path: string, { kind, slot, seconds }: Wish, signal: AbortSignal): Promise<{ readonly bytes: number; readonly pid: number }> {
  if (!isSet(verb, 'json')) verb.streams.stderr.write(kind === 'heap' ? `taking a snapshot of the heap of worker ${slot}\n` : `profiling worker ${slot} for ${formatDuration(seconds * 1000)}; Ctrl-C calls it off\n`)
  const wish = { slot, kind, ...(kind !== 'heap' && { seconds }) }
  const response = await receive(path, 'profile', wish, SILENCE_MS[kind] + seconds * 1000, signal)
  const pid = Number(response.headers['everycore-worker'])
  const bytes = Number(response.headers['content-length'])
  await writeNew(file, whole(response, bytes, async () => whyCut(path, slot, pid)))
  return { bytes, pid }
}

/** All bytes of it. @throws EverycoreError when some are missing */
async function* whole(response: IncomingMessage, bytes: number, why: () => Promise<string>): AsyncGenerator<Uint8Array> {
  let left = bytes
  try {
    for await (const chunk of response) {
      left -= (chunk as Uint8Array).length
      yield chunk as Uint8Array
    }
  } catch (error) {
    if (left > 0) throw new EverycoreError('ERR_EVERYCORE_DIAGNOSIS', 'the profile broke off', { why: await why(), hint: 'Nothing was written. The log of the app tells more.', cause: error })
  }
  if (left !== 0) throw new EverycoreError('ERR_EVERYCORE_DIAGNOSIS', 'the profile broke off', { why: await why(), hint: 'Nothing was written. The log of the app tells more.' })
}

async function whyCut(path: string, slot: number, pid: number): Promise<string> {
  const report = await call(path, 'status').catch(() => undefined)
  if (report === undefined) return 'the supervisor does not answer any more'
  return report.workers.some((worker) => worker.pid === pid) ? 'it was not read for too long' : `worker ${slot} (pid ${pid}) has ended meanwhile`
}

/** Undefined when Ctrl-C ended it. */
async function untilInterrupted<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const ending = new AbortController()
  const interrupt = (): void => ending.abort()
  process.on('SIGINT', interrupt)
  try {
    return await action(ending.signal)
  } catch (error) {
    if (ending.signal.aborted) return undefined
    throw error
  } finally {
    process.off('SIGINT', interrupt)
  }
}

function doneText(file: string, bytes: number, kind: ProfileKind): string {
  const where = { cpu: 'Chrome DevTools (Performance), VS Code, or speedscope.app', sampling: 'Chrome DevTools (Memory) or VS Code', heap: 'Chrome DevTools (Memory)' }[kind]
  return `${file} (${formatSize(bytes)}): open it in ${where}${kind === 'heap' ? '. It holds secrets: only you can read it, keep it so' : ''}`
}
