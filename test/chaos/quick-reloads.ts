/** Many reloads in a short time: the supervisor holds as many descriptors as before, and its memory does not grow. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { fixture, freePort } from '../harness/app.ts'
import { theilSen } from './slope.ts'
import { below, exactly, told, type Row } from './verdict.ts'

const LIBRARY = new URL('../../dist/index.js', import.meta.url).href
const PROGRAM = fileURLToPath(new URL('../fixtures/programs/quick-reloads.mjs', import.meta.url))
const EVERY = 20
/** Of all reloads: caches fill, and code is compiled. */
const WARM_UP = 0.2
const KILOBYTE = 1000

interface Sample {
  readonly reloads: number
  readonly descriptors: number
  readonly rss: number
  readonly heapUsed: number
}

export async function quickReloads(reloads: number): Promise<readonly Row[]> {
  const began = performance.now()
  const child = spawn(process.execPath, ['--expose-gc', PROGRAM, LIBRARY, fixture('web.cjs'), String(reloads), String(EVERY)], {
    env: { ...process.env, PORT: String(await freePort()) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const samples: Sample[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('SAMPLE ')) samples.push(JSON.parse(line.slice(7)) as Sample)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  const warm = samples.filter((sample) => sample.reloads >= reloads * WARM_UP)
  const slope = (field: 'rss' | 'heapUsed'): number => theilSen(warm.map((sample) => ({ x: sample.reloads, y: sample[field] }))) / KILOBYTE
  const counts = new Set(warm.map(({ descriptors }) => descriptors))
  return [
    exactly('exit code', code ?? -1, 0),
    exactly('reloads', samples.at(-1)?.reloads ?? 0, reloads),
    told('time for each', `${((performance.now() - began) / reloads).toFixed(0)} ms`),
    { what: 'descriptors of the supervisor', found: [...counts].join(', '), wanted: 'always as many', met: counts.size === 1 },
    below('its memory (RSS after a collection), Theil-Sen slope', slope('rss'), 0.5, 'kB for each reload'),
    below('its heap, Theil-Sen slope', slope('heapUsed'), 0.5, 'kB for each reload'),
    told('RSS at the first sample, after the warm-up and at the end', [samples[0], warm[0], samples.at(-1)].map((sample) => `${((sample?.rss ?? 0) / 1e6).toFixed(1)} MB`).join(', ')),
  ]
}
