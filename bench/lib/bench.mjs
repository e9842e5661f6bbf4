/** The frame of each bench: options, session, one section for each Node, verdicts, exit code. */
import { realpathSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { findNode } from './nodes.mjs'
import { format } from './numbers.mjs'
import { parseOptions } from './options.mjs'
import { Session } from './session.mjs'
import { requireWrk } from './wrk.mjs'

/** What a bench reports to. */
class Report {
  verdicts = []
  data = {}

  constructor(node) {
    this.node = node
  }

  print(text = '') {
    console.log(text)
  }

  /** Keeps raw numbers for --json. */
  keep(name, values) {
    this.data[name] = values
  }

  atLeast(what, value, target, unit = '') {
    this.#add(what, value >= target, `${format(value, 2)}${unit}, at least ${target}${unit}`)
  }

  atMost(what, value, target, unit = '') {
    this.#add(what, value <= target, `${format(value, 2)}${unit}, at most ${target}${unit}`)
  }

  #add(what, met, text) {
    const verdict = { what, met, text, node: this.node.version }
    this.verdicts.push(verdict)
    console.log(`${met ? 'met   ' : 'MISSED'}  ${what}: ${text}`)
  }
}

/**
 * Runs one bench, or as part of run.mjs.
 *
 * @param bench `{ name, title, usesWrk, run({ session, node, options, report }) }`
 */
export async function runBench(bench, options) {
  if (bench.usesWrk !== false) requireWrk()
  const began = performance.now()
  const session = new Session()
  const reports = []
  const forgetSignals = onInterruption(() => session.close(true))
  let failure
  try {
    await session.copyPackage()
    for (const node of options.majors.map((major) => findNode(major))) {
      console.log(`\n== ${bench.name}: ${bench.title}\n   Node ${node.version}, ${options.workers} workers, ${cpus().length} x ${cpus()[0]?.model.trim()}, Linux ${release()}, load average ${format(loadavg()[0], 1)}\n`)
      const report = new Report(node)
      reports.push(report)
      await bench.run({ session, node, options, report })
    }
  } catch (error) {
    failure = error
    console.error(`bench ${bench.name}: ${error.stack}`)
  }
  const left = await session.close()
  forgetSignals()
  for (const what of left) console.error(`bench ${bench.name}: left behind: ${what}`)
  console.log(`\n   ${bench.name} took ${Math.round((performance.now() - began) / 1000)} s`)
  return {
    name: bench.name,
    failed: failure !== undefined || left.length > 0,
    results: reports.map(({ node, verdicts, data }) => ({ node: node.version, verdicts, data })),
  }
}

/** A run that is broken off leaves nothing behind either. Returns how to stop listening. */
function onInterruption(clean) {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }
  const stop = (name) => void clean().finally(() => process.exit(codes[name]))
  for (const name of Object.keys(codes)) process.once(name, stop)
  return () => {
    for (const name of Object.keys(codes)) process.off(name, stop)
  }
}

/** The exit code: 0 when all targets are met, 1 when one is missed or a bench failed. */
export function conclude(outcomes, options) {
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(outcomes, null, 2)}\n`)
  const verdicts = outcomes.flatMap(({ name, results }) => results.flatMap((result) => result.verdicts.map((verdict) => ({ ...verdict, name }))))
  const missed = verdicts.filter(({ met }) => !met)
  console.log(`\n${verdicts.length - missed.length} of ${verdicts.length} targets met`)
  for (const { name, node, what, text } of missed) console.log(`MISSED  ${name}, Node ${node}: ${what}: ${text}`)
  return missed.length > 0 || outcomes.some(({ failed }) => failed) ? 1 : 0
}

/** For `node bench/<name>.mjs`; does nothing when the file is imported by run.mjs. */
export async function runAlone(bench, url) {
  if (process.argv[1] === undefined || realpathSync(process.argv[1]) !== fileURLToPath(url)) return
  const options = parseOptions()
  process.exitCode = conclude([await runBench(bench, options)], options)
}
