/** PM2, only ever run as a peer: installed for this run, with a home of its own, and removed afterwards. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from './session.mjs'

const run = promisify(execFile)
const prefixes = new WeakMap()

/** Path of its command; undefined, with a word on stderr, when it cannot be installed. */
function install(session) {
  if (!prefixes.has(session)) {
    const prefix = session.makeDirectory('pm2')
    try {
      execFileSync('npm', ['install', '--prefix', prefix, '--no-audit', '--no-fund', '--no-save', 'pm2@7'], { stdio: 'ignore', timeout: 180_000 })
      prefixes.set(session, join(prefix, 'node_modules', 'pm2'))
    } catch (error) {
      console.error(`bench: PM2 cannot be installed (${error.message}); its columns are missing`)
      prefixes.set(session, undefined)
    }
  }
  return prefixes.get(session)
}

export function pm2Version(session) {
  const path = install(session)
  return path === undefined ? undefined : JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')).version
}

export async function startPm2(session, { script, workers, node, env, log }) {
  const home = session.makeDirectory('pm2-home')
  const bin = join(install(session), 'bin', 'pm2')
  const environment = { ...env, PM2_HOME: home, PM2_DISCRETE_MODE: 'true', PM2_DISABLE_VERSION_CHECK: 'true' }
  const call = (...args) => run(node.path, [bin, ...args], { env: environment, cwd: home, timeout: 60_000 })
  const child = session.spawn(node.path, [bin, 'start', script, '-i', String(workers), '--name', 'bench'], { env: environment, cwd: home, log })
  const pidFile = join(home, 'pm2.pid')
  return {
    child,
    daemon: () => {
      if (!existsSync(pidFile)) return undefined
      const pid = Number(readFileSync(pidFile, 'utf8'))
      session.see(pid)
      return pid
    },
    // The command goes on after the workers listen; a daemon that ends under it would be started anew.
    settled: () => until(() => child.exitCode !== null, 'pm2 start to end', { everyMs: 20 }),
    async stop() {
      const pid = Number(readFileSync(pidFile, 'utf8'))
      session.see(pid)
      await call('kill').catch(() => {})
      await session.end(pid)
    },
  }
}
