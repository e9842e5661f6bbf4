import type { Client } from '../client.ts'
import type { Connection } from '../connection.ts'
import { exchange, openFor } from '../exchange.ts'

/** How far from the announced drain a request is sent. */
const SPREAD_MS = 5

/**
 * Hunts the race between an idle keep-alive connection and its end: rests until a drain is announced, and sends one request
 * within some milliseconds of it, before or after.
 */
export const hunter: Client = async (context) => {
  let connection: Connection | undefined
  while (!context.isOver()) {
    if (connection?.isUsable !== true) {
      connection?.close()
      connection = await openFor(context)
      // A connection that has carried nothing is no idle one.
      if (connection !== undefined) await exchange(context, connection, { path: '/' })
    }
    const inMs = await context.nextDrain()
    await context.pause(Math.max(0, inMs + (context.random.fraction() * 2 - 1) * SPREAD_MS))
    if (connection?.isUsable === true && !context.isOver()) await exchange(context, connection, { path: '/' })
  }
  connection?.close()
}
