import type { Connection } from '../connection.ts'
import type { Client } from '../client.ts'
import { exchangeAll, openFor } from '../exchange.ts'

const DEPTH = 5
const THINK_MS = 100

/** Several requests in one segment, some of which take a moment. The answers come in order. */
export const pipelined: Client = async (context) => {
  let connection: Connection | undefined
  while (!context.isOver()) {
    if (connection?.isUsable !== true) {
      connection?.close()
      connection = await openFor(context)
    }
    if (connection === undefined) continue
    await exchangeAll(context, connection, Array.from({ length: DEPTH }, () => ({ path: `/?ms=${context.random.pick([0, 0, 1, 20])}` })))
    await context.pause(context.random.between(0, THINK_MS))
  }
  connection?.close()
}
