/**
 * The other end of NOTIFY_SOCKET. Node has no unix datagrams, but it can read from a descriptor that is one:
 * systemd-socket-activate(1) binds the socket and starts a reader with it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { until } from './until.ts'

/** systemd-notify and systemd-socket-activate are there: Debian's package `systemd`. */
export const hasSystemd = ['systemd-notify', 'systemd-socket-activate'].every((command) => spawnSync(command, ['--version']).status === 0)

const READER = `
  const { readSync, writeSync } = require('node:fs')
  const buffer = Buffer.alloc(65536)
  for (;;) writeSync(1, JSON.stringify(buffer.toString('utf8', 0, readSync(3, buffer))) + '\\n')
`

export interface Message {
  /** Milliseconds, by performance.now(). */
  readonly at: number
  readonly fields: Readonly<Record<string, string>>
}

export interface NotifySocket {
  readonly path: string
  readonly messages: readonly Message[]
  /** Waits for the n-th message that has all these fields, with these values. */
  readonly message: (fields: Readonly<Record<string, string | RegExp>>, nth?: number) => Promise<Message>
}

/** Listens, until the end of the test. */
export async function notifySocket(t: TestContext): Promise<NotifySocket> {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  const path = join(directory, 'notify')
  // The reader is in the same process group, and ends with it.
  const child = spawn('systemd-socket-activate', ['--datagram', '-l', path, process.execPath, '-e', READER], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } })
  const closed = once(child, 'close')
  t.after(async () => {
    child.kill('SIGKILL')
    await closed
    rmSync(directory, { recursive: true, force: true })
  })
  const messages: Message[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const pairs = (JSON.parse(line) as string).split('\n').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const)
    const fields = Object.fromEntries(pairs.filter(([name]) => name !== ''))
    // systemd-notify asks to be told that all before was read.
    if (fields['BARRIER'] === undefined) messages.push({ at: performance.now(), fields })
  })
  let heard = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (heard += text))
  await until('the notify socket is there', () => heard.includes('Listening on'))
  const find = (wanted: Readonly<Record<string, string | RegExp>>, nth: number): Message | undefined =>
    messages.filter(({ fields }) => Object.entries(wanted).every(([name, value]) => (typeof value === 'string' ? fields[name] === value : value.test(fields[name] ?? ''))))[nth - 1]
  return {
    path,
    messages,
    async message(wanted, nth = 1) {
      await until(`message ${JSON.stringify(Object.entries(wanted).map(([name, value]) => `${name}=${value}`))}; there are ${JSON.stringify(messages.map(({ fields }) => fields))}`, () => find(wanted, nth) !== undefined, 20_000)
      return find(wanted, nth) as Message
    },
  }
}
