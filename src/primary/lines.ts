/** Reads lines from the other side of an upgrade. */
import type { Readable } from 'node:stream'

/** Calls back for each line. What is longer than the limit is not read on. */
export function lines(stream: Readable, limit: number, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    const parts = `${rest}${text}`.split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) onLine(part)
    if (rest.length > limit) stream.destroy()
  })
}
