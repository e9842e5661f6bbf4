// npm run pictures: takes the pictures of docs/pictures from a real terminal (tmux), of a real app under load. Takes two minutes.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { ansiSvg } from './pictures/ansi-svg.mjs'

const root = new URL('..', import.meta.url).pathname
const port = Number(process.env.PORT ?? 3000)
const CLIENTS = 24
/** As many seconds as the curves are wide. */
const HISTORY_S = 66
const runtimeDir = mkdtempSync(join(tmpdir(), 'everycore-pictures-'))
const server = `everycore-pictures-${process.pid}`
const cli = `${root}dist/cli.cjs`
const screens = { top: { columns: 80, rows: 24 }, 'top-wide': { columns: 200, rows: 50 }, reload: { columns: 80, rows: 8 } }

const app = spawn(process.execPath, [cli, '-w', '4', '-p', String(port), '--name', 'shop', '--runtime-dir', runtimeDir, `${root}scripts/pictures/shop.cjs`], { stdio: ['ignore', 'ignore', 'inherit'] })
const ended = once(app, 'exit')
const over = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(end()))
try {
  await until(() => verb('status', '--json').status === 0)
  open('top', 'everycore top')
  open('top-wide', 'everycore top')
  open('reload', 'sh -i')
  const agent = new Agent({ keepAlive: true })
  for (let client = 0; client < CLIENTS; client += 1) void load(agent, client)
  await sleep((HISTORY_S - 6) * 1000)
  await ask(agent, '/crash')
  await sleep(6000)
  take('top', 'everycore top in a terminal of 80 columns and 24 lines: four workers under load, one has crashed and is back')
  for (let client = 0; client < 8; client += 1) void reports(agent)
  await sleep(1000)
  tmux('send-keys', '-t', '=reload:', 'everycore reload', 'Enter')
  await until(() => take('reload', 'everycore reload while it goes on: one slot after the other gets a new worker, old ones finish their requests', /slot [12] +old worker drains \([1-9]\d* in flight/))
  take('top-wide', 'everycore top in a terminal of 200 columns and 50 lines, during a reload')
} finally {
  end()
  await ended
  rmSync(runtimeDir, { recursive: true, force: true })
}
process.exit()

function end() {
  over.abort()
  tmux('kill-server')
  app.kill('SIGKILL')
  return 1
}

function verb(...argv) {
  return spawnSync(process.execPath, [cli, ...argv, '--runtime-dir', runtimeDir], { encoding: 'utf8' })
}

function tmux(...argv) {
  return spawnSync('tmux', ['-L', server, ...argv], { encoding: 'utf8' }).stdout
}

function open(name, command) {
  const { columns, rows } = screens[name]
  const variables = ['PS1=$ ', 'LC_ALL=C.UTF-8', `EVERYCORE_RUNTIME_DIR=${runtimeDir}`, `PATH=${root}scripts/pictures/bin:${process.env.PATH}`]
  tmux('-f', '/dev/null', 'new-session', '-d', '-s', name, '-x', String(columns), '-y', String(rows), 'env', '-u', 'CI', '-u', 'NO_COLOR', ...variables, ...command.split(' '))
}

/** Gives whether the screen shows what it should. */
function take(name, title, pattern = /./) {
  const screen = tmux('capture-pane', '-e', '-p', '-t', `=${name}:`)
  if (!pattern.test(stripVTControlCharacters(screen))) return false
  writeFileSync(`${root}docs/pictures/${name}.svg`, ansiSvg(screen, { title, ...screens[name] }))
  return true
}

/** A client that comes more often and less often, in waves. */
async function load(agent, client) {
  while (!over.signal.aborted) {
    await ask(agent, client % 3 === 0 ? '/cart' : '/articles/7')
    await sleep(30 * (1.2 + Math.sin(Date.now() / 5000)) + Math.random() * 20)
  }
}

/** A client of something slow, so that there is something to be finished. */
async function reports(agent) {
  while (!over.signal.aborted) await ask(agent, '/report')
}

async function ask(agent, path) {
  await new Promise((resolve) => {
    get({ port, path, agent }, (response) => response.resume().on('close', resolve)).on('error', resolve)
  })
}

async function until(holds) {
  for (let left = 200; !holds(); left -= 1) {
    if (left === 0) throw new Error('what is to be seen does not come')
    await sleep(100)
  }
}
