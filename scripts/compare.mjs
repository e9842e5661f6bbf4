// The same faults under the same load, for everycore and others: `npm run compare`, or `-- --products everycore,pm2 --scenarios reload`.
import { cpus, release } from 'node:os'
import { parseArgs } from 'node:util'
import { table } from '../bench/lib/numbers.mjs'
import { findNode } from '../bench/lib/nodes.mjs'
import { Session } from '../bench/lib/session.mjs'
import { quantile } from '../test/chaos/slope.ts'
import { chooseSeed } from '../test/harness/load/seed.ts'
import { PRODUCTS } from './compare/products.mjs'
import { SCENARIOS } from './compare/scenarios.mjs'
import { trial } from './compare/trial.mjs'

const WORKERS = 2

const USAGE = `usage: npm run compare -- [options]
  --products LIST    of ${Object.keys(PRODUCTS).join(', ')} (all)
  --scenarios LIST   of ${Object.keys(SCENARIOS).join(', ')} (all)
  --node N           the line of Node that runs them (22)
  --seed N           the same clients at the same moments again`

const values = read({
  products: { type: 'string', default: Object.keys(PRODUCTS).join() },
  scenarios: { type: 'string', default: Object.keys(SCENARIOS).join() },
  node: { type: 'string', default: '22' },
  seed: { type: 'string' },
  help: { type: 'boolean' },
})
if (values.help) {
  console.log(USAGE)
  process.exit()
}
const products = named(PRODUCTS, values.products)
const scenarios = named(SCENARIOS, values.scenarios)
const session = new Session()
const seed = Number(values.seed ?? chooseSeed())
const rows = []
let failed = false
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => void session.close(true).finally(() => process.exit(1)))
try {
  await session.copyPackage()
  const node = findNode(values.node)
  console.log(`Node ${node.version}, ${WORKERS} workers, ${cpus().length} x ${cpus()[0]?.model.trim()}, Linux ${release()}, --seed ${seed}`)
  for (const scenario of scenarios) {
    for (const product of products) rows.push(await rowOf(scenario, product, node))
  }
} finally {
  const left = await session.close()
  for (const what of left) console.error(`left behind: ${what}`)
}
console.log(`\n${table(['scenario', 'product', 'sent', 'lost', 'refused', 'stuck', 'other', 'recovery p50 ms', 'p99 ms', 'orphans'], rows)}`)
console.log('\nlost: without an answer, or with a part of one; other: wrong, 5xx, run twice\nrecovery: from the fault until the last request that failed, and a new connection was answered (stuck requests are given up after 4 s)')
process.exitCode = failed ? 1 : 0

function read(options) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    console.error(`compare: ${error.message}\n${USAGE}`)
    return process.exit(2)
  }
}

function named(all, keys) {
  return keys.split(',').map((key) => {
    if (Object.hasOwn(all, key)) return all[key]
    console.error(`compare: there is no ${key}; there are ${Object.keys(all).join(', ')}`)
    return process.exit(2)
  })
}

async function rowOf(scenario, product, node) {
  const version = product.version?.(session)
  const name = version === undefined ? product.name : `${product.name} ${version}`
  const whyNot = product.version !== undefined && version === undefined ? 'cannot be installed' : (product.whyNot?.(node) ?? (scenario.needsProcesses && product.hasThreads ? 'threads of one process' : undefined))
  if (whyNot !== undefined) return [scenario.title, name, `(${whyNot})`, '', '', '', '', '', '', '']
  try {
    const { sent, lost, refused, stuck, other, recoveries, orphans } = await trial({ session, node, workers: WORKERS, seed }, product, scenario)
    const p = (part) => (recoveries.length === 0 ? '' : recoveries.includes(Number.POSITIVE_INFINITY) ? 'never' : Math.round(quantile(recoveries, part)))
    const row = [scenario.title, name, ...(scenario.endsProduct ? ['', '', '', '', ''] : [sent, lost, refused, stuck, other]), p(0.5), p(0.99), orphans ?? '']
    console.log(row.join(' | '))
    return row
  } catch (error) {
    failed = true
    console.error(`${name}, ${scenario.title}: ${error.stack}`)
    return [scenario.title, name, `(failed: ${error.message.split('\n', 1)[0]})`, '', '', '', '', '', '', '']
  }
}
