import type { Client } from '../client.ts'
import { exchange, openFor, readProof } from '../exchange.ts'

/** More than the buffers of both kernels hold. */
const BYTES = 8_000_000
const BYTES_PER_MS = 8000

/** Reads a large answer slowly, to its last byte. */
export const slowReader: Client = async (context) => {
  while (!context.isOver()) {
    const connection = await openFor(context, { readBytesPerMs: BYTES_PER_MS })
    if (connection === undefined) continue
    await exchange(context, connection, {
      path: `/?fill=${BYTES}`,
      judge: ({ status, body }) => (status === 200 && body.length === body.indexOf('\n') + 1 + BYTES && readProof(body.toString('latin1', 0, 500)) !== undefined ? undefined : `status ${status}, ${body.length} bytes`),
    })
    connection.close()
    await context.pause(100)
  }
}
