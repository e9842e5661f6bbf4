/**
 * The JavaScript of the manual. Every `js` block parses. One marked `run` is a program: it runs beside a
 * tiny server.js and must end by itself with code 0. One marked `worker` is an app: it runs under the
 * command and must stop when it is asked to; `cjs` makes it a CommonJS one. One marked `config` is a config file
 * (also in `ts` and `json`), which `everycore check` must find in order.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { transform } from 'esbuild'
import { App, CLI } from '../harness/app.ts'
import { fences, manual, ROOT, type Fence } from './markdown.ts'

const SERVER = `require('node:http').createServer((request, response) => response.end('ok')).listen(process.env.PORT)\n`
const PATIENCE_MS = 30_000

const snippets = manual().flatMap((page) => fences(page).filter(({ language }) => language === 'js'))

/** A folder of a user: `everycore` installed, and a server. */
function project(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-docs-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(ROOT, join(directory, 'node_modules/everycore'), 'junction')
  writeFileSync(join(directory, 'server.js'), SERVER)
  return directory
}

function title({ page, line }: Fence): string {
  return `${page}:${line}`
}

for (const snippet of snippets) {
  test(`${title(snippet)} parses`, async () => {
    const { warnings } = await transform(snippet.code, { loader: 'js' })
    assert.deepEqual(warnings, [])
  })
}

for (const snippet of snippets.filter(({ marks }) => marks.includes('run'))) {
  test(`${title(snippet)} runs`, async (t) => {
    const directory = project(t)
    writeFileSync(join(directory, 'program.mjs'), snippet.code)
    const child = spawn(process.execPath, ['program.mjs'], { cwd: directory, env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    const [code] = (await once(child, 'close')) as [number | null]
    clearTimeout(timer)
    assert.equal(code, 0, output)
  })
}

for (const snippet of snippets.filter(({ marks }) => marks.includes('worker'))) {
  test(`${title(snippet)} serves and stops`, async (t) => {
    const directory = project(t)
    const script = join(directory, snippet.marks.includes('cjs') ? 'app.cjs' : 'app.mjs')
    writeFileSync(script, snippet.code)
    const options = snippet.marks.includes('wait-ready') ? ['--wait-ready'] : []
    const app = await App.ready(t, script, { options, cwd: directory, workers: 1 })
    assert.deepEqual(await app.stop(), { code: 0, signal: null }, app.transcript)
  })
}

for (const snippet of manual().flatMap((page) => fences(page)).filter(({ marks }) => marks.includes('config'))) {
  test(`${title(snippet)} is a config that holds`, (t) => {
    const directory = project(t)
    // For Node that does not remove types.
    symlinkSync(join(ROOT, 'node_modules/tsx'), join(directory, 'node_modules/tsx'), 'junction')
    writeFileSync(join(directory, `everycore.config.${snippet.language === 'js' ? 'mjs' : snippet.language}`), snippet.code)
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'check'], { cwd: directory, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  })
}

test('the pages with an interface have snippets that were run', () => {
  for (const [page, mark] of [['docs/library.md', 'run'], ['docs/worker-api.md', 'worker']] as const) {
    assert.ok(snippets.some((snippet) => snippet.page === page && snippet.marks.includes(mark)), page)
    const idle = snippets.filter((snippet) => snippet.page === page && !snippet.marks.includes('run') && !snippet.marks.includes('worker'))
    assert.deepEqual(idle.map(title), [], 'every js block of these pages is run')
  }
  assert.ok(CLI.endsWith('cli.cjs'))
})
