/**
 * The cookie by which a client comes back: a random number that belongs to the slot that gave it, and a signature,
 * so that nobody can send clients to a worker of his choice. It says nothing of the slot to those who do not know how
 * numbers and slots belong together, and is worth nothing after the supervisor has ended.
 */
import type { ServerResponse } from 'node:http'
import { ownerOf } from '../../protocol/sticky.ts'

/** Its name. */
export const STICKY_COOKIE = 'everycore'

const RANDOM_BYTES = 12
const SIGNATURE_BYTES = 16
/** With n slots one in n numbers fits. */
const TRIES = 100_000

/** The key in the cookie; undefined when there is none, or not one of ours. */
export function readStickyCookie(secret: string, value: string | undefined): number | undefined {
  const [, random = '', signature = ''] = /^([\w-]{16})\.([\w-]{22})$/.exec(value ?? '') ?? []
  if (random === '') return undefined
  const { timingSafeEqual } = process.getBuiltinModule('node:crypto')
  const given = Buffer.from(signature, 'base64url')
  const right = sign(secret, random)
  return given.length === right.length && timingSafeEqual(given, right) ? Buffer.from(random, 'base64url').readUInt32LE(0) : undefined
}

/** A new value, with a key of that slot's; undefined: of any. */
export function makeStickyCookie(secret: string, slot: number | undefined, slots: readonly number[]): string {
  const bytes = process.getBuiltinModule('node:crypto').randomBytes(RANDOM_BYTES)
  const isRight = (): boolean => slot === undefined || ownerOf(bytes.readUInt32LE(0), slots) === slot
  for (let tries = 0; tries < TRIES && !isRight(); tries += 1) bytes.writeUInt32LE((bytes.readUInt32LE(0) + 1) >>> 0, 0)
  const random = bytes.toString('base64url')
  return `${random}.${sign(secret, random).toString('base64url')}`
}

function sign(secret: string, random: string): Buffer {
  return process.getBuiltinModule('node:crypto').createHmac('sha256', secret).update(random).digest().subarray(0, SIGNATURE_BYTES)
}

type Given = readonly unknown[]

/** Adds the cookie to those of the app, when its head is written. */
export function sendStickyCookie(response: ServerResponse, value: string): void {
  const cookie = `${STICKY_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax`
  // What the app calls, and what Node calls when the app has not.
  const writeHead = response.writeHead.bind(response) as (...given: Given) => ServerResponse
  response.writeHead = (...given: Given) => {
    response.writeHead = writeHead
    const at = given.findLastIndex((one) => typeof one === 'object' && one !== null)
    const headers = at === -1 ? undefined : (given[at] as object)
    // The headers of writeHead() replace those that were set before. And where none was set Node takes them as they are: an array of pairs only then.
    if (headers === undefined || !(hasCookie(headers) || response.getHeaderNames().length === 0)) {
      response.appendHeader('Set-Cookie', cookie)
      return writeHead(...given)
    }
    return writeHead(...given.map((one, index) => (index === at ? withCookie(headers, cookie) : one)))
  }
}

function hasCookie(headers: object): boolean {
  if (!Array.isArray(headers)) return Object.keys(headers).some(isCookie)
  return headers.some((one: unknown, index) => (Array.isArray(one) ? isCookie(one[0]) : index % 2 === 0 && isCookie(one)))
}

/** All cookies as one entry: some versions of Node keep the last of several. */
function withCookie(headers: object, cookie: string): object {
  if (!Array.isArray(headers)) {
    const name = Object.keys(headers).find(isCookie) ?? 'Set-Cookie'
    return { ...headers, [name]: [(headers as Readonly<Record<string, unknown>>)[name] ?? [], cookie].flat() }
  }
  const isPairs = Array.isArray(headers[0])
  // Node throws.
  if (!isPairs && headers.length % 2 !== 0) return headers
  const pairs = isPairs ? (headers as readonly Given[]) : Array.from({ length: headers.length / 2 }, (_, index) => headers.slice(index * 2, index * 2 + 2) as Given)
  const cookies = [...pairs.flatMap(([name, value]) => (isCookie(name) ? value : [])), cookie]
  const whole = [...pairs.filter(([name]) => !isCookie(name)), ['Set-Cookie', cookies]]
  return isPairs ? whole : whole.flat(1)
}

function isCookie(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === 'set-cookie'
}
