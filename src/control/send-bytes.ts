import type { ServerResponse } from 'node:http'
import { LIMITS } from './limits.ts'
import type { ProfileSource } from './ports.ts'

/** Sends the bytes of a profile as quickly as the client takes them. Cut off is all that can be told once some have been sent. */
export async function sendBytes(response: ServerResponse, { bytes, pid, read, cancel }: ProfileSource): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes, 'everycore-worker': pid, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  try {
    for (let piece = await read(); piece !== undefined && !response.destroyed; piece = await read()) {
      // oxlint-disable-next-line no-await-in-loop
      if (!response.write(piece)) await taken(response)
    }
    response.end()
  } catch {
    response.destroy()
  } finally {
    cancel()
  }
}

/** Who takes nothing for too long is dropped. */
async function taken(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer)
      response.off('drain', settle).off('close', settle)
      resolve()
    }
    const timer = setTimeout(() => response.destroy(), LIMITS.writeTimeoutMs).unref()
    response.once('drain', settle).once('close', settle)
  })
}
