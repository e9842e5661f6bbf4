/** Bounds of the control socket, so that no client can harm anybody. */
export const LIMITS = {
  /** Request line and headers. */
  headerBytes: 16 * 1024,
  /** Until the headers of a request are there, and how long a connection may be idle. */
  headerTimeoutMs: 5000,
  bodyBytes: 64 * 1024,
  bodyTimeoutMs: 5000,
  /** Served at a time. */
  connections: 64,
  /** Accepted, and left unread until a place is free; the next one gets 503. */
  waiting: 960,
  /** Event streams among the connections: the others are for questions. */
  streams: 32,
  /** Not yet taken by the client of a stream; one that is slower is dropped. */
  streamBytes: 1024 * 1024,
  /** A client that follows logs and reads nothing for so long although there are lines is dropped; it may come back and go on. */
  logStallMs: 60_000,
  /** For an answer that is written, and the last words to a dropped client. */
  writeTimeoutMs: 10_000,
  /** So that a dead client is noticed, and a living one knows that we live. */
  heartbeatMs: 15_000,
  /** Mutations that wait for their turn. */
  mutations: 64,
} as const
