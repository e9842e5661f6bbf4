/**
 * The peers, as one table. `start(session, { script, workers, node, env, counts })` runs a script on so many workers
 * and returns when all listen: see `start` in running.mjs.
 */
import { join } from 'node:path'
import { everycore } from './everycore.mjs'
import { nginx } from './nginx.mjs'
import { pm2Version, startPm2 } from './pm2.mjs'
import { freePort, start } from './running.mjs'
import { APPS } from './session.mjs'
import { startSticky, stickyModules } from './socketio.mjs'

const CLUSTER = join(APPS, 'cluster.cjs')

/** What the kernel does with SO_REUSEPORT needs an option of `listen`, or a flag of libuv. */
const hasReusePort = (session, { version }) => {
  const [major, minor] = version.slice(1).split('.').map(Number)
  return major >= 24 || (major === 22 && minor >= 12)
}

function clusterPeer(name, policy) {
  return {
    name,
    start: (session, options) => start(session, name, options, ({ script, workers, node, env, cwd, log }) => ({ child: session.spawn(node.path, [CLUSTER, policy, String(workers), script], { env, cwd, log }) })),
  }
}

export const PEERS = {
  everycore: everycore(),
  uncounted: everycore({ name: 'everycore --no-vitals', args: ['--no-vitals'] }),
  json: everycore({ name: 'everycore json', args: ['--log-format', 'json'] }),
  shared: everycore({ name: 'everycore shared', settings: { balance: 'shared' } }),
  slots: everycore({ name: 'everycore reuseport', settings: { balance: 'reuseport' }, needs: hasReusePort }),
  ip: everycore({ name: 'everycore sticky ip', settings: { sticky: 'ip' } }),
  cookie: everycore({ name: 'everycore sticky cookie', settings: { sticky: 'cookie' } }),
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
  reuseport: {
    name: 'bare reusePort',
    hasPrimary: false,
    isAvailable: hasReusePort,
    start: async (session, options) => {
      const own = { BENCH_PORT: String(await freePort()), BENCH_LISTEN: 'reuseport' }
      return start(session, 'reuseport', { ...options, env: { ...options.env, ...own } }, ({ script, workers, node, env, cwd, log }) => ({
        children: Array.from({ length: workers }, () => session.spawn(node.path, [script], { env, cwd, log })),
      }))
    },
  },
  held: {
    name: 'held reuseport',
    isAvailable: hasReusePort,
    start: async (session, options) => {
      const own = { BENCH_PORT: String(await freePort()) }
      return start(session, 'held', { ...options, env: { ...options.env, ...own } }, ({ script, workers, node, env, cwd, log }) => ({
        child: session.spawn(node.path, [join(APPS, 'held-reuseport.cjs'), String(workers), script], { env, cwd, log }),
      }))
    },
  },
  nginx: nginx('nginx'),
  nginxIp: nginx('nginx ip_hash', ['ip_hash']),
  sticky: {
    name: '@socket.io/sticky',
    isAvailable: (session) => stickyModules(session) !== undefined,
    start: startSticky,
  },
  plain: {
    name: 'plain node',
    hasPrimary: false,
    start: (session, options) => start(session, 'plain', { ...options, workers: 1 }, ({ script, node, env, cwd, log }) => ({ children: [session.spawn(node.path, [script], { env, cwd, log })] })),
  },
}

/** The wanted ones that can run here. */
export function choosePeers({ session, node, options }, wanted) {
  const keys = options.peers === undefined ? wanted : wanted.filter((key) => options.peers.includes(key))
  return keys.filter((key) => PEERS[key].isAvailable?.(session, node) ?? true)
}
