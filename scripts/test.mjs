// Runs the test files: `npm test`, or `npm test -- core e2e/stopping` for those whose path contains a word.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

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
const reporter = process.env.CI === 'true' ? ['--test-reporter=spec'] : []
const { status } = spawnSync(process.execPath, ['--import', 'tsx', '--test', '--test-concurrency=3', ...reporter, ...files.map((file) => relative(root, join(root, file)))], { cwd: root, stdio: 'inherit' })
process.exit(status ?? 1)
