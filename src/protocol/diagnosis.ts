/**
 * How a worker is looked into: its inspector, and profiles of it. Orders and reports are JSON in frames of their own
 * kind; the bytes of a profile come in raw frames, and only as many as were asked for.
 */

/** `cpu`: where the time goes. `heap`: a snapshot of all objects. `sampling`: where memory is allocated. */
export const PROFILE_KINDS = ['cpu', 'heap', 'sampling'] as const

export type ProfileKind = (typeof PROFILE_KINDS)[number]

/** Bytes of a profile in one frame, at most. */
export const PIECE_BYTES = 64 * 1024

/** The supervisor's wishes. `seq` names each, and what comes of it. */
export type DiagnosisOrder =
  | { readonly type: 'measure'; readonly seq: number }
  /** Open the inspector on a free port of 127.0.0.1. */
  | { readonly type: 'inspect'; readonly seq: number }
  /** Close it, if it was opened for us. */
  | { readonly type: 'uninspect'; readonly seq: number }
  | { readonly type: 'profile'; readonly seq: number; readonly kind: ProfileKind; readonly ms: number }
  /** Send so many bytes more. */
  | { readonly type: 'fetch'; readonly seq: number; readonly bytes: number }
  /** Nobody wants it any more, whatever it was. */
  | { readonly type: 'forget'; readonly seq: number }

/** What a worker says to it. */
export type DiagnosisReport =
  | { readonly type: 'measured'; readonly seq: number; readonly heapUsedBytes: number; readonly externalBytes: number }
  /** The inspector listens there. It did before: `wasOpen`. */
  | { readonly type: 'inspecting'; readonly seq: number; readonly url: string; readonly wasOpen: boolean }
  /** The inspector is shut. */
  | { readonly type: 'uninspected'; readonly seq: number }
  /** It has begun. */
  | { readonly type: 'profiling'; readonly seq: number }
  /** It is complete, and has so many bytes. */
  | { readonly type: 'profiled'; readonly seq: number; readonly bytes: number }
  /** What was asked for cannot be done. */
  | { readonly type: 'failed'; readonly seq: number; readonly why: string }

const LONGEST_URL = 200
const LONGEST_WHY = 1000

/** Reads a report of a worker, which nobody trusts; undefined when it is none. */
export function parseDiagnosisReport(text: string): DiagnosisReport | undefined {
  const { type, seq, url, wasOpen, bytes, why, heapUsedBytes, externalBytes } = fieldsOf(text)
  if (!isCount(seq)) return undefined
  switch (type) {
    case 'measured':
      return isCount(heapUsedBytes) && isCount(externalBytes) ? { type, seq, heapUsedBytes, externalBytes } : undefined
    case 'inspecting':
      return typeof url === 'string' && url.length <= LONGEST_URL && /^ws:\/\/[!-~]+$/.test(url) && typeof wasOpen === 'boolean' ? { type, seq, url, wasOpen } : undefined
    case 'uninspected':
    case 'profiling':
      return { type, seq }
    case 'profiled':
      return isCount(bytes) ? { type, seq, bytes } : undefined
    case 'failed':
      return typeof why === 'string' ? { type, seq, why: why.slice(0, LONGEST_WHY) } : undefined
    default:
      return undefined
  }
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
