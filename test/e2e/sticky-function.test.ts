import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { freePort } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { Program } from '../harness/program.ts'

/** Starts four workers whose clients the function tells apart. */
async function start(t: TestContext, sticky: string): Promise<{ readonly port: number; readonly slotOf: (user: string) => Promise<string>; readonly program: Program }> {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    import { PassThrough } from 'node:stream'
    const stderr = new PassThrough().on('data', (bytes) => String(bytes).includes('the function') && report('warned', String(bytes)))
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 4, port: ${port}, sticky: ${sticky}, stdout: stderr, stderr, logFormat: 'raw', color: false, verbosity: 'normal' })
    await supervisor.start()
    report('started', true)
    process.once('SIGTERM', () => supervisor.stop())
  `,
  )
  await program.report('started')
  const slotOf = async (user: string): Promise<string> => (JSON.parse((await get({ port }, '/', { 'x-user': user })).body) as { readonly slot: string }).slot
  return { port, slotOf, program }
}

test('a function tells clients apart by what it likes', async (t) => {
  const { slotOf } = await start(t, `({ method, url, headers, remoteAddress }) => method === 'GET' && url === '/' && remoteAddress ? headers['x-user'] : undefined`)
  const users = Array.from({ length: 12 }, (_, index) => `user ${index}`)
  const slots = async (): Promise<readonly string[]> => {
    const found: string[] = []
    for (const user of users) found.push(await slotOf(user))
    return found
  }
  const first = await slots()
  assert.deepEqual(await slots(), first)
  assert.ok(new Set(first).size > 1, first.join(' '))
})

test('a function that throws, gives nonsense or is slow is told, and not asked for ever; everybody is served', async (t) => {
  const { slotOf, program } = await start(
    t,
    `({ headers }) => {
      if (headers['x-user'] === 'throw') throw new Error('no idea')
      if (headers['x-user'] === 'number') return 7
      const end = Date.now() + 15
      while (Date.now() < end);
      return 'all'
    }`,
  )
  for (const user of ['throw', 'number', 'slow', 'throw', 'number', 'slow', 'throw', 'number', 'slow', 'throw', 'throw', 'slow']) assert.match(await slotOf(user), /^\d$/)
  assert.match(String(await program.report('warned')), /threw no idea: that connection goes to the least busy worker/)
  assert.match(String(await program.report('warned', 2)), /has failed 10 times .* is not asked any more/)
})
