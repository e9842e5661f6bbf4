/** Durations and sizes as people write them; parsed once, at the edge. */

const DURATION_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SIZE_BYTES = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 } as const

/** A unit of time that {@link parseDuration} knows. */
export type DurationUnit = keyof typeof DURATION_MS

/**
 * Milliseconds of `500ms`, `30s`, `1.5m`, `2h`, `1d`.
 *
 * @param bare the unit of a number without one; undefined refuses such a number.
 * @returns undefined when the text is not a duration.
 */
export function parseDuration(text: string, bare?: DurationUnit): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?) ?(ms|s|m|h|d)?$/i.exec(text.trim())
  if (match === null) return undefined
  const unit = match[2]?.toLowerCase() ?? bare
  return unit !== undefined && isKeyOf(DURATION_MS, unit) ? Math.round(Number(match[1]) * DURATION_MS[unit]) : undefined
}

/** The shortest exact form: `500ms`, `1.5s`, `30s`, `1m`, `2h`. {@link parseDuration} reads it back. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  if (ms < 1000) return `${round(ms, 3)}ms`
  if (ms % DURATION_MS.h === 0) return `${ms / DURATION_MS.h}h`
  if (ms % DURATION_MS.m === 0) return `${ms / DURATION_MS.m}m`
  return `${round(ms / 1000, 3)}s`
}

/**
 * Bytes of `512M`, `1.5G`, `64kb`, `1GiB`; a number without unit is bytes. The units are powers of 1024.
 *
 * @returns undefined when the text is not a size.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,18}(?:\.\d{1,9})?) ?(?:([kmgt])i?b?|b)?$/i.exec(text.trim())
  if (match === null) return undefined
  const unit = match[2]?.toLowerCase()
  return Math.round(Number(match[1]) * (unit !== undefined && isKeyOf(SIZE_BYTES, unit) ? SIZE_BYTES[unit] : 1))
}

/** A size for people, with one decimal at most: `900`, `64K`, `512M`, `1.5G`. */
export function formatSize(bytes: number): string {
  for (const unit of ['t', 'g', 'm', 'k'] as const) {
    if (bytes >= SIZE_BYTES[unit]) return `${round(bytes / SIZE_BYTES[unit], 1)}${unit.toUpperCase()}`
  }
  return String(bytes)
}

function isKeyOf<Table extends object>(table: Table, key: PropertyKey): key is keyof Table {
  return Object.hasOwn(table, key)
}

function round(value: number, decimals: number): number {
  return Number(value.toFixed(decimals))
}
