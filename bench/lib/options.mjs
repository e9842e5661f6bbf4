/** Options that all benches share. */
import { parseArgs } from 'node:util'

const USAGE = `usage: npm run bench -- [name...] [options]
  --node 20,24      majors of Node
  --rounds N        of each peer, in turns
  --seconds N       of each measurement
  --workers N       default 2
  --peers a,b       only these
  --json FILE       writes all figures
bench/README.md says more.`

export function parseOptions(argv = process.argv.slice(2)) {
  try {
    return readOptions(argv)
  } catch (error) {
    const isHelp = argv.includes('--help') || argv.includes('-h')
    console.error(isHelp ? USAGE : `bench: ${error.message}\n${USAGE}`)
    return process.exit(isHelp ? 0 : 2)
  }
}

function readOptions(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      node: { type: 'string', default: '20,24' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      workers: { type: 'string', default: '2' },
      peers: { type: 'string' },
      json: { type: 'string' },
    },
  })
  return {
    names: positionals,
    majors: values.node.split(',').map((part) => part.trim()),
    rounds: values.rounds === undefined ? undefined : positive('rounds', values.rounds),
    seconds: values.seconds === undefined ? undefined : positive('seconds', values.seconds),
    workers: positive('workers', values.workers),
    peers: values.peers?.split(','),
    json: values.json,
  }
}

function positive(name, text) {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} needs a whole number from 1, not ${text}`)
  return value
}
