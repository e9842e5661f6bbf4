import type { Client } from '../client.ts'
import type { Connection } from '../connection.ts'
import { exchange, openFor } from '../exchange.ts'

/** How far from the announced drain a request is sent. */
const SPREAD_MS = 5
/** Node's servers promise five seconds, and say so: after that, their end of a connection is no surprise. */
const PROMISED_MS = 4000

/**
 * Hunts the race between an idle keep-alive connection and its end: rests until a drain is announced, and sends one request
 * within some milliseconds of it, before or after.
 */
export const hunter: Client = async (context) => {
  let connection: Connection | undefined
  let usedAt = 0
  while (!context.isOver()) {
    if (connection?.isUsable !== true) {
      connection?.close()
      connection = await openFor(context)
      // A connection that has carried nothing is no idle one.
      if (connection !== undefined) await exchange(context, connection, { path: '/' })
      usedAt = performance.now()
    }
    const inMs = await context.nextDrain()
    await context.pause(Math.max(0, inMs + (context.random.fraction() * 2 - 1) * SPREAD_MS))
    if (performance.now() - usedAt > PROMISED_MS) connection?.close()
    if (connection?.isUsable === true && !context.isOver()) await exchange(context, connection, { path: '/' })
    usedAt = performance.now()
  }
  connection?.close()
}
