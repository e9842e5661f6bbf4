/** PM2, only ever run as a peer: installed for this run, with a home of its own, and removed afterwards. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { install as installPackages } from './packages.mjs'
import { until } from './session.mjs'

const run = promisify(execFile)

function install(session) {
  const modules = installPackages(session, 'pm2', ['pm2@7'])
  return modules === undefined ? undefined : join(modules, 'pm2')
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
    // `pm2 jlist` and the like.
    ask: (...args) => call(...args),
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
