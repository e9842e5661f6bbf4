import type { Connection } from '../connection.ts'
import type { Client } from '../client.ts'
import { exchange, openFor } from '../exchange.ts'

const THINK_MS = 100

/** One request after the other on one connection, for as long as the server leaves it open. */
export const keepAlive: Client = async (context) => {
  let connection: Connection | undefined
  while (!context.isOver()) {
    if (connection?.isUsable !== true) {
      connection?.close()
      connection = await openFor(context)
    }
    if (connection === undefined) continue
    await exchange(context, connection, { path: '/' })
    await context.pause(context.random.between(0, THINK_MS))
  }
  connection?.close()
}
