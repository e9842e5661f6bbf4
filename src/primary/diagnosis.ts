/** Inspector and profiles of workers, for whoever asks by the control socket. What one worker does is in `worker-diagnosis.ts`. */
import { freemem } from 'node:os'
import { nowMs } from '../base/clock.ts'
import { formatDuration, formatSize } from '../base/units.ts'
import type { DiagnosisPorts, ProfileSource, ProfileWish } from '../control/ports.ts'
import type { Logger } from '../logs/logs.ts'
import { CONTROL_SCHEMA, type HeapEstimate, type InspectorClosed, type InspectorOpened } from '../protocol/control.ts'
import { trouble, type WorkerDiagnosis } from './worker-diagnosis.ts'

/** Each stands in the memory of its worker, and all of them cost the machine. */
const MOST_PROFILES = 2

/** Of a heap snapshot, by the bytes of the heap: measured with objects of 60 bytes, and the pause also with some of 2 kB, on two busy cores (docs/diagnosing.md). */
const FILE_FACTOR = 2
const MEMORY_FACTOR = 14
const PAUSE_MS_PER_MIB = [15, 500] as const

const MIB = 1024 ** 2

const CLOSED: Readonly<Record<InspectorClosed['closed'], string>> = {
  now: 'its inspector is closed',
  later: 'its inspector closes when it goes on, and if it does not it is killed',
  gone: 'it has ended',
}

/** A worker that can be looked into. */
export interface Patient {
  readonly pid: number
  readonly diagnosis: WorkerDiagnosis
}

export interface DiagnosisContext {
  /** The worker in a slot, that which serves if there are two. */
  readonly workerIn: (slot: number) => Patient | undefined
  readonly size: () => number
  readonly log: Logger
}

export class Diagnoses implements DiagnosisPorts {
  readonly #context: DiagnosisContext
  /** By the pid of the worker. */
  readonly #inspections = new Map<number, { readonly end: () => void; readonly done: Promise<InspectorClosed> }>()
  #profiles = 0

  constructor(context: DiagnosisContext) {
    this.#context = context
  }

  readonly inspect: DiagnosisPorts['inspect'] = async (slot, tell, signal) => {
    const patient = this.#workerIn(slot)
    if (this.#inspections.has(patient.pid)) throw trouble(`worker ${slot} is being inspected already`, { hint: `everycore inspect ${slot} --close ends that.` })
    const ending = new AbortController()
    const done = this.#inspect(slot, patient, tell, [signal, ending.signal])
    this.#inspections.set(patient.pid, { end: () => ending.abort(), done })
    return done
  }

  readonly closeInspector: DiagnosisPorts['closeInspector'] = async (slot) => {
    const inspection = this.#inspections.get(this.#workerIn(slot).pid)
    if (inspection === undefined) throw trouble(`worker ${slot} is not being inspected`)
    inspection.end()
    return inspection.done
  }

  readonly estimateHeap: DiagnosisPorts['estimateHeap'] = async (slot): Promise<HeapEstimate> => {
    const { pid, diagnosis } = this.#workerIn(slot)
    const { heapUsedBytes } = await diagnosis.measure()
    const pause = (msPerMib: number): number => Math.round((heapUsedBytes / MIB) * msPerMib)
    return {
      schemaVersion: CONTROL_SCHEMA,
      slot,
      pid,
      heapUsedBytes,
      fileBytes: heapUsedBytes * FILE_FACTOR,
      memoryBytes: heapUsedBytes * MEMORY_FACTOR,
      availableBytes: availableMemory(),
      pauseMs: [pause(PAUSE_MS_PER_MIB[0]), pause(PAUSE_MS_PER_MIB[1])],
    }
  }

  readonly profile: DiagnosisPorts['profile'] = async ({ slot, kind, seconds }: ProfileWish, signal): Promise<ProfileSource> => {
    const { pid, diagnosis } = this.#workerIn(slot)
    if (this.#profiles >= MOST_PROFILES) throw trouble(`${MOST_PROFILES} workers are being profiled already`, { hint: 'wait for the end of one of them' })
    this.#profiles += 1
    const { log } = this.#context
    const began = nowMs()
    const what = kind === 'heap' ? 'a heap snapshot' : kind === 'cpu' ? 'a CPU profile' : 'an allocation profile'
    log.info(`worker ${slot}: ${what} is taken${kind === 'heap' ? '; meanwhile it answers nobody' : ` for ${formatDuration(seconds * 1000)}`}`, { event: 'profile:started', slot, workerPid: pid, kind })
    try {
      const source = await diagnosis.profile(kind, seconds * 1000, signal)
      log.info(`worker ${slot}: ${what} is ready, ${formatSize(source.bytes)}`, { event: 'profile:finished', slot, workerPid: pid, kind, bytes: source.bytes, tookMs: Math.round(nowMs() - began) })
      void source.ended.then(() => (this.#profiles -= 1))
      return { pid, bytes: source.bytes, read: source.read, cancel: source.cancel }
    } catch (error) {
      this.#profiles -= 1
      log.info(`worker ${slot}: ${what} was not taken: ${error instanceof Error ? error.message : String(error)}`, { event: 'profile:failed', slot, workerPid: pid, kind })
      throw error
    }
  }

  async #inspect(slot: number, { pid, diagnosis }: Patient, tell: Parameters<DiagnosisPorts['inspect']>[1], signals: readonly AbortSignal[]): Promise<InspectorClosed> {
    const { log } = this.#context
    try {
      const url = await diagnosis.inspect()
      log.warn(`worker ${slot} is being inspected: until that ends nobody notices if it hangs`, { event: 'inspect:started', slot, workerPid: pid })
      const opened: InspectorOpened = { schemaVersion: CONTROL_SCHEMA, slot, pid, url, port: Number(new URL(url).port) }
      tell('inspecting', opened)
      const isGone = await untilEnded(diagnosis, signals)
      tell('closing', {})
      const closed = isGone ? 'gone' : (await diagnosis.uninspect()) ? 'now' : 'later'
      log.info(`worker ${slot} is no longer inspected: ${CLOSED[closed]}`, { event: 'inspect:finished', slot, workerPid: pid, closed })
      return { schemaVersion: CONTROL_SCHEMA, slot, pid, closed }
    } finally {
      this.#inspections.delete(pid)
    }
  }

  #workerIn(slot: number): Patient {
    const worker = this.#context.workerIn(slot)
    if (worker !== undefined) return worker
    const size = this.#context.size()
    throw trouble(`slot ${slot} has no worker now`, { why: slot < size ? 'it is down, or boots' : size === 1 ? 'there is one slot, 0' : `there are ${size} slots, from 0`, hint: 'everycore status tells which there are.' })
  }
}

/** True when the worker has ended. */
async function untilEnded(diagnosis: WorkerDiagnosis, signals: readonly AbortSignal[]): Promise<boolean> {
  return new Promise((resolve) => {
    const off = diagnosis.onceGone(() => resolve(true))
    const end = (): void => {
      off()
      resolve(false)
    }
    for (const signal of signals) {
      if (signal.aborted) end()
      else signal.addEventListener('abort', end, { once: true })
    }
  })
}

/** By the limit of the container where Node tells it (20.13). */
function availableMemory(): number {
  return (process as { readonly availableMemory?: () => number }).availableMemory?.() ?? freemem()
}
