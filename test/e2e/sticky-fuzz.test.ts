/** By header: requests of many clients in any pieces, on connections that are handed over and shared. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom, type Random } from '../core/simulation/random.ts'
import { App } from '../harness/app.ts'
import { Connection } from '../harness/http.ts'
import { head, slotsOf, type Seen } from '../harness/sticky.ts'

const ROUNDS = 60
const LANES = 12

/** In up to four pieces, each with a turn of the loop of its own. */
async function sendInPieces(connection: Connection, text: string, random: Random): Promise<void> {
  const cuts = Array.from({ length: random.between(0, 3) }, () => random.between(0, text.length)).sort((a, b) => a - b)
  for (const [index, from] of [0, ...cuts].entries()) {
    const piece = text.slice(from, cuts[index])
    if (piece !== '') connection.socket.write(piece, 'latin1')
    await new Promise((resolve) => (random.between(0, 3) === 0 ? setTimeout(resolve, 2) : setImmediate(resolve)))
  }
}

function requestOf(name: string, mark: string, random: Random): string {
  const body = mark + 'x'.repeat(random.pick([0, 0, 10, 20_000]))
  if (random.between(0, 2) === 0) return `${head('POST /echo', name, ['transfer-encoding: chunked'])}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  return head('POST /echo', name, [`content-length: ${body.length}`]) + body
}

test('whatever is sent in whatever pieces, each request is read once, whole, and by its worker', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  t.diagnostic(`seed ${seed}`)
  const random = randomFrom(seed)
  const app = await App.ready(t, 'sticky.cjs', { workers: 3, options: ['--sticky', 'header:x-client'] })
  const slots = await slotsOf({ port: app.port }, Array.from({ length: 12 }, (_, index) => `name-${index}`))
  const names = [...slots.keys()]
  await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      for (let round = 0; round < ROUNDS / LANES; round += 1) {
        const connection = await Connection.open({ port: app.port })
        t.after(() => connection.close())
        for (let batch = 0; batch < 3; batch += 1) {
          const order = Array.from({ length: random.between(1, 4) }, (_unused, nth) => ({ name: random.pick(names), mark: `${lane}-${round}-${batch}-${nth};` }))
          const text = order.map(({ name, mark }) => requestOf(name, mark, random)).join('')
          await sendInPieces(connection, text, random)
          for (const { name, mark } of order) {
            const { status, body } = await connection.receive()
            assert.equal(status, 200)
            const answer = JSON.parse(body) as Seen
            assert.equal(answer.slot, slots.get(name))
            assert.match(answer.body, new RegExp(`^${mark}x*$`))
            assert.equal(answer.headers['x-client'], name)
          }
        }
        // Some break off in the middle of a request, some close when all is done.
        if (random.between(0, 1) === 0) await sendInPieces(connection, requestOf(random.pick(names), 'broken off', random).slice(0, random.between(1, 200)), random)
        connection.close()
      }
    }),
  )
  assert.deepEqual(await slotsOf({ port: app.port }, names), slots)
  assert.deepEqual(app.records.filter(({ event }) => event === 'worker:exited' || event === 'worker:violated'), [])
})
