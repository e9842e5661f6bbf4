/** What a supervisor and its successor say to each other, in lines of JSON on a pair of sockets. */

/** The variable that names the successor's end, by its descriptor. Gone before workers are started. */
export const UPGRADE_VARIABLE = 'EVERYCORE_UPGRADE'
/** A successor that speaks another one refuses. */
export const LEGACY_VERSION = 1
/** Of what comes from the other process: one line is as long as 512 sockets make it. */
export const LEGACY_LIMIT = 1_000_000

/** The sockets of one address. */
export interface HeldBefore {
  /** What the address was bound for; the same request has the same key. */
  readonly key: string
  readonly ticketKeys: string | null
  /** One for all slots, or one for each that has its own. */
  readonly sockets: readonly { readonly slot: number; readonly fd: number }[]
}

/** What the successor inherits. Descriptors are its own numbers. */
export interface Legacy {
  readonly version: number
  /** Of the supervisor that goes. */
  readonly pid: number
  /** What the app may name by listen({ fd }). */
  readonly named: readonly number[]
  /** Those of systemd among them. */
  readonly announced: readonly number[]
  readonly held: readonly HeldBefore[]
  /** So that clients stay with the same slots. */
  readonly stickySecret: string | null
  /** How many workers there were to be; not told by older versions. */
  readonly size?: number
}

/** To the successor. */
export type PredecessorWord =
  | { readonly word: 'legacy'; readonly legacy: Legacy }
  /** The sockets are the successor's alone. */
  | { readonly word: 'yours' }
  /** The predecessor goes on, the successor is to end. */
  | { readonly word: 'cancel'; readonly why: string }

/** From the successor. */
export type SuccessorWord =
  | { readonly word: 'ready' }
  | { readonly word: 'failed'; readonly why: string }

/** @returns undefined for what is none */
export function readPredecessorWord(line: string): PredecessorWord | undefined {
  const value = parse(line)
  if (value?.['word'] === 'yours') return { word: 'yours' }
  if (value?.['word'] === 'cancel') return { word: 'cancel', why: String(value['why']) }
  const legacy = value?.['word'] === 'legacy' ? value['legacy'] : undefined
  return isLegacy(legacy) ? { word: 'legacy', legacy } : undefined
}

/** @returns undefined for what is none */
export function readSuccessorWord(line: string): SuccessorWord | undefined {
  const value = parse(line)
  if (value?.['word'] === 'ready') return { word: 'ready' }
  return value?.['word'] === 'failed' ? { word: 'failed', why: String(value['why']) } : undefined
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isLegacy(value: unknown): value is Legacy {
  if (!isRecord(value) || typeof value['version'] !== 'number' || typeof value['pid'] !== 'number') return false
  const { named, announced, held, stickySecret, size } = value
  if (size !== undefined && !Number.isInteger(size)) return false
  return areDescriptors(named) && areDescriptors(announced) && Array.isArray(held) && held.every(isHeldBefore) && isTextOrNull(stickySecret)
}

function isHeldBefore(value: unknown): value is HeldBefore {
  if (!isRecord(value) || typeof value['key'] !== 'string' || !isTextOrNull(value['ticketKeys'])) return false
  const { sockets } = value
  return Array.isArray(sockets) && sockets.length > 0 && sockets.every((one: unknown) => isRecord(one) && isDescriptor(one['fd']) && Number.isInteger(one['slot']))
}

function areDescriptors(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isDescriptor)
}

function isDescriptor(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 2
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
