/** Socket.IO, whose sessions live in the memory of one worker: what sticky sessions are for. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { freePort } from '../harness/app.ts'
import { installExamples, requireHere } from '../harness/examples.ts'
import { Program } from '../harness/program.ts'
import { until } from '../harness/until.ts'

interface Client {
  on(event: string, listener: (value: unknown) => void): void
  emitWithAck(event: string, value: unknown): Promise<unknown>
  disconnect(): void
  readonly connected: boolean
}

const COUNT = 20

before(installExamples)

/** A client, and what has become of it. */
class Chatter {
  readonly client: Client
  readonly welcomes: number[] = []
  disconnects = 0

  constructor(port: number, options: object) {
    const { io } = requireHere('socket.io-client') as { readonly io: (url: string, options: object) => Client }
    this.client = io(`http://127.0.0.1:${port}`, { forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 50, ...options })
    this.client.on('welcome', (value) => this.welcomes.push((value as { readonly pid: number }).pid))
    this.client.on('disconnect', () => (this.disconnects += 1))
  }

  get pid(): number | undefined {
    return this.welcomes.at(-1)
  }

  /** Says something, again on its next connection when this one ends. Returns who answered. */
  async talk(): Promise<number> {
    for (;;) {
      await until('it is connected', () => this.client.connected && this.welcomes.length === this.disconnects + 1)
      const were = this.disconnects
      const answer = this.client.emitWithAck('chat message', 'hello')
      let pid: number | undefined
      void answer.then((value) => (pid = (value as { readonly pid: number }).pid), () => {})
      await until('it has an answer, or lost its connection', () => pid !== undefined || this.disconnects > were)
      if (pid !== undefined) return pid
    }
  }
}

interface Case {
  readonly sticky: string
  readonly how: string
  /** Of the n-th client. */
  readonly options: (index: number) => object
}

const CASES: readonly Case[] = [
  { sticky: 'cookie', how: 'polling, and then WebSocket', options: () => ({ withCredentials: true }) },
  { sticky: 'cookie', how: 'polling alone', options: () => ({ withCredentials: true, transports: ['polling'] }) },
  { sticky: 'header:x-client', how: 'polling, and then WebSocket', options: (index) => ({ extraHeaders: { 'x-client': `client-${index}` } }) },
]

for (const { sticky, how, options } of CASES) {
  test(`${sticky}, ${how}: all stay with their worker, and when workers come and go only their clients reconnect`, async (t) => {
    const port = await freePort()
    const chatters: Chatter[] = []
    // First of all that is done at the end: a client that goes on to reconnect keeps this process alive.
    t.after(() => {
      for (const { client } of chatters) client.disconnect()
    })
    const program = Program.start(
      t,
      `
      const supervisor = await createSupervisor({ script: 'sticky-socket-io.cjs', workers: 4, sticky: ${JSON.stringify(sticky)} })
      await supervisor.start()
      const pids = () => supervisor.snapshot.workers.map(({ pid }) => pid)
      report('pids', pids())
      const sizes = [5, 3]
      process.on('SIGUSR2', () => supervisor.scale(sizes.shift()).then(() => report('pids', pids())))
      process.once('SIGTERM', () => supervisor.stop())
    `,
      { PORT: String(port) },
    )
    let pids = (await program.report('pids')) as readonly number[]
    for (let index = 0; index < COUNT; index += 1) chatters.push(new Chatter(port, options(index)))
    for (let round = 0; round < 3; round += 1) {
      for (const [index, pid] of (await Promise.all(chatters.map(async (chatter) => chatter.talk()))).entries()) assert.equal(pid, chatters[index]?.pid)
    }
    assert.ok(chatters.every(({ disconnects }) => disconnects === 0))
    assert.ok(new Set(chatters.map(({ pid }) => pid)).size > 1)

    for (const size of [5, 3]) {
      let moved = 0
      const were = chatters.map(({ pid, disconnects }) => ({ pid, disconnects }))
      program.child.kill('SIGUSR2')
      // A poll that waits is in flight, and its worker waits for it: so the surplus goes only when they have left.
      const now = size === 3 ? pids.slice(0, size) : ((await program.report('pids', 2)) as readonly number[])
      await Promise.all(
        chatters.map(async (chatter) => {
          while (!now.includes(await chatter.talk())) await setImmediate()
          // By now every worker knows the others.
          for (let count = 0; count < 3; count += 1) await chatter.talk()
        }),
      )
      for (const [index, chatter] of chatters.entries()) {
        const was = were[index]
        const isGone = !now.includes(was?.pid ?? -1)
        const isNew = !pids.includes(chatter.pid ?? -1)
        const hasMoved = chatter.disconnects > (was?.disconnects ?? 0)
        if (hasMoved) moved += 1
        // The library forgets its cookies when it connects anew: who had to leave for the new worker may end up anywhere.
        if (sticky === 'cookie' && size === 5 && hasMoved) continue
        assert.equal(hasMoved, isGone || isNew, `client ${index} was at ${was?.pid}, is at ${chatter.pid}`)
      }
      assert.ok(moved < COUNT * 0.75, `${moved} moved`)
      pids = now
    }
    for (const { client } of chatters) client.disconnect()
    assert.deepEqual(await program.report('pids', 3), pids)
    program.child.kill('SIGTERM')
    assert.equal(await program.ended, 0)
  })
}
