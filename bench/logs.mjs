/** Claim: to remember a line costs the supervisor less than a quarter of a microsecond, to write it to a file less than half of one. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { runAlone } from './lib/bench.mjs'
import { formatSpread, median, pairDifferences, table } from './lib/numbers.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS } from './lib/session.mjs'

const SOURCE = fileURLToPath(new URL('../src/logs/', import.meta.url))

/** What is measured: a name, and what `apps/log-lines.mjs` is given. */
const CASES = {
  'raw': { format: 'raw', lines: 'text', ringBytes: 0 },
  'raw, ring': { format: 'raw', lines: 'text' },
  'raw, ring, file': { format: 'raw', lines: 'text', isFile: true },
  'json, ring': { format: 'json', lines: 'text' },
  'json, ring, lines of pino': { format: 'json', lines: 'json' },
  'pretty, ring': { format: 'pretty', lines: 'text' },
  'pretty, ring, lines of pino': { format: 'pretty', lines: 'json' },
}

export const bench = {
  name: 'logs',
  usesWrk: false,
  title: 'CPU of the supervisor for each line of a worker (about 110 bytes), in nanoseconds',
  async run({ session, node, options, report }) {
    const { rounds = 5 } = options
    const bundle = join(session.package, 'logs.mjs')
    await build({ stdin: { contents: "export * from './logs.ts'\nexport { LogRing } from './ring.ts'", resolveDir: SOURCE, loader: 'ts' }, outfile: bundle, bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'warning', define: { __EVERYCORE_VERSION__: '"bench"' } })
    const keys = Object.keys(CASES)
    const results = await inTurns(keys, rounds, (key) => measure(bundle, CASES[key], session, node))
    report.keep('rounds', results)
    const column = (key, field = 'nanoseconds') => results[key].map((result) => result[field])
    report.print(
      table(
        ['', 'ns a line', 'more than raw', 'lines a second and core'],
        keys.map((key) => [key, formatSpread(column(key), 0), formatSpread(pairDifferences(column(key), column('raw')), 0), Math.round(1e9 / median(column(key))).toLocaleString('en')]),
      ),
    )
    const held = (key) => formatSpread(column(key, 'longestMs'))
    report.print(`\nwho asks for a level that no line has looks through 1 MiB, and holds up the event loop for at most ${held('raw, ring')} ms at a time; where each line is JSON, ${held('json, ring, lines of pino')} ms\n`)
    report.atMost('the ring, for each line', median(pairDifferences(column('raw, ring'), column('raw'))), 250, ' ns')
    report.atMost('the file beyond the ring, for each line', median(pairDifferences(column('raw, ring, file'), column('raw, ring'))), 500, ' ns')
    report.atMost('lines that were lost', Math.max(...keys.flatMap((key) => column(key, 'dropped'))), 0)
  },
}

function measure(bundle, { isFile = false, ...given }, session, node) {
  const directory = session.makeDirectory('logs')
  const text = execFileSync(node.path, [join(APPS, 'log-lines.mjs'), bundle, JSON.stringify({ ...given, ...(isFile && { file: join(directory, 'bench.log') }) })], { encoding: 'utf8', env: session.environment(node), timeout: 120_000 })
  return JSON.parse(text)
}

await runAlone(bench, import.meta.url)
