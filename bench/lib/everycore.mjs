/** everycore, as the command, or as a library where the counts of the supervisor are wanted. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { start } from './running.mjs'
import { APPS, sleep } from './session.mjs'

const LIBRARY = join(APPS, 'everycore.mjs')
/** Workers tell how many they have handed over a moment after the last. */
const REPORT_MS = 300

/**
 * @param settings as the library takes them; the command gets them as flags
 * @param args more flags, for the command alone
 * @param onOutput gets what it prints
 * @param needs whether it can do so with this Node
 */
export function everycore({ name = 'everycore', settings = {}, args = [], onOutput, dist = 'dist', needs = () => true } = {}) {
  return {
    name,
    isAvailable: (session, node) => needs(session, node) && isKnown(session, node, settings),
    start: (session, options) =>
      start(session, 'everycore', options, ({ script, workers, node, env: given, cwd, log }) => {
        // As systemd names it; not that of the user, whose caches are none of ours.
        const runtimeDirectory = join(session.directory, `run-${node.major}`)
        mkdirSync(runtimeDirectory, { mode: 0o700, recursive: true })
        const env = { ...given, RUNTIME_DIRECTORY: runtimeDirectory }
        const built = join(session.package, dist)
        if (options.counts !== true) {
          const flags = ['--workers', String(workers), ...flagsOf(settings), ...args]
          return { child: session.spawn(node.path, [join(built, 'cli.cjs'), ...flags, script], { env, cwd, log, onOutput }) }
        }
        const child = session.spawn(node.path, [LIBRARY, join(built, 'index.js'), JSON.stringify({ workers, ...settings }), script], { env, cwd, log, hasChannel: true })
        return { child, handedOver: () => handedOver(child), ask: (question, details) => ask(child, question, details) }
      }),
  }
}

const flagsOf = (settings) => Object.entries(settings).flatMap(([key, value]) => [`--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, String(value)])

/** Connections that went from one worker to another, since the start. */
async function handedOver(child) {
  await sleep(REPORT_MS)
  const loads = await ask(child, 'loads')
  return loads.reduce((sum, load) => sum + load.taken, 0)
}

/** One question at a time; see apps/everycore.mjs. */
function ask(child, question, details = {}) {
  return new Promise((resolve) => {
    child.once('message', resolve)
    child.send({ question, ...details })
  })
}

/** False, with a word on stderr, when what is built has no such setting. */
function isKnown(session, node, settings) {
  if (Object.keys(settings).length === 0) return true
  const { status } = spawnSync(node.path, [LIBRARY, join(session.package, 'dist/index.js'), JSON.stringify(settings)], { stdio: 'ignore', timeout: 10_000 })
  if (status === 0) return true
  console.error(`bench: this build on Node ${node.version} knows no ${flagsOf(settings).join(' ')}; its lines are missing`)
  return false
}
