/** `npm run chaos`: reads the options, runs, prints the verdict. */
import { parseArgs } from 'node:util'
import { chooseSeed } from '../harness/load/seed.ts'
import { chaos } from './chaos.ts'
import { quickReloads } from './quick-reloads.ts'
import { printTable } from './verdict.ts'

const USAGE = `usage: npm run chaos -- [options]
  --reloads N         under a mixed load, 40 % of them of bad releases, with kills, hangs, stops and storms
                      of signals; each takes 2.5 to 3.5 s, so 1000 take about 50 minutes (100)
  --seconds N         at most, for these (no limit)
  --quick-reloads N   without a load, as quick as can be: descriptors and memory of the supervisor (0)
  --seed N            the same faults at the same steps again`

/** Returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let options: ReturnType<typeof read>
  try {
    options = read(argv)
  } catch (error) {
    const isHelp = argv.includes('--help')
    console.error(isHelp ? USAGE : `${String(error)}\n${USAGE}`)
    return isHelp ? 0 : 2
  }
  const { reloads, seconds, quick, seed } = options
  const rows = []
  if (quick > 0) {
    const found = await quickReloads(quick)
    printTable(`${quick} quick reloads`, found)
    rows.push(...found)
  }
  if (reloads > 0) {
    console.log(`chaos: --seed ${seed}`)
    const found = await chaos({ reloads, seconds, seed })
    printTable(`chaos: --reloads ${reloads} --seed ${seed}`, found)
    rows.push(...found)
  }
  return rows.every(({ met }) => met) ? 0 : 1
}

function read(argv: readonly string[]): { readonly reloads: number; readonly seconds: number; readonly quick: number; readonly seed: number } {
  const { values } = parseArgs({ args: [...argv], options: { reloads: { type: 'string' }, seconds: { type: 'string' }, 'quick-reloads': { type: 'string' }, seed: { type: 'string' } } })
  const number = (name: keyof typeof values, fallback: number): number => {
    const value = Number(values[name] ?? fallback)
    if (Number.isNaN(value) || value < 0) throw new TypeError(`--${name} needs a number, not ${values[name]}`)
    return value
  }
  const quick = number('quick-reloads', 0)
  return { reloads: number('reloads', quick > 0 ? 0 : 100), seconds: number('seconds', Number.POSITIVE_INFINITY), quick, seed: number('seed', chooseSeed()) }
}
