import { settingError } from './problems.ts'

/** Every process costs memory and a boot slot; nobody has asked for more, and a slip of the keyboard has. */
export const MAX_WORKERS = 1024

/** A number of workers, with the words that it was asked in. */
export type Count =
  | { readonly kind: 'auto'; readonly asked: string }
  /** Every core that the process may run on, whatever the CPU quota says. */
  | { readonly kind: 'max'; readonly asked: string }
  | { readonly kind: 'count'; readonly asked: string; readonly count: number }
  /** A part of `auto`. */
  | { readonly kind: 'percent'; readonly asked: string; readonly percent: number }
  /** `auto` but so many. */
  | { readonly kind: 'less'; readonly asked: string; readonly by: number }

/** What `--workers` asks for. */
export type Workers =
  | Count
  /** As many as the load needs, between two ends. */
  | { readonly kind: 'range'; readonly asked: string; readonly least: Count; readonly most: Count }

/** Reads `auto`, `max`, `4`, `50%`, `-1`, or two of them as `2-auto`; undefined for everything else, also for 0 and above {@link MAX_WORKERS}. */
export function parseWorkers(text: string): Workers | undefined {
  const asked = text.trim().toLowerCase()
  const count = parseCount(asked)
  if (count !== undefined) return count
  const [, first = '', second = ''] = /^(-?[^-]+)-(-?[^-]+)$/.exec(asked) ?? []
  const [least, most] = [parseCount(first), parseCount(second)]
  return least === undefined || most === undefined ? undefined : { kind: 'range', asked, least, most }
}

function parseCount(asked: string): Count | undefined {
  if (asked === 'auto' || asked === 'max') return { kind: asked, asked }
  const match = /^(-)?(\d{1,4})(%)?$/.exec(asked)
  const number = Number(match?.[2])
  if (match === null || number === 0) return undefined
  const [, minus, , percent] = match
  if (percent !== undefined) return minus === undefined && number <= 1000 ? { kind: 'percent', asked, percent: number } : undefined
  if (number > MAX_WORKERS) return undefined
  return minus === undefined ? { kind: 'count', asked, count: number } : { kind: 'less', asked, by: number }
}

/** For a number that a program gives at run time. @throws EverycoreError ERR_EVERYCORE_SETTING */
export function requireCount(size: number): void {
  if (Number.isInteger(size) && size >= 1 && size <= MAX_WORKERS) return
  throw settingError(`${size} is not a number of workers`, `give a whole number from 1 to ${MAX_WORKERS}`)
}
