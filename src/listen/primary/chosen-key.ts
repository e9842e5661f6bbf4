/**
 * Asks a function of the operator's whose a connection is. It runs in the supervisor, so it must not be able to do
 * harm: one that throws or takes long is not asked again after some times.
 */
import { nowMs } from '../../base/clock.ts'
import { pinOf } from '../../protocol/sticky.ts'
import type { RawHandle } from './raw-handle.ts'

/** The head of the first request on a connection. */
export interface Head {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly remoteAddress: string | undefined
}

type Choose = (head: Head) => unknown

/** Longer, and connections would wait for each other. */
const SLOW_MS = 10
/** So many mistakes, and it is not asked any more. */
const LIMIT = 10

/** @param warn is told of the first mistake, and of the end */
export function createChosenKey(choose: Choose, secret: string, warn: (text: string) => void): (head: string, client: RawHandle) => number | undefined {
  let mistakes = 0
  const mistake = (what: string): undefined => {
    mistakes += 1
    if (mistakes === 1) warn(`the function for sticky sessions ${what}: that connection goes to the least busy worker`)
    if (mistakes === LIMIT) warn(`the function for sticky sessions has failed ${LIMIT} times (at last it ${what}) and is not asked any more: connections go to the least busy worker`)
    return undefined
  }
  return (text, client) => {
    if (mistakes >= LIMIT) return undefined
    const head = readHead(Buffer.from(text, 'base64').toString('latin1'), client)
    if (head === undefined) return undefined
    const began = nowMs()
    let key: unknown
    try {
      key = choose(head)
    } catch (error) {
      return mistake(`threw ${error instanceof Error ? error.message : String(error)}`)
    }
    const tookMs = nowMs() - began
    if (tookMs > SLOW_MS) mistake(`took ${Math.round(tookMs)} ms`)
    if (key === undefined || key === null || key === '') return undefined
    return typeof key === 'string' ? pinOf(secret, key) : mistake(`gave a ${typeof key} and not a string`)
  }
}

/** Undefined when it is not a whole head of HTTP/1.1. */
function readHead(text: string, client: RawHandle): Head | undefined {
  const end = text.indexOf('\r\n\r\n', 4)
  const [first = '', ...lines] = (end === -1 ? '' : text.slice(0, end)).replace(/^[\r\n]+/, '').split('\r\n')
  const [method, url, version] = first.split(' ')
  if (method === undefined || url === undefined || version?.startsWith('HTTP/1.') !== true) return undefined
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (const line of lines) {
    const at = line.indexOf(':')
    if (at < 1) continue
    const name = line.slice(0, at).toLowerCase()
    const value = line.slice(at + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  const peer: { address?: string } = {}
  client.getpeername?.(peer)
  return { method, url, headers, remoteAddress: peer.address }
}
