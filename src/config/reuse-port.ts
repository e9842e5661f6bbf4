/** Whether several sockets can be bound to one port (SO_REUSEPORT). */

interface BoundHandle {
  readonly close: () => void
  readonly listen: (backlog: number) => number
  readonly getsockname: (out: { port?: number }) => number
}

type Bind = (address: string, port: number, addressType: number, fd: undefined, flags: number) => BoundHandle | number

/** UV_TCP_REUSEPORT (libuv 1.49): older ones do not know it and say nothing. */
const REUSEPORT = 2
const LOOPBACK = '127.0.0.1'

/**
 * Tries it: a second socket on a port of the loopback interface where one listens already.
 *
 * @see lib/net.js, createServerHandle; the flag came with Node 22.12
 */
export function tryReusePort(): boolean {
  const bind = (process.getBuiltinModule('node:net') as unknown as { readonly _createServerHandle?: Bind })._createServerHandle
  const first = bind?.(LOOPBACK, 0, 4, undefined, REUSEPORT)
  if (bind === undefined || typeof first !== 'object') return false
  const port = first.listen(1) === 0 ? portOf(first) : undefined
  const second = port === undefined ? undefined : bind(LOOPBACK, port, 4, undefined, REUSEPORT)
  const isShared = typeof second === 'object' && portOf(second) === port
  if (typeof second === 'object') second.close()
  first.close()
  return isShared
}

function portOf(handle: BoundHandle): number | undefined {
  const name: { port?: number } = {}
  return handle.getsockname(name) === 0 ? name.port : undefined
}
