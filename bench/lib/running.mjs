/** What is alike for all peers: the start, the wait until all listen, the end. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { isAlive, openSockets } from './proc.mjs'
import { now, waitReady } from './ready.mjs'
import { signal, until } from './session.mjs'

/**
 * Starts a peer and waits until all its workers listen.
 *
 * @param launch starts processes, and returns `{ child }`, a primary, or `{ children }`, workers without one; besides
 *   `primary()`, its pid if it is another; `settled()`, to wait for; `front(ready)`, which puts something in front and
 *   returns `{ pids, port }`; `handedOver()`; `ask()`; `reload()`, where that is not SIGUSR2 to the primary; `stop()`
 * @returns `{ name, pids: { primary, front, workers }, hasPrimary, port, url, readyDirectory, startedAt, ready,
 *   idleSockets, handedOver, ask, reload, stop }`; `front` is whatever a connection costs CPU besides the workers
 */
export async function start(session, name, { script, workers, node, env: extra = {} }, launch) {
  const readyDirectory = session.makeDirectory(`${name.replaceAll(/\W/g, '-')}-ready`)
  const cwd = session.makeDirectory(`${name.replaceAll(/\W/g, '-')}-cwd`)
  const log = join(cwd, 'output.log')
  const env = session.environment(node, { BENCH_READY_DIR: readyDirectory, ...extra })
  const startedAt = now()
  const running = await launch({ script, workers, node, env, cwd, log })
  const children = running.children ?? [running.child]
  const hasPrimary = running.children === undefined
  const end = () => running.stop?.() ?? Promise.all(children.map(({ pid }) => session.end(pid)))
  try {
    const ready = await waitReady(readyDirectory, (entries) => entries.length >= workers)
    const primary = running.primary === undefined ? children[0].pid : await until(running.primary, 'the pid of the primary')
    session.see(primary)
    await running.settled?.()
    const front = await running.front?.(ready)
    const pids = { primary, front: front?.pids ?? (hasPrimary ? [primary] : []), workers: ready.map(({ pid }) => pid) }
    const port = front?.port ?? ready[0].port
    if (front === undefined && ready.some((entry) => entry.port !== port)) throw new Error(`the workers of ${name} listen on different ports`)
    const stop = async () => {
      session.see(primary)
      await end()
      await until(() => !pids.workers.some((pid) => isAlive(pid)), `the workers of ${name} to end`)
    }
    return { name, pids, hasPrimary, port, url: `http://127.0.0.1:${port}/`, readyDirectory, startedAt, ready, idleSockets: pids.workers.map((pid) => openSockets(pid)), handedOver: running.handedOver, ask: running.ask, reload: running.reload ?? (() => signal(primary, 'SIGUSR2')), stop }
  } catch (error) {
    await end()
    throw new Error(`${name} did not start: ${error.message}\n${readFileSync(log, 'utf8').slice(-2000)}`, { cause: error })
  }
}

/** A port that nobody has at the moment, for peers that cannot ask for any. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
