import type { Client } from '../client.ts'
import { exchange, openFor } from '../exchange.ts'

const THINK_MS = 80

/** A connection for each request. */
export const fresh: Client = async (context) => {
  while (!context.isOver()) {
    const connection = await openFor(context)
    if (connection === undefined) continue
    await exchange(context, connection, { path: '/', headers: { connection: 'close' } })
    connection.close()
    await context.pause(context.random.between(0, THINK_MS))
  }
}
