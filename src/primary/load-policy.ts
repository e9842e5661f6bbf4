/**
 * How many workers a load needs. Pure: what is seen goes in, twice a second, and what is to be done comes out.
 *
 * It grows when the event loops are busier than TARGET, to so many workers that they would not be; it shrinks by one when
 * the whole load would keep one less busier than FIT at no time of `shrinkAfterMs`. A load that stays the same can do
 * only one of the two: what is above TARGET for n workers is above FIT for any number that it grows to, less one.
 */
import type { SizeRange } from '../config/types.ts'

/** Requests that come and last by chance wait three times as long as they take, on average, at 0.75 (M/M/1). */
const TARGET = 0.75
/** Far enough below it that neither noise nor the cost of one more process leads back. */
const FIT = 0.5
/** How long it must be busier than TARGET, in addition to what the smoothing takes. */
const ABOVE_MS = 2000
/** After a change, and whenever a worker has been missing: new code is slow at first, and connections have to find it. */
const SETTLE_MS = 3000
/** Time constant of the smoothing. */
const MEMORY_MS = 1000

/** What is seen of the service. */
export interface Sight {
  /** Milliseconds of a clock that only goes on. */
  readonly at: number
  /** Nothing else changes the workers now, and each slot has one that serves and has been heard. */
  readonly isSteady: boolean
  readonly size: number
  readonly range: SizeRange
  /** Mean over the workers, smoothed; 0 to 1. */
  readonly busy: number
  /** How many more workers the memory has room for. Asked only when there would be more. */
  readonly room: () => number
}

/** What has to be remembered from one look to the next. Times are those of {@link Sight}; undefined: it is not so. */
export interface Impression {
  readonly steadySince: number | undefined
  readonly aboveSince: number | undefined
  readonly belowSince: number | undefined
  /** It was said that memory is short. */
  readonly isVetoed: boolean
}

export type Verdict =
  | { readonly name: 'stay' }
  | { readonly name: 'resize'; readonly size: number }
  /** There should be more, and memory has no room. Given once, and again after a calm or a change. */
  | { readonly name: 'vetoed' }

/** Before anything was seen, and after each change. */
export const NO_IMPRESSION: Impression = { steadySince: undefined, aboveSince: undefined, belowSince: undefined, isVetoed: false }

const STAY: Verdict = { name: 'stay' }

/** @param shrinkAfterMs how long the load must have been low */
export function look(before: Impression, sight: Sight, shrinkAfterMs: number): readonly [Impression, Verdict] {
  const { at, isSteady, size, range, busy, room } = sight
  const isVetoed = before.isVetoed && busy > FIT
  if (!isSteady) return [{ ...NO_IMPRESSION, isVetoed }, STAY]
  const steadySince = before.steadySince ?? at
  if (at - steadySince < SETTLE_MS) return [{ ...NO_IMPRESSION, isVetoed, steadySince }, STAY]
  const aboveSince = busy > TARGET && size < range.most ? (before.aboveSince ?? at) : undefined
  const belowSince = busy * size < FIT * (size - 1) && size > range.least ? (before.belowSince ?? at) : undefined
  const seen: Impression = { steadySince, aboveSince, belowSince, isVetoed }
  if (belowSince !== undefined && at - belowSince >= shrinkAfterMs) return [NO_IMPRESSION, { name: 'resize', size: size - 1 }]
  if (aboveSince === undefined || at - aboveSince < ABOVE_MS) return [seen, STAY]
  // Of loops that are never idle nobody knows how much more there is to do: then it is a third more at a time.
  const wanted = Math.min(range.most, Math.max(size + 1, Math.ceil((size * busy) / TARGET)))
  const to = Math.min(wanted, size + room())
  if (to > size) return [NO_IMPRESSION, { name: 'resize', size: to }]
  return [{ ...seen, isVetoed: true }, isVetoed ? STAY : { name: 'vetoed' }]
}

/** A value that follows what is measured. A measurement counts by the time that it covers. */
export function smooth(before: number, measured: number, coversMs: number): number {
  const weight = Math.exp(-coversMs / MEMORY_MS)
  return before * weight + measured * (1 - weight)
}
