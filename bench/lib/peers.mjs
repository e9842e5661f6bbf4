/**
 * The peers, as one table. `start(session, { script, workers, node })` runs a script on so many workers and
 * returns when all listen: `{ name, pids: { primary, workers }, hasPrimary, url, startedAt, ready,
 * idleSockets, stop }`.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pm2Version, startPm2 } from './pm2.mjs'
import { isAlive, openSockets } from './proc.mjs'
import { now, waitReady } from './ready.mjs'
import { APPS, until } from './session.mjs'

const CLUSTER = join(APPS, 'cluster.cjs')

/** Everything that is alike for all peers. */
async function start(session, name, { script, workers, node, env: extra = {} }, launch) {
  const readyDirectory = session.makeDirectory(`${name}-ready`)
  const cwd = session.makeDirectory(`${name}-cwd`)
  const log = join(cwd, 'output.log')
  const env = session.environment(node, { BENCH_READY_DIR: readyDirectory, ...extra })
  const startedAt = now()
  const running = await launch({ script, workers, node, env, cwd, log })
  try {
    const ready = await waitReady(readyDirectory, (entries) => entries.length >= workers)
    const primary = running.primary === undefined ? running.child.pid : await until(running.primary, 'the pid of the primary')
    session.see(primary)
    const pids = { primary, workers: ready.map(({ pid }) => pid) }
    await running.settled?.()
    const { port } = ready[0]
    if (ready.some((entry) => entry.port !== port)) throw new Error(`the workers of ${name} listen on different ports`)
    const stop = async () => {
      session.see(primary)
      await (running.stop?.() ?? session.end(primary))
      await until(() => !pids.workers.some((pid) => isAlive(pid)), `the workers of ${name} to end`)
    }
    return { name, pids, hasPrimary: running.hasPrimary ?? true, port, url: `http://127.0.0.1:${port}/`, readyDirectory, startedAt, ready, idleSockets: pids.workers.map((pid) => openSockets(pid)), stop }
  } catch (error) {
    await (running.stop?.() ?? session.end(running.child.pid))
    throw new Error(`${name} did not start: ${error.message}\n${readFileSync(log, 'utf8').slice(-2000)}`, { cause: error })
  }
}

function clusterPeer(name, policy) {
  return {
    name,
    start: (session, options) => start(session, name, options, ({ script, workers, node, env, cwd, log }) => ({ child: session.spawn(node.path, [CLUSTER, policy, String(workers), script], { env, cwd, log }) })),
  }
}

/** `args`: more flags; `onOutput`: gets what it prints. */
export function everycore({ name = 'everycore', args = [], onOutput, dist = 'dist' } = {}) {
  return {
    name,
    start: (session, options) =>
      start(session, 'everycore', options, ({ script, workers, node, env, cwd, log }) => {
        const flags = ['--workers', String(workers), ...args]
        // As systemd names it; not that of the user, whose caches are none of ours.
        const runtimeDirectory = join(session.directory, `run-${node.major}`)
        mkdirSync(runtimeDirectory, { mode: 0o700, recursive: true })
        return { child: session.spawn(node.path, [join(session.package, dist, 'cli.cjs'), ...flags, script], { env: { ...env, RUNTIME_DIRECTORY: runtimeDirectory }, cwd, log, onOutput }) }
      }),
  }
}

export const PEERS = {
  everycore: everycore(),
  json: everycore({ name: 'everycore json', args: ['--log-format', 'json'] }),
  rr: clusterPeer('cluster rr', 'rr'),
  none: clusterPeer('cluster none', 'none'),
  pm2: {
    name: 'pm2',
    isAvailable: (session) => pm2Version(session) !== undefined,
    start: (session, options) =>
      start(session, 'pm2', options, async (given) => {
        const running = await startPm2(session, given)
        return { ...running, primary: running.daemon }
      }),
  },
  plain: {
    name: 'plain node',
    start: (session, options) =>
      start(session, 'plain', { ...options, workers: 1 }, ({ script, node, env, cwd, log }) => ({ child: session.spawn(node.path, [script], { env, cwd, log }), hasPrimary: false })),
  },
}

/** The wanted ones that can run here. */
export function choosePeers(session, wanted, only) {
  const keys = only === undefined ? wanted : wanted.filter((key) => only.includes(key))
  return keys.filter((key) => PEERS[key].isAvailable?.(session) ?? true)
}
