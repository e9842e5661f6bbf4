/** Runs a load of bench/clients as a process of its own, which prints what it saw as JSON. */
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'

const CLIENTS = fileURLToPath(new URL('../clients/', import.meta.url))

/**
 * @param seconds how long it is expected to take
 * @param halfway called with its pid at half time
 */
export async function runClient(session, name, options, { seconds, halfway }) {
  const log = join(session.makeDirectory(`client-${name}`), 'output.log')
  // Always with the Node of the bench: the client is the same for all.
  const child = session.spawn(process.execPath, [join(CLIENTS, `${name}.mjs`), JSON.stringify(options)], { env: session.environment({ path: process.execPath }), log })
  const ended = new Promise((resolve) => {
    child.once('exit', resolve)
  })
  const timer = setTimeout(() => halfway?.(child.pid), seconds * 500)
  const limit = setTimeout(() => child.kill('SIGKILL'), (seconds + 60) * 1000)
  const code = await ended
  clearTimeout(timer)
  clearTimeout(limit)
  const output = readFileSync(log, 'utf8')
  if (code !== 0) throw new Error(`the client ${name} ended with ${code}: ${output.slice(-1000)}`)
  return JSON.parse(output.trim().split('\n').at(-1))
}
