import type { Connection } from '../connection.ts'
import type { Client } from '../client.ts'
import { exchange, openFor } from '../exchange.ts'

/** Requests that take their time: one is in flight at nearly every moment. */
export const slow: Client = async (context) => {
  let connection: Connection | undefined
  while (!context.isOver()) {
    if (connection?.isUsable !== true) {
      connection?.close()
      connection = await openFor(context)
    }
    if (connection !== undefined) await exchange(context, connection, { path: `/?ms=${context.random.between(200, 1200)}` })
  }
  connection?.close()
}
