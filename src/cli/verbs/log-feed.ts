/** The lines of an app, over as many connections as it takes: one that breaks is made anew, one to a successor is added. */
import { setTimeout as sleep } from 'node:timers/promises'
import { EverycoreError } from '../../base/errors.ts'
import { watch } from '../../control/client.ts'
import type { LogBegin, LogEntry } from '../../protocol/control.ts'

/** Gets what comes. It may take its time: nothing more is read meanwhile. */
export interface LogTaker {
  readonly begin: (begin: LogBegin) => void
  readonly line: (line: LogEntry) => Promise<void> | void
  /** So many lines were forgotten before they could be read. */
  readonly missed: (lines: number) => Promise<void> | void
  /** The lines that were there have all come. Called once. */
  readonly live: () => Promise<void> | void
}

export interface LogFeedOptions {
  readonly socketPath: string
  /** Fields of the query. */
  readonly query: Readonly<Record<string, string>>
  readonly lines: number
  readonly follow: boolean
  /** Ends it, with an error. */
  readonly signal: AbortSignal
}

/** A successor has the socket some moments after it was told of. */
const SUCCESSOR_TRIES = 100
/** Before another connection. */
const PAUSE_MS = 50
const MOST_LINES = 100_000

/**
 * Gives all lines that were asked for; with `follow`, until the app has ended.
 *
 * @throws EverycoreError ERR_EVERYCORE_NOT_RUNNING when it broke off and nobody listens any more, and as the client says
 */
export async function feedLogs({ socketPath, query, lines, follow, signal }: LogFeedOptions, taker: LogTaker): Promise<void> {
  const known = new Set<number>()
  const fields = { ...query, ...(follow && { follow: '1' }) }
  const first = async (): Promise<void> => connect({ ...fields, n: String(lines) }, false)
  let isLive = false

  /** One supervisor, from the first connection to it until it has ended. */
  const connect = async (asked: Readonly<Record<string, string>>, isSuccessor: boolean): Promise<void> => {
    const successors: Promise<void>[] = []
    let now = asked
    for (let left = SUCCESSOR_TRIES; ; ) {
      // oxlint-disable-next-line no-await-in-loop -- a connection after the other
      const { outcome, id } = await read(now, isSuccessor, successors)
      if (outcome === 'ended') break
      if (outcome === 'predecessor') {
        left -= 1
        if (left === 0) break
        // oxlint-disable-next-line no-await-in-loop
        await sleep(PAUSE_MS, undefined, { signal })
      } else if (!follow) {
        throw new EverycoreError('ERR_EVERYCORE_CONTROL', 'the connection broke off', { hint: 'ask again' })
      } else {
        if (id !== undefined) now = { ...fields, after: id }
        // oxlint-disable-next-line no-await-in-loop
        await sleep(PAUSE_MS, undefined, { signal })
      }
    }
    await Promise.all(successors)
  }

  const read = async (asked: Readonly<Record<string, string>>, isSuccessor: boolean, successors: Promise<void>[]): Promise<{ readonly outcome: 'ended' | 'broken' | 'predecessor'; readonly id: string | undefined }> => {
    let lastId: string | undefined
    let isKnown = false
    for await (const { name, data, id } of watch(socketPath, 'logs', new URLSearchParams(asked), signal)) {
      lastId = id ?? lastId
      const value: unknown = JSON.parse(data)
      switch (name) {
        case 'begin': {
          const begin = value as LogBegin
          if (isSuccessor && !isKnown && known.has(begin.pid)) return { outcome: 'predecessor', id: undefined }
          isKnown = true
          known.add(begin.pid)
          taker.begin(begin)
          break
        }
        case 'log':
          await taker.line(value as LogEntry)
          break
        case 'missed':
          await taker.missed((value as { readonly lines: number }).lines)
          break
        case 'live':
          if (!isLive) await taker.live()
          isLive = true
          break
        case 'upgraded':
          successors.push(connect({ ...fields, n: String(MOST_LINES) }, true))
          break
        case 'end':
          return { outcome: 'ended', id: lastId }
        default:
      }
    }
    return { outcome: 'broken', id: lastId }
  }

  await first()
}
