/** Reads server-sent events. @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
import type { Readable } from 'node:stream'

export interface ReadEvent {
  readonly name: string
  readonly data: string
  readonly id: string | undefined
}

/** Longest event; the server sends none that is longer. */
const LONGEST = 4 * 1024 * 1024

/** Each event of a stream, as far as our server writes them: one `data` line each. Comments are left out. */
export async function* readEvents(stream: Readable): AsyncGenerator<ReadEvent> {
  let rest = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    const blocks = `${rest}${String(chunk)}`.split('\n\n')
    rest = blocks.pop() ?? ''
    if (rest.length > LONGEST) throw new Error('an event is too long')
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
      const [name, data] = [fields.get('event'), fields.get('data')]
      if (name !== undefined && data !== undefined) yield { name, data, id: fields.get('id') }
    }
  }
}
