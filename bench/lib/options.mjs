/** Options that all benches share. */
import { parseArgs } from 'node:util'

export function parseOptions(argv = process.argv.slice(2)) {
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
