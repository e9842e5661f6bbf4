import { assertNever } from '../base/assert-never.ts'
import { createJsonFormatter } from './format-json.ts'
import { createPrettyFormatter } from './format-pretty.ts'
import { createRawFormatter } from './format-raw.ts'
import type { FormatOptions, Formatter } from './formatter.ts'

/** Makes the formatter; a promise because json loads pino, which the other formats do without. */
export async function createFormatter(options: FormatOptions): Promise<Formatter> {
  switch (options.format) {
    case 'raw':
      return createRawFormatter()
    case 'pretty':
      return createPrettyFormatter(options)
    case 'json':
      return createJsonFormatter(options)
    default:
      return assertNever(options.format)
  }
}
