/**
 * Finds the WebSocket of an upgraded connection, for servers made with `ws`, which most libraries are built on. It is asked
 * to close, and not a frame written past it: only whoever writes the frames knows where one ends.
 *
 * @see https://github.com/websockets/ws, lib/websocket.js (setSocket)
 */
import type { Socket } from 'node:net'

/** Service restart (registry of RFC 6455, 11.7): come again, after a while. */
const SERVICE_RESTART = 1012

export interface WebSocket {
  readonly close: (code: number, reason: string) => void
  readonly readyState: number
  /** False while frames before it are being compressed or sent. */
  readonly _closeFrameSent?: boolean
}

const OPEN = 1

/** Tells the client by a close frame, if it was not told before. */
export function closeWebSocket(webSocket: WebSocket): void {
  try {
    if (webSocket.readyState === OPEN) webSocket.close(SERVICE_RESTART, 'service restart')
  } catch {
    // The app has put something else in its place; the connection ends without a word.
  }
}

/** Undefined for a connection that another library has. */
export function webSocketOf(socket: Socket): WebSocket | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'websocket')
  const found = symbol === undefined ? undefined : (socket as unknown as Record<symbol, Partial<WebSocket> | null>)[symbol]
  return typeof found?.close === 'function' && typeof found.readyState === 'number' ? (found as WebSocket) : undefined
}
