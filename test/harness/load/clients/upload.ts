import type { Connection } from '../connection.ts'
import type { Client } from '../client.ts'
import { exchange, openFor } from '../exchange.ts'

const PIECES = 16
const PIECE_BYTES = 4096

/** A chunked upload that takes longer than the announcement of a drain. */
export const upload: Client = async (context) => {
  let connection: Connection | undefined
  while (!context.isOver()) {
    if (connection?.isUsable !== true) {
      connection?.close()
      connection = await openFor(context)
    }
    if (connection === undefined) continue
    const pieces = Array.from({ length: PIECES }, () => Buffer.alloc(PIECE_BYTES, context.random.between(0, 255)))
    await exchange(context, connection, { path: '/', pieces, pauseMs: context.random.between(20, 80) })
  }
  connection?.close()
}
