/** docs/running.md, "As many as the load needs": with real processes. What the numbers follow from is tested in test/unit/load-policy.test.ts. */
import assert from 'node:assert/strict'
import { get } from 'node:http'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { App } from '../harness/app.ts'

/** Undefined when it was answered with 200, else what happened. */
async function ask(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      const { statusCode } = response
      response.resume().once('close', () => resolve(statusCode === 200 ? undefined : `status ${statusCode}`))
    }).once('error', ({ message }) => resolve(message))
  })
}

/** A client that asks again as soon as it was answered. Gives what was no answer. */
async function askUntil(isOver: () => boolean, url: string): Promise<readonly string[]> {
  const failures: string[] = []
  while (!isOver()) {
    // oxlint-disable-next-line no-await-in-loop
    const failure = await ask(url)
    if (failure !== undefined) failures.push(failure)
  }
  return failures
}

test('under load there are more workers, and after it fewer; a reload changes nothing', { skip: availableParallelism() < 2 && 'with one core a second worker is as busy as the first' }, async (t) => {
  const app = await App.ready(t, 'web.cjs', { options: ['-w', '1-2', '--shrink-after', '1s'] })
  assert.match(app.records.find(({ event }) => event === 'primary:started')?.msg ?? '', /1 worker of at most 2/)
  let isOver = false
  const clients = Array.from({ length: 4 }, async () => askUntil(() => isOver, `http://127.0.0.1:${app.port}/block?ms=20`))

  const grown = await app.event('scale:changed')
  assert.match(grown.msg, /^event loops \d+ % busy: scaling from 1 to 2 workers$/)
  assert.equal(grown['why'], 'load')
  await app.event('worker:ready', ({ slot }) => slot === 1)
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  isOver = true
  assert.deepEqual((await Promise.all(clients)).flat(), [], 'every request was answered')

  const shrunk = await app.event('scale:changed', () => true, 2)
  assert.match(shrunk.msg, /^event loops \d+ % busy: scaling from 2 to 1 workers$/)
  await app.event('worker:exited', ({ slot, kind }) => slot === 1 && kind === 'retired', 2)
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
})
