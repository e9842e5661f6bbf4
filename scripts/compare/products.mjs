/**
 * The products. `start({ session, node, ledger, script, workers, port, onDrain })` starts one and returns `{ pid, reload, stop }`:
 * the pid of what supervises; a function that asks for a reload and waits for its end, as the product tells it; the end.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { install } from '../../bench/lib/packages.mjs'
import { sleep, until } from '../../bench/lib/session.mjs'

const run = promisify(execFile)
const CLUSTER = fileURLToPath(new URL('../../test/fixtures/peers/cluster.cjs', import.meta.url))
/** How long a product may take for a reload before the scenario goes on. */
const RELOAD_MS = 30_000

/** Calls for each line of JSON that a process prints. */
function jsonLines(onRecord) {
  let rest = ''
  return (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    for (const line of lines) if (line.startsWith('{')) onRecord(JSON.parse(line))
  }
}

/** For those that tell what they do in JSON, and reload on SIGUSR2. */
async function startTelling({ session, node, env, cwd, onDrain }, args) {
  const events = []
  const child = session.spawn(node.path, args, {
    env,
    cwd,
    log: join(cwd, 'output.log'),
    onOutput: jsonLines((record) => {
      events.push(record.event)
      if (record.event === 'worker:draining') onDrain(0)
    }),
  })
  const ends = () => events.filter((event) => event === 'reload:finished' || event === 'reload:aborted').length
  await until(() => events.includes('primary:started'), 'all workers to listen')
  return {
    pid: child.pid,
    async reload() {
      const before = ends()
      child.kill('SIGUSR2')
      await until(() => ends() > before, 'the end of a reload', { timeoutMs: RELOAD_MS }).catch(() => {})
    },
    stop: () => session.end(child.pid),
  }
}

const everycore = {
  name: 'everycore',
  start: (given) => startTelling(given, [join(given.session.package, 'dist/cli.cjs'), 'start', '--log-format', 'json', '-v', '-w', String(given.workers), given.script]),
}

const cluster = {
  name: 'node:cluster',
  start: (given) => startTelling(given, [CLUSTER, 'article', String(given.workers), given.script]),
}

const pm2 = {
  name: 'pm2',
  version: (session) => versionOf(install(session, 'pm2', ['pm2@7']), 'pm2'),
  async start({ session, node, env, cwd, script, workers, ledger, onDrain }) {
    const bin = join(install(session, 'pm2', ['pm2@7']), 'pm2/bin/pm2')
    const environment = { ...env, PM2_HOME: cwd, PM2_DISCRETE_MODE: 'true', PM2_DISABLE_VERSION_CHECK: 'true' }
    const call = (...args) => run(node.path, [bin, ...args], { env: environment, cwd, timeout: 60_000 })
    await call('start', script, '-i', String(workers), '--name', 'app')
    const pid = Number(readFileSync(join(cwd, 'pm2.pid'), 'utf8'))
    session.see(pid)
    return {
      pid,
      async reload() {
        // It tells nothing while it does so: a new worker is the sign.
        const isOver = { value: false }
        const watching = announceNew(ledger, onDrain, isOver)
        await call('reload', 'app').catch(() => {})
        isOver.value = true
        await watching
      },
      async stop() {
        session.see(pid)
        await call('kill').catch(() => {})
        await session.end(pid)
      },
    }
  },
}

/** A file more in the ledger is a worker more. */
async function announceNew(ledger, onDrain, isOver) {
  let count = readdirSync(ledger.directory).length
  while (!isOver.value) {
    const now = readdirSync(ledger.directory).length
    if (now > count) onDrain(0)
    count = now
    await sleep(5)
  }
}

const WATT = ['wattpm@3', '@platformatic/node@3']

const watt = {
  name: 'watt',
  version: (session) => versionOf(install(session, 'watt', WATT), 'wattpm'),
  whyNot: ({ version }) => {
    const [major, minor] = version.slice(1).split('.').map(Number)
    return major > 22 || (major === 22 && minor >= 19) ? undefined : 'needs Node 22.19'
  },
  hasThreads: true,
  async start({ session, node, env, cwd, script, workers, port, onDrain }) {
    const modules = install(session, 'watt', WATT)
    // Its app is a directory; the release is the file in it.
    const app = join(cwd, 'app')
    mkdirSync(app)
    if (!existsSync(join(cwd, 'node_modules'))) symlinkSync(modules, join(cwd, 'node_modules'))
    symlinkSync(script, join(app, 'server.cjs'))
    writeFileSync(join(cwd, 'package.json'), '{"name":"compare","private":true}')
    writeFileSync(join(app, 'package.json'), '{"name":"main","main":"server.cjs"}')
    const { version } = JSON.parse(readFileSync(join(modules, 'wattpm/package.json'), 'utf8'))
    const schema = (name) => `https://schemas.platformatic.dev/${name}/${version}.json`
    writeFileSync(join(cwd, 'watt.json'), JSON.stringify({ $schema: schema('wattpm'), server: { hostname: '127.0.0.1', port }, logger: { level: 'info' }, workers, entrypoint: 'main', applications: [{ id: 'main', path: './app' }] }))
    writeFileSync(join(app, 'watt.json'), JSON.stringify({ $schema: schema('@platformatic/node'), node: { main: 'server.cjs' } }))
    const bin = join(modules, 'wattpm/bin/cli.js')
    let listens = false
    const child = session.spawn(node.path, [bin, 'start'], {
      env,
      cwd,
      log: join(cwd, 'output.log'),
      onOutput: jsonLines(({ msg = '' }) => {
        if (msg.includes('is now listening at')) listens = true
        if (msg.startsWith('Stopping the worker')) onDrain(0)
      }),
    })
    await until(() => listens, 'watt to listen', { timeoutMs: 60_000 })
    return {
      pid: child.pid,
      // Its `reload` stops everything and starts it anew; `restart` replaces one worker after the other.
      reload: () => run(node.path, [bin, 'restart', String(child.pid)], { env, cwd, timeout: RELOAD_MS }).catch(() => {}),
      stop: () => session.end(child.pid),
    }
  },
}

function versionOf(modules, name) {
  return modules === undefined ? undefined : JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version
}

export const PRODUCTS = { everycore, cluster, pm2, watt }

/** Starts one of them on a release of its own. */
export async function startProduct(product, { session, node, ledger, workers, port, release, onDrain }) {
  const cwd = session.makeDirectory(product.name.replaceAll(/\W/g, '-'))
  const script = join(session.makeDirectory('release'), 'server.cjs')
  const env = session.environment(node, { PORT: String(port), LEDGER_DIR: ledger.directory, RUNTIME_DIRECTORY: join(dirname(cwd)) })
  writeFileSync(script, release)
  const running = await product.start({ session, node, ledger, script, workers, port, env, cwd, onDrain })
  session.see(running.pid)
  return { ...running, put: (text) => writeFileSync(script, text) }
}
