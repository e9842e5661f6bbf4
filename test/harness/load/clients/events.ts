import type { Client } from '../client.ts'
import { exchange, openFor } from '../exchange.ts'
import type { Response } from '../response-reader.ts'

const COUNT = 10

/** Server-sent events: a stream that outlives a drain, in which none is missing. */
export const events: Client = async (context) => {
  while (!context.isOver()) {
    const connection = await openFor(context)
    if (connection === undefined) continue
    await exchange(context, connection, { path: `/events?count=${COUNT}&ms=${context.random.between(20, 80)}`, judge: flawOf })
    connection.close()
  }
}

function flawOf({ status, body }: Response): string | undefined {
  const [, ...lines] = body.toString('latin1').trimEnd().split('\n\n')
  const expected = [...Array.from({ length: COUNT }, (_, index) => `id: ${index + 1}`), 'event: end']
  return status === 200 && lines.join() === expected.join() ? undefined : `status ${status}, events ${lines.join()}`
}
