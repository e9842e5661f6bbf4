import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { App, CLI, fixture, freePort } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { until } from '../harness/until.ts'

/** Runs the command in a format and gives back what it wrote until it ended by itself. */
async function output(format: string, script: string, env: Readonly<Record<string, string>> = {}): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [CLI, '--log-format', format, '-w', '1', fixture(script)], { env: { ...process.env, PORT: '0', NO_COLOR: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  await once(child, 'close')
  return { stdout, stderr }
}

test('process.exit() after a large write loses no byte', async () => {
  const { stdout, stderr } = await output('raw', 'writes-and-exits.cjs', { LINES: '40000' })
  const lines = stdout.trimEnd().split('\n')
  assert.deepEqual(lines.splice(40_000), ['after the large one', 'at exit'])
  assert.equal(lines.length, 40_000)
  lines.forEach((line, number) => assert.ok(line.startsWith(`line ${number} `), line))
  assert.ok(stderr.includes('last words'), 'an unfinished last line is kept too')
})

test('lines of workers that write at the same time stay whole', async (t) => {
  const app = await App.start(t, 'chatters.cjs', { workers: 4 })
  await app.line(/^DONE/, 4)
  for (const line of app.output) assert.match(line, /^(DONE|(\w)\2{199})$/)
  assert.equal(app.output.length, 4 * 501)
})

test('raw: the lines of the app are untouched, those of everycore go to stderr', async () => {
  const { stdout, stderr } = await output('raw', 'exits-zero.cjs')
  assert.equal(stdout, 'done\n')
  assert.match(stderr, /^everycore: /m)
})

test('pretty: each line tells slot and pid, and the escapes of an app are harmless', async () => {
  const { stdout } = await output('pretty', 'escapes.cjs')
  const line = stdout.split('\n').find((text) => text.includes('red')) ?? ''
  assert.match(line, /^\s*0 \d+\s+│ /)
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(stdout, /\x1b\]|\x1b\[2J|\x07/)
  assert.match(stdout, /\\x1b\[2J/)
})

test('json: every line is one object with slot, pid, stream and text', async () => {
  const { stdout } = await output('json', 'exits-zero.cjs')
  const records = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  const own = records.find(({ msg }) => msg === 'done')
  assert.deepEqual([own?.['slot'], own?.['stream'], own?.['level'], typeof own?.['pid']], [0, 'stdout', 30, 'number'])
})

test('a reader that stalls blocks no worker and grows no memory; what was dropped is told', { timeout: 60_000 }, async (t) => {
  const port = await freePort()
  const child = spawn(process.execPath, [CLI, '--log-format', 'raw', '-w', '2', fixture('floods.cjs')], { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGQUIT'))
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // Nobody reads stdout.
  await until('it serves', async () => get({ port }).then(() => true, () => false))
  const flooded = new Set<string>()
  await until('both workers have written 40 MB each', async () => {
    const { body } = await get({ port })
    const { slot, bytes } = JSON.parse(body) as { slot: string; bytes: number }
    if (bytes > 40e6) flooded.add(slot)
    return flooded.size === 2
  }, 40_000)
  const rss = Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]) * 4096
  assert.ok(rss < 150e6, `${rss} bytes`)
  child.stdout.resume()
  await until('the loss is told', () => /lines dropped/.test(stderr))
  child.kill('SIGTERM')
  await once(child, 'close')
})
