/**
 * One worker looked into: asks for its inspector and for profiles, and fetches what it is asked for piece by piece.
 * The worker's half is `worker/diagnosis.ts`.
 */
import { nowMs } from '../base/clock.ts'
import { EverycoreError } from '../base/errors.ts'
import { formatDuration } from '../base/units.ts'
import { PIECE_BYTES, type DiagnosisOrder, type DiagnosisReport, type ProfileKind } from '../protocol/diagnosis.ts'
import type { Diagnosing } from '../protocol/control.ts'

/** What a worker that is busy answers within; one that does not hangs. */
const ANSWER_MS = 5000
/** How much later than it should a profile may be complete. */
const LATE_MS = 60_000
/** Of many gigabytes; nobody would wait longer. */
const SNAPSHOT_MS = 30 * 60_000
/** Bytes on their way from the worker, at most. */
const WINDOW_BYTES = 8 * PIECE_BYTES
/** A client that fetches nothing for so long has forgotten its profile. */
const READ_MS = 30_000

export interface WorkerDiagnosisPorts {
  readonly order: (order: DiagnosisOrder) => void
  /** When the worker was last heard of, in monotonic ms. */
  readonly heardAt: () => number
}

/** A complete profile, which is being fetched. */
export interface FetchedProfile {
  readonly bytes: number
  /** Undefined after the last. @throws EverycoreError ERR_EVERYCORE_DIAGNOSIS */
  readonly read: () => Promise<Uint8Array | undefined>
  readonly cancel: () => void
  /** Fulfilled when all was read, or nobody wants it any more. */
  readonly ended: Promise<void>
}

interface Waiting {
  readonly type: DiagnosisReport['type']
  readonly resolve: (report: DiagnosisReport) => void
  readonly reject: (error: EverycoreError) => void
}

type Unnumbered<Order> = Order extends { readonly seq: number } ? Omit<Order, 'seq'> : never
type ReportOf<Type extends DiagnosisReport['type']> = Extract<DiagnosisReport, { readonly type: Type }>

export class WorkerDiagnosis {
  readonly #ports: WorkerDiagnosisPorts
  readonly #waiting = new Map<number, Waiting>()
  readonly #onGone = new Set<() => void>()
  #seq = 0
  #isInspected = false
  #kind: ProfileKind | undefined
  #fetch: Fetch | undefined
  #isGone = false

  constructor(ports: WorkerDiagnosisPorts) {
    this.#ports = ports
  }

  /** What is done with it now. */
  get doing(): Diagnosing | undefined {
    return this.#isInspected ? 'inspect' : this.#kind
  }

  /** It may stand still for long, and does not hang. */
  get isExcused(): boolean {
    return this.#isInspected || this.#kind === 'heap'
  }

  /** Calls back when the worker has ended. */
  onceGone(callback: () => void): () => void {
    this.#onGone.add(callback)
    return () => void this.#onGone.delete(callback)
  }

  async measure(): Promise<ReportOf<'measured'>> {
    return this.#ask({ type: 'measure' }, 'measured', ANSWER_MS)
  }

  /** Opens the inspector. @throws EverycoreError ERR_EVERYCORE_DIAGNOSIS when it is open already, or cannot be */
  async inspect(): Promise<string> {
    try {
      const { url, wasOpen } = await this.#ask({ type: 'inspect' }, 'inspecting', ANSWER_MS)
      if (wasOpen) throw trouble('the inspector of the worker is open already, not by everycore inspect', { why: `it listens on ${url}`, hint: 'connect to that one; it is open since the app was started with --inspect, or opened it itself' })
      this.#isInspected = true
      return url
    } catch (error) {
      this.#ports.order({ type: 'uninspect', seq: this.#next() })
      throw error
    }
  }

  /** False when the worker does not do it now: a debugger has not gone, or it hangs. */
  async uninspect(): Promise<boolean> {
    try {
      await this.#ask({ type: 'uninspect' }, 'uninspected', ANSWER_MS)
      return true
    } catch {
      return false
    } finally {
      this.#isInspected = false
    }
  }

  /**
   * Takes a profile; fulfilled when it is complete.
   *
   * @throws EverycoreError ERR_EVERYCORE_DIAGNOSIS when the worker hangs, ends, or is being profiled already
   */
  async profile(kind: ProfileKind, ms: number, signal: AbortSignal): Promise<FetchedProfile> {
    if (this.#kind !== undefined) throw trouble('the worker is being profiled already', { hint: 'wait for the end of it' })
    this.#kind = kind
    const seq = this.#next()
    let onEnded: (() => void) | undefined
    const ended = new Promise<void>((resolve) => (onEnded = resolve))
    let isOver = false
    const forget = (): void => {
      if (isOver) return
      isOver = true
      onEnded?.()
      signal.removeEventListener('abort', forget)
      this.#waiting.get(seq)?.reject(trouble('the profile was called off'))
      if (this.#fetch?.seq === seq) this.#fetch.end(trouble('the profile was called off'))
      this.#kind = undefined
      this.#fetch = undefined
      if (!this.#isGone) this.#ports.order({ type: 'forget', seq })
    }
    signal.addEventListener('abort', forget)
    try {
      if (signal.aborted) throw trouble('the profile was called off')
      this.#ports.order({ type: 'profile', seq, kind, ms })
      await this.#await(seq, 'profiling', ANSWER_MS)
      const { bytes } = await this.#await(seq, 'profiled', kind === 'heap' ? SNAPSHOT_MS : ms + LATE_MS)
      const fetch = new Fetch({ seq, bytes, order: (wanted) => this.#ports.order({ type: 'fetch', seq, bytes: wanted }), forget })
      this.#fetch = fetch
      return { bytes, read: async () => fetch.read(), cancel: forget, ended }
    } catch (error) {
      forget()
      throw error
    }
  }

  take(report: DiagnosisReport): void {
    const waiting = this.#waiting.get(report.seq)
    if (report.type === 'failed') waiting?.reject(trouble('the worker cannot do it', { why: report.why }))
    else if (waiting?.type === report.type) waiting.resolve(report)
  }

  takeBytes(seq: number, bytes: Uint8Array): void {
    if (this.#fetch?.seq === seq) this.#fetch.take(bytes)
  }

  /** The worker has ended. */
  gone(): void {
    this.#isGone = true
    const error = trouble('the worker ended meanwhile', { hint: 'everycore status, and the log, tell why' })
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#fetch?.end(error)
    this.#isInspected = false
    this.#kind = undefined
    for (const callback of this.#onGone) callback()
  }

  #next(): number {
    this.#seq += 1
    return this.#seq
  }

  async #ask<Type extends DiagnosisReport['type']>(order: Unnumbered<DiagnosisOrder>, type: Type, patienceMs: number): Promise<ReportOf<Type>> {
    const seq = this.#next()
    this.#ports.order({ ...order, seq })
    return this.#await(seq, type, patienceMs)
  }

  async #await<Type extends DiagnosisReport['type']>(seq: number, type: Type, patienceMs: number): Promise<ReportOf<Type>> {
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<ReportOf<Type>>((resolve, reject) => {
        if (this.#isGone) reject(trouble('the worker has ended'))
        timer = setTimeout(() => reject(this.#hangs()), patienceMs).unref()
        this.#waiting.set(seq, { type, resolve: (report) => resolve(report as ReportOf<Type>), reject })
      })
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(seq)
    }
  }

  #hangs(): EverycoreError {
    const silentMs = Math.round((nowMs() - this.#ports.heardAt()) / 100) * 100
    return trouble('the worker gives no answer', {
      why: `its event loop has stood still for ${formatDuration(silentMs)}`,
      hint: 'When the hang timeout has passed it is killed, and the log has the stack that it hangs in.',
    })
  }
}

interface FetchPorts {
  readonly seq: number
  readonly bytes: number
  readonly order: (bytes: number) => void
  readonly forget: () => void
}

/** Of a profile what has come and was not yet read: never more than the window. */
class Fetch {
  readonly seq: number
  readonly #ports: FetchPorts
  readonly #pieces: Uint8Array[] = []
  #left: number
  /** Not yet ordered. */
  #unordered: number
  #wake: (() => void) | undefined
  #error: EverycoreError | undefined
  #timer: NodeJS.Timeout

  constructor(ports: FetchPorts) {
    this.#ports = ports
    this.seq = ports.seq
    this.#left = ports.bytes
    this.#unordered = ports.bytes
    this.#timer = this.#watch()
    this.#order(WINDOW_BYTES)
    if (ports.bytes === 0) ports.forget()
  }

  async read(): Promise<Uint8Array | undefined> {
    clearTimeout(this.#timer)
    while (this.#pieces.length === 0 && this.#left > 0 && this.#error === undefined) {
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    if (this.#error !== undefined && this.#left > 0) throw this.#error
    const piece = this.#pieces.shift()
    if (piece === undefined) return undefined
    this.#left -= piece.length
    if (this.#left > 0) this.#timer = this.#watch()
    else this.#ports.forget()
    this.#order(piece.length)
    return piece
  }

  take(bytes: Uint8Array): void {
    this.#pieces.push(bytes)
    this.#wake?.()
  }

  end(error: EverycoreError): void {
    clearTimeout(this.#timer)
    this.#error ??= error
    this.#wake?.()
  }

  #order(bytes: number): void {
    const wanted = Math.min(bytes, this.#unordered)
    this.#unordered -= wanted
    if (wanted > 0) this.#ports.order(wanted)
  }

  #watch(): NodeJS.Timeout {
    return setTimeout(() => this.#ports.forget(), READ_MS).unref()
  }
}

export function trouble(message: string, details: { readonly why?: string; readonly hint?: string } = {}): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_DIAGNOSIS', message, details)
}
