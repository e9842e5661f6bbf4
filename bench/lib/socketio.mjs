/** @socket.io/sticky, and Socket.IO for the apps of its bench. */
import { join } from 'node:path'
import { install } from './packages.mjs'
import { freePort, start } from './running.mjs'
import { APPS } from './session.mjs'

/** Path of the `node_modules` that holds both; undefined when they cannot be installed. */
export function stickyModules(session) {
  return install(session, 'socketio', ['socket.io@4', '@socket.io/sticky@2'])
}

/** Runs apps/socketio.cjs, which knows how it gets its connections here. */
export async function startSticky(session, options) {
  const own = { BENCH_PORT: String(await freePort()), BENCH_LISTEN: 'sticky' }
  return start(session, 'sticky', { ...options, env: { ...options.env, ...own } }, ({ script, workers, node, env, cwd, log }) => ({
    child: session.spawn(node.path, [join(APPS, 'socketio-sticky.cjs'), String(workers), script], { env, cwd, log }),
  }))
}
