/** Runs all benches, or those that are named: `node bench/run.mjs [name...] [options]`. See bench/README.md. */
import { conclude, runBench } from './lib/bench.mjs'
import { parseOptions } from './lib/options.mjs'

const NAMES = ['new-connections', 'keep-alive', 'boot', 'memory', 'recovery', 'spread', 'burst', 'mixed', 'many-workers', 'sticky', 'migration', 'logs', 'status']

const options = parseOptions()
const unknown = options.names.filter((name) => !NAMES.includes(name))
if (unknown.length > 0) {
  console.error(`bench: no bench is called ${unknown.join(', ')}; there are ${NAMES.join(', ')}`)
  process.exit(2)
}
const outcomes = []
for (const name of options.names.length > 0 ? options.names : NAMES) {
  const { bench } = await import(`./${name}.mjs`)
  outcomes.push(await runBench(bench, options))
}
process.exitCode = conclude(outcomes, options)
