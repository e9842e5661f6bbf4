/** Figures for people, in few columns; a dash for one that is not known. */
import { ageText } from '../base/age.ts'
import { formatSize } from '../base/units.ts'

export const UNKNOWN = '-'

/** `0.4`, `12`, `1.2k`, `34k`, `5.6M`. */
export function countText(value: number | null): string {
  if (value === null) return UNKNOWN
  if (value < 10 && !Number.isInteger(value)) return value.toFixed(1)
  if (value < 1000) return String(Math.round(value))
  const [scaled, unit] = value < 1e6 ? [value / 1000, 'k'] : [value / 1e6, 'M']
  return `${scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)}${unit}`
}

export function percentText(ratio: number | null): string {
  return ratio === null ? UNKNOWN : `${Math.round(ratio * 100)}%`
}

export function millisText(ms: number | null): string {
  if (ms === null) return UNKNOWN
  if (ms < 10) return `${ms.toFixed(1)}ms`
  return ms < 10_000 ? `${Math.round(ms)}ms` : `${Math.round(ms / 1000)}s`
}

export function bytesText(bytes: number | null): string {
  return bytes === null ? UNKNOWN : formatSize(bytes)
}

export function durationText(ms: number | null): string {
  return ms === null ? UNKNOWN : ageText(ms)
}

/** Local time of an ISO date, as `13:05:59`; nothing when it is none. */
export function clockText(iso: string): string {
  const at = new Date(iso)
  return Number.isNaN(at.getTime()) ? ''.padEnd(8) : [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}
