import { hostname } from 'node:os'
import { EverycoreError } from '../base/errors.ts'
import { EXIT, type ExitCode } from '../base/exit-codes.ts'

/** How and where to report. */
export interface ReportOptions {
  readonly write: (text: string) => void
  readonly format: 'text' | 'json'
  readonly color: boolean
}

/** Level of a fatal line, as pino counts. */
const FATAL = 60

/**
 * Tells what went wrong: what, why, what to do. A stack stands only below what is our own defect.
 *
 * @returns the exit code that belongs to the error.
 */
export function reportError(error: unknown, { write, format, color }: ReportOptions): ExitCode {
  const known = toEverycoreError(error)
  const stack = known.code === 'ERR_EVERYCORE_INTERNAL' ? stackOf(error) : undefined
  const label = color ? '\u001B[31meverycore:\u001B[39m' : 'everycore:'
  const text = [`${label} ${errorText(known).join('\n')}`, ...(stack === undefined ? [] : [visible(stack)])].join('\n')
  write(`${format === 'json' ? jsonLine(known, stack) : text}\n`)
  return error instanceof EverycoreError ? error.exitCode : EXIT.failure
}

/** What happened, why and what to do, in lines; all but the first are indented. */
export function errorText({ message, why, hint, lastLines }: EverycoreError): readonly string[] {
  const details = [why, ...lastLines.map((line) => `  ${line}`), hint].filter((part) => part !== undefined)
  return [...visible(message).split('\n'), ...details.flatMap((part) => visible(part).split('\n')).map((line) => `  ${line}`)]
}

function jsonLine({ message, code, why, hint, lastLines }: EverycoreError, stack: string | undefined): string {
  return JSON.stringify({ level: FATAL, time: Date.now(), pid: process.pid, hostname: hostname(), msg: message, code, why, hint, ...(lastLines.length > 0 && { lastLines }), stack })
}

/** What is none of ours is a defect of ours. */
export function toEverycoreError(error: unknown): EverycoreError {
  if (error instanceof EverycoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new EverycoreError('ERR_EVERYCORE_INTERNAL', `internal error: ${message}`, { hint: 'This is a defect of everycore. Please report it with the lines below.', cause: error })
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined
}

/** Control characters written out: a file name must not be able to steer the terminal. */
function visible(value: string): string {
  return value.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
