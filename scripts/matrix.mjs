// Runs the test suite on every Node line that is supported: `npm run test:matrix`, or `-- 22 24` for some.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const asked = process.argv.slice(2)
const versions = asked.length > 0 ? asked : ['20', '22', '24', '26']
const results = []
const directory = mkdtempSync(join(tmpdir(), 'everycore-matrix-'))
chmodSync(directory, 0o755)

/** A copy that every user can run: npx keeps its own in the home of whoever runs this, and some tests drop privileges. */
function reachable(node, version) {
  const path = join(directory, version, 'node')
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  copyFileSync(node, path)
  return path
}

for (const version of versions) {
  const where = spawnSync('npx', ['-y', '-p', `node@${version}`, 'node', '-p', 'process.execPath'], { encoding: 'utf8' })
  if (where.status !== 0) {
    console.error(`node ${version} could not be fetched: ${where.stderr}`)
    results.push([version, 'missing'])
    continue
  }
  const node = reachable(where.stdout.trim(), version)
  console.log(`\n== node ${version} (${node})`)
  // The tests start `process.execPath`, so the runner's own Node is what is tested.
  const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` }
  const { status } = spawnSync(node, ['scripts/test.mjs'], { stdio: 'inherit', env })
  results.push([version, status === 0 ? 'passed' : 'failed'])
}
rmSync(directory, { recursive: true, force: true })
console.log(`\n${results.map(([version, result]) => `node ${version}: ${result}`).join('\n')}`)
process.exitCode = results.every(([, result]) => result === 'passed') ? 0 : 1
