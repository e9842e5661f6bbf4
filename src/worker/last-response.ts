/**
 * Tells each HTTP/1.1 client that its connection ends, on the last response and on no earlier one:
 * after `Connection: close` a client discards what follows, and Node drops the responses of pipelined
 * requests that it has already run.
 *
 * Which response is the last is known for certain only when its head is written. So that is where it
 * is decided, from the begin of the drain on; before it, nothing is patched and a request costs nothing.
 *
 * @see RFC 9112, 9.3.2 and 9.6
 */
import { subscribe } from 'node:diagnostics_channel'
import type { Connections, OutgoingResponse, ServerSocket } from './connections.ts'

/** Of `_http_outgoing.js`, the same on Node 20 to 26. */
interface Head {
  _storeHeader: (this: OutgoingResponse, ...head: unknown[]) => void
}

/** From now on the last response of each connection says `Connection: close`. */
export function closeWithLastResponse(connections: Connections): void {
  const patched = new WeakSet<object>()
  const patch = (response: OutgoingResponse): void => {
    const owner = ownerOfHead(response)
    if (owner === undefined || patched.has(owner)) return
    patched.add(owner)
    patchHead(owner)
  }
  for (const socket of connections.sockets) if (socket.parser && socket._httpMessage) patch(socket._httpMessage)
  // Published before the app's handler, so that handlers which answer at once get it too.
  subscribe('http.server.request.start', (message) => patch((message as { readonly response: OutgoingResponse }).response))
}

/** The prototype that all messages of node:http share. */
function ownerOfHead(response: OutgoingResponse): Head | undefined {
  let object: object | null = response
  while (object !== null && !Object.hasOwn(object, '_storeHeader')) object = Object.getPrototypeOf(object) as object | null
  return object === null ? undefined : (object as Head)
}

function patchHead(owner: Head): void {
  const { _storeHeader: original } = owner
  owner._storeHeader = function (...head) {
    // A client's request goes the same way; it has no `req`.
    const socket = this.req?.socket
    const isLast = socket !== undefined && isNewest(this, socket)
    if (isLast) this.shouldKeepAlive = false
    original.apply(this, head)
    if (isLast && this._last !== true) endAfter(this, socket)
  }
}

/** The parser holds on to the newest request that it has seen. */
function isNewest({ req }: OutgoingResponse, { parser }: ServerSocket): boolean {
  return req !== undefined && parser?.incoming === req
}

/** The app wrote `Connection: keep-alive` itself: without a word to the client, the connection ends after the whole response. */
function endAfter(response: OutgoingResponse, socket: ServerSocket): void {
  // Behind Node's own listener, which gives the socket to the next response, if there is one by now.
  response.once('finish', () => {
    if (!socket._httpMessage) socket.destroySoon()
  })
}
