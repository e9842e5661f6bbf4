/** The kinds of clients, and how many of each. */
import type { Client } from './client.ts'
import { events } from './clients/events.ts'
import { fresh } from './clients/fresh.ts'
import { http2Streams } from './clients/http2.ts'
import { hunter } from './clients/hunter.ts'
import { keepAlive } from './clients/keep-alive.ts'
import { pipelined } from './clients/pipelined.ts'
import { slow } from './clients/slow.ts'
import { slowReader } from './clients/slow-reader.ts'
import { upload } from './clients/upload.ts'
import { webSocket } from './clients/websocket.ts'

export interface Kind {
  readonly client: Client
  /** Through TLS. */
  readonly secure: boolean
}

export const KINDS = {
  'keep-alive': { client: keepAlive, secure: false },
  fresh: { client: fresh, secure: false },
  slow: { client: slow, secure: false },
  pipelined: { client: pipelined, secure: false },
  upload: { client: upload, secure: false },
  'slow-reader': { client: slowReader, secure: false },
  events: { client: events, secure: false },
  websocket: { client: webSocket, secure: false },
  hunter: { client: hunter, secure: false },
  'tls-keep-alive': { client: keepAlive, secure: true },
  'tls-fresh': { client: fresh, secure: true },
  'tls-websocket': { client: webSocket, secure: true },
  'tls-hunter': { client: hunter, secure: true },
  http2: { client: http2Streams, secure: true },
} as const satisfies Readonly<Record<string, Kind>>

export type KindName = keyof typeof KINDS

/** How many clients of each kind. */
export type Mix = { readonly [Name in KindName]?: number }

/** All that HTTP/1.1 without TLS knows. */
export const PLAIN_MIX: Mix = { 'keep-alive': 20, fresh: 10, slow: 4, pipelined: 2, upload: 2, 'slow-reader': 1, events: 4, websocket: 6, hunter: 20 }

/** What comes through TLS. */
export const SECURE_MIX: Mix = { 'tls-keep-alive': 10, 'tls-fresh': 3, 'tls-websocket': 4, 'tls-hunter': 10, http2: 2 }
