/**
 * Lets this worker be looked into: inspector, CPU profile, heap. In a file of its own, which is loaded with the first
 * order. Whoever profiles a worker pays for it: the profile is kept here until it is fetched, a piece at a time.
 * The other half is `primary/worker-diagnosis.ts`.
 */
import * as inspector from 'node:inspector'
import { getHeapSnapshot, getHeapStatistics } from 'node:v8'
import { assertNever } from '../base/assert-never.ts'
import { PIECE_BYTES, type DiagnosisOrder, type DiagnosisReport, type ProfileKind } from '../protocol/diagnosis.ts'

export interface DiagnosisPorts {
  readonly report: (report: DiagnosisReport) => void
  readonly sendBytes: (seq: number, bytes: Uint8Array) => void
}

export interface Diagnosis {
  readonly take: (order: DiagnosisOrder) => void
}

/** Between two samples of memory that is allocated, on average; what V8 and Chrome take. */
const ALLOCATION_INTERVAL_BYTES = 32 * 1024

/** A profile under way, or waiting to be fetched. */
interface Profile {
  readonly seq: number
  pieces: Uint8Array[]
  /** Bytes that were asked for, and not yet sent. */
  wanted: number
  readonly session: inspector.Session | undefined
  timer: NodeJS.Timeout | NodeJS.Immediate | undefined
}

export function createDiagnosis({ report, sendBytes }: DiagnosisPorts): Diagnosis {
  let isOpenedByUs = false
  let profile: Profile | undefined

  const failed = (seq: number, error: unknown): void => report({ type: 'failed', seq, why: error instanceof Error ? error.message : String(error) })
  const drop = (): void => {
    clearTimeout(profile?.timer as NodeJS.Timeout | undefined)
    clearImmediate(profile?.timer as NodeJS.Immediate | undefined)
    profile?.session?.disconnect()
    profile = undefined
  }
  const complete = (mine: Profile, pieces: Uint8Array[]): void => {
    if (profile !== mine) return
    mine.session?.disconnect()
    mine.pieces = pieces
    report({ type: 'profiled', seq: mine.seq, bytes: pieces.reduce((sum, { length }) => sum + length, 0) })
  }
  const begin = (seq: number, kind: ProfileKind, ms: number): void => {
    drop()
    const mine: Profile = { seq, pieces: [], wanted: 0, session: kind === 'heap' ? undefined : new inspector.Session(), timer: undefined }
    profile = mine
    const attempt = (action: () => Promise<void>): void => {
      action().catch((error: unknown) => {
        if (profile === mine) drop()
        failed(seq, error)
      })
    }
    report({ type: 'profiling', seq })
    // In a later turn: an order that was called off meanwhile costs nothing, and the report has left before a pause.
    mine.timer = setImmediate(() =>
      attempt(async () => {
        if (mine.session === undefined) return complete(mine, await takeSnapshot())
        const { start, stop } = SAMPLED[kind === 'cpu' ? 'cpu' : 'sampling']
        mine.session.connect()
        for (const [method, parameters] of start) await post(mine.session, method, parameters)
        const { session } = mine
        mine.timer = setTimeout(() => attempt(async () => {
          const { profile: found } = (await post(session, stop)) as { readonly profile: unknown }
          complete(mine, cut(Buffer.from(JSON.stringify(found))))
        }), ms).unref()
        return undefined
      }),
    )
  }
  const send = (mine: Profile, bytes: number): void => {
    mine.wanted += bytes
    for (let [piece] = mine.pieces; piece !== undefined && piece.length <= mine.wanted; [piece] = mine.pieces) {
      mine.pieces.shift()
      mine.wanted -= piece.length
      sendBytes(mine.seq, piece)
    }
    if (mine.pieces.length === 0) drop()
  }
  const open = (seq: number): void => {
    const wasOpen = inspector.url() !== undefined && !isOpenedByUs
    if (inspector.url() === undefined) {
      inspector.open(0, '127.0.0.1')
      isOpenedByUs = true
    }
    report({ type: 'inspecting', seq, url: inspector.url() ?? '', wasOpen })
  }
  /** Stands still until every debugger has gone; @see https://nodejs.org/api/inspector.html#inspectorclose */
  const shut = (seq: number): void => {
    if (isOpenedByUs) inspector.close()
    isOpenedByUs = false
    report({ type: 'uninspected', seq })
  }

  return {
    take(order) {
      const { type, seq } = order
      try {
        if (type === 'measure') {
          const { used_heap_size: heapUsedBytes, external_memory: externalBytes } = getHeapStatistics()
          report({ type: 'measured', seq, heapUsedBytes, externalBytes })
        } else if (type === 'inspect') open(seq)
        else if (type === 'uninspect') shut(seq)
        else if (type === 'profile') begin(seq, order.kind, order.ms)
        else if (type === 'fetch') {
          if (profile?.seq === seq) send(profile, order.bytes)
        } else if (type === 'forget') {
          if (profile?.seq === seq) drop()
        } else assertNever(type)
      } catch (error) {
        failed(seq, error)
      }
    },
  }
}

type Step = readonly [method: string, parameters?: object]

/** @see https://chromedevtools.github.io/devtools-protocol/v8/ */
const SAMPLED: Readonly<Record<'cpu' | 'sampling', { readonly start: readonly Step[]; readonly stop: string }>> = {
  cpu: { start: [['Profiler.enable'], ['Profiler.start']], stop: 'Profiler.stop' },
  sampling: { start: [['HeapProfiler.startSampling', { samplingInterval: ALLOCATION_INTERVAL_BYTES }]], stop: 'HeapProfiler.stopSampling' },
}

async function post(session: inspector.Session, method: string, parameters: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => session.post(method, parameters, (error, result) => (error === null ? resolve(result) : reject(new Error(error.message)))))
}

/** Stops everything until it is taken. The bytes lie outside the heap. */
async function takeSnapshot(): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = []
  for await (const chunk of getHeapSnapshot()) pieces.push(...cut(chunk as Buffer))
  return pieces
}

/** Into pieces that fit into a frame each. */
function cut(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / PIECE_BYTES) }, (_, index) => bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES))
}
