import type { Formatter } from './formatter.ts'
import { sanitize } from './sanitize.ts'

/**
 * Worker output byte for byte, each stream where it belongs; the supervisor speaks on stderr, one
 * `everycore: ` a line. What a supervisor line quotes is made harmless, what a worker writes is not.
 */
export function createRawFormatter(): Formatter {
  return {
    recordsTo: 'stderr',
    channel: (_worker, stream) => ({ to: stream, closesPieces: false, render: (bytes) => bytes }),
    record: (_level, msg) => msg.split('\n').map((line) => `everycore: ${sanitize(line, false)}`),
  }
}
