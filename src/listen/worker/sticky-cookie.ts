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

/** A new value, with a key of that slot's. */
export function makeStickyCookie(secret: string, slot: number, slots: readonly number[]): string {
  const bytes = process.getBuiltinModule('node:crypto').randomBytes(RANDOM_BYTES)
  for (let tries = 0; tries < TRIES && ownerOf(bytes.readUInt32LE(0), slots) !== slot; tries += 1) bytes.writeUInt32LE((bytes.readUInt32LE(0) + 1) >>> 0, 0)
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
    const headers = at === -1 ? undefined : withCookie(given[at] as object, cookie)
    if (headers === undefined) response.appendHeader('Set-Cookie', cookie)
    return writeHead(...given.map((one, index) => (index === at && headers !== undefined ? headers : one)))
  }
}

/** The headers of writeHead() replace those that were set before; undefined when there is no cookie among them. */
function withCookie(headers: object, cookie: string): object | undefined {
  if (!Array.isArray(headers)) {
    const name = Object.keys(headers).find(isCookie)
    return name === undefined ? undefined : { ...headers, [name]: [(headers as Readonly<Record<string, unknown>>)[name], cookie].flat() }
  }
  const list = headers as readonly unknown[]
  if (Array.isArray(list[0])) return list.some((pair) => isCookie((pair as Given)[0])) ? [...list, ['Set-Cookie', cookie]] : undefined
  return list.some((name, index) => index % 2 === 0 && isCookie(name)) ? [...list, 'Set-Cookie', cookie] : undefined
}

function isCookie(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === 'set-cookie'
}
