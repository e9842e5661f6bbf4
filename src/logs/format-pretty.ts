import type { FormatOptions, Formatter } from './formatter.ts'
import { withoutReturn } from './line-splitter.ts'
import { prettyRecord } from './pretty-record.ts'
import { readRecord } from './record.ts'
import { sanitize, sanitizeBytes, SGR_RESET } from './sanitize.ts'
import type { LogLevel } from './types.ts'

/** SGR codes that tell slots apart on light and dark terminals; red and yellow are left to trouble. */
const SLOT_COLOURS = [36, 32, 35, 34, 96, 92, 95, 94] as const
const LEVEL_COLOURS: Readonly<Record<LogLevel, number>> = { error: 31, warn: 33, info: 2, debug: 2 }
const DIM = 2
const RED = 31

/** Digits of the largest pid on Linux (`/proc/sys/kernel/pid_max` is at most 4194304). */
const PID_DIGITS = 7

/** stderr and trouble have a heavy bar, so that they are told apart without colours too. */
const LIGHT_BAR = '│'
const HEAVY_BAR = '┃'
const CUT_MARK = '…'

/**
 * For a terminal: `slot pid │ text`, each slot in its colour, stderr behind a red bar, supervisor
 * lines with `everycore` in the place of slot and pid. A line of a logger is taken apart. Everything a
 * worker wrote is made harmless, and every line that comes of it has the prefix.
 */
export function createPrettyFormatter(options: Pick<FormatOptions, 'color' | 'size'>): Formatter {
  const { color } = options
  const slotDigits = String(Math.max(0, options.size - 1)).length
  const columnWidth = slotDigits + 1 + PID_DIGITS
  const paint = (sgr: number, text: string): string => (color ? `\u001B[${sgr}m${text}${SGR_RESET}` : text)

  return {
    recordsTo: 'stderr',
    channel(worker, stream) {
      // A spare has no slot yet.
      const seat = worker.slot < 0 ? '+' : String(worker.slot)
      const who = `${seat.padStart(slotDigits)} ${worker.pid}`.padEnd(columnWidth)
      const bar = stream === 'stderr' ? paint(RED, HEAVY_BAR) : paint(DIM, LIGHT_BAR)
      const prefix = `${paint(SLOT_COLOURS[worker.slot % SLOT_COLOURS.length] ?? DIM, who)} ${bar} `
      return {
        to: stream,
        closesPieces: true,
        render(bytes, end) {
          if (end === 'cut') return prefix + sanitizeBytes(bytes, color) + CUT_MARK
          const record = readRecord(bytes)
          if (record !== undefined) return prettyRecord(record, color).map((line) => prefix + line).join('\n')
          return prefix + sanitizeBytes(withoutReturn(bytes), color)
        },
      }
    },
    record(level, msg) {
      const trouble = level === 'error' || level === 'warn'
      const bar = paint(LEVEL_COLOURS[level], trouble ? HEAVY_BAR : LIGHT_BAR)
      const prefix = `${paint(DIM, 'everycore'.padEnd(columnWidth))} ${bar} `
      return msg.split('\n').map((line) => prefix + sanitize(line, color))
    },
  }
}
