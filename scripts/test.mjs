// Runs the test files: `npm test`, or `npm test -- core e2e/stopping` for those whose path contains a word.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compiled } from './typescript-hooks.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
// Long runs have scripts of their own.
const excluded = /[\\/](chaos|fixtures|soak)[\\/]/

const files = readdirSync(join(root, 'test'), { recursive: true })
  .map((name) => join('test', String(name)))
  .filter((name) => name.endsWith('.test.ts') && !excluded.test(name))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort()
if (files.length === 0) {
  console.error(`no test file matches ${words.join(', ')}`)
  process.exit(2)
}
// Once, and not by each of the processes that start at the same time.
for (const room of ['src', 'test']) {
  for (const name of readdirSync(join(root, room), { recursive: true })) if (String(name).endsWith('.ts') && !String(name).endsWith('.d.ts')) compiled(join(root, room, String(name)))
}
const reporter = process.env.CI === 'true' ? ['--test-reporter=spec'] : []

/** Returns the exit code. */
function run(some, concurrency) {
  if (some.length === 0) return 0
  const args = ['--import', new URL('typescript.mjs', import.meta.url).href, '--test', `--test-concurrency=${concurrency}`, ...reporter, ...some.map((file) => relative(root, join(root, file)))]
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1
}

// Clients that never pause, and are patient for some seconds: beside three other files, on two cores, they would be late themselves.
const isLoad = (file) => /[\\/]load[\\/]/.test(file)
const codes = [run(files.filter((file) => !isLoad(file)), 4), run(files.filter(isLoad), 1)]
process.exit(Math.max(...codes))
