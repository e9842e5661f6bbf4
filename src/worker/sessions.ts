/**
 * When an HTTP/2 session of a draining worker gets its GOAWAY. From then on nghttp2 takes no new stream,
 * and a stream that the client opens at that moment must be opened again elsewhere: GOAWAY tells which.
 * So it is sent when nothing is under way, and only to a session that never rests at any time.
 *
 * The notice of RFC 9113, 6.8 (a first GOAWAY with the highest possible stream) would spare busy clients
 * that too, but Node does not offer it: after `session.goaway()` new streams are ignored, whatever it says.
 *
 * @see https://nghttp2.org/documentation/nghttp2_submit_shutdown_notice.html
 */
import type { Http2Session } from './connections.ts'

/** How long a session without a stream may go on to open the first. */
const UNTOUCHED_GRACE_MS = 1000
/** Silence for this long, and for twice the way to the client and back, is a rest. */
const REST_MS = 100
/** How long to wait for one. */
const BUSY_LIMIT_MS = 2000

interface Watched {
  /** Bytes both ways when it was last looked at, and since when they are the same. */
  traffic: number
  since: number
  /** The way to the client and back; unknown until it has answered. */
  roundTripMs: number
}

export class SessionsEnd {
  readonly #limitMs: number
  readonly #watched = new WeakMap<Http2Session, Watched>()

  /** @param limitMs the longest that a session may wait for a rest; at most {@link BUSY_LIMIT_MS}. */
  constructor(limitMs: number) {
    this.#limitMs = Math.min(limitMs, BUSY_LIMIT_MS)
  }

  /** Closes the sessions that rest; to be called again and again. Their open streams finish. */
  closeDue(sessions: Iterable<Http2Session>, elapsedMs: number): void {
    for (const session of sessions) if (!session.closed && !session.destroyed && this.#isDue(session, elapsedMs)) session.close()
  }

  #isDue(session: Http2Session, elapsedMs: number): boolean {
    if (session.state.lastProcStreamID === 0) return elapsedMs >= UNTOUCHED_GRACE_MS
    if (elapsedMs >= this.#limitMs) return true
    const watched = this.#watch(session)
    const { bytesRead, bytesWritten } = session.socket
    if (bytesRead + bytesWritten !== watched.traffic) {
      watched.traffic = bytesRead + bytesWritten
      watched.since = elapsedMs
    }
    return elapsedMs - watched.since >= REST_MS + 2 * watched.roundTripMs
  }

  #watch(session: Http2Session): Watched {
    const known = this.#watched.get(session)
    if (known !== undefined) return known
    const watched: Watched = { traffic: 0, since: 0, roundTripMs: Number.POSITIVE_INFINITY }
    this.#watched.set(session, watched)
    session.ping((error, durationMs) => {
      if (error === null) watched.roundTripMs = durationMs
    })
    return watched
  }
}
