/** What a load has come to: the book of the clients, joined with the ledger of the workers. */
import assert from 'node:assert/strict'
import type { Accounts, Entry, Notes } from './accounts.ts'
import { FATES, type FateCounts } from './fates.ts'
import type { Begun, Ledger } from './ledger.ts'

export interface Report {
  readonly seed: number
  readonly sent: number
  readonly fates: FateCounts
  readonly entries: readonly Entry[]
  readonly notes: Readonly<Notes>
  /** Lost, and no handler began: a proxy may send them again. */
  readonly unseen: readonly Entry[]
  /** Lost, and a handler had begun. */
  readonly executed: readonly (Entry & { readonly begun: Begun })[]
  /** Neither answered nor run nor told so: what no fault may do. */
  readonly flaws: readonly string[]
}

const isLost = ({ fate }: Entry): boolean => fate === 'lost-before-reply' || fate === 'lost-in-reply'

/** @throws AssertionError when a request has no fate. */
export function makeReport(accounts: Accounts, ledger: Ledger, seed: number): Report {
  const { sent, ...fates } = accounts.balance()
  const begun = ledger.read()
  const lost = accounts.entries.filter(isLost)
  return {
    seed,
    sent,
    fates,
    entries: accounts.entries,
    notes: accounts.notes,
    unseen: lost.filter(({ id }) => !begun.has(id)),
    executed: lost.flatMap((entry) => {
      const beginning = begun.get(entry.id)
      return beginning === undefined ? [] : [{ ...entry, begun: beginning }]
    }),
    flaws: accounts.entries.flatMap((entry) => flawsOf(entry, begun.get(entry.id))),
  }
}

function flawsOf({ id, kind, fate, pid }: Entry, begun: Begun | undefined): readonly string[] {
  const flaws: string[] = []
  if (begun !== undefined && begun.times > 1) flaws.push(`${id} was run ${begun.times} times`)
  if (fate === 'ok' && begun?.pid !== pid) flaws.push(`${id} was answered by ${pid}, and begun by ${begun?.pid}`)
  // With pipelining Node runs what it does not answer; over HTTP/2, what is declined has not been run.
  if (fate === 'declined' && kind === 'http2' && begun !== undefined) flaws.push(`${id} was declined, and run by ${begun.pid}`)
  return flaws
}

/** @throws AssertionError unless every request was answered, or declined where the protocol says how. */
export function assertNothingLost(report: Report): void {
  const allowed = new Set(['ok', 'declined'])
  const bad = Object.fromEntries(FATES.filter((fate) => !allowed.has(fate)).map((fate) => [fate, report.fates[fate]]))
  const good = Object.fromEntries(Object.keys(bad).map((fate) => [fate, 0]))
  assert.deepEqual(bad, good, describe(report))
  const { resets, strays } = report.notes
  assert.deepEqual({ resets, strays, flaws: report.flaws }, { resets: 0, strays: 0, flaws: [] }, describe(report))
  const declined = new Set(report.entries.filter(({ fate }) => fate === 'declined').map(({ kind }) => kind))
  assert.deepEqual([...declined].filter((kind) => kind !== 'pipelined' && kind !== 'http2'), [], describe(report))
}

/** @throws AssertionError when a connection that was asked for after `at` was answered by an older generation. */
export function assertOnlyFrom(report: Report, generation: number, at: number, until: number): void {
  const old = report.entries.filter((entry) => entry.connectAt > at && entry.connectAt < until && entry.generation !== undefined && entry.generation < generation)
  assert.deepEqual(old.map((entry) => `${entry.id}: generation ${entry.generation}, ${Math.round(entry.connectAt - at)} ms after generation ${generation} was complete`), [], describe(report))
}

/** For the message of an assertion. */
export function describe({ seed, sent, fates, notes, unseen, executed, entries, flaws }: Report): string {
  const kinds = [...new Set(entries.map(({ kind }) => kind))]
  const of = (kind: string): string => FATES.flatMap((fate) => [entries.filter((entry) => entry.kind === kind && entry.fate === fate).length].filter(Boolean).map((count) => `${fate} ${count}`)).join(', ')
  const bad = entries.filter(({ fate }) => fate !== 'ok' && fate !== 'declined').slice(0, 20)
  return [
    `EVERYCORE_TEST_SEED=${seed}: ${sent} sent, ${JSON.stringify(fates)}, unseen ${unseen.length}, executed ${executed.length}, ${JSON.stringify(notes)}`,
    ...kinds.map((kind) => `  ${kind}: ${of(kind)}`),
    ...bad.map(({ id, fate, detail, connectAt, sentAt, settledAt }) => `  ${id} ${fate} ${detail}: connected at ${Math.round(connectAt)}, sent at ${Math.round(sentAt)}, settled at ${Math.round(settledAt)}`),
    ...flaws.slice(0, 20).map((flaw) => `  ${flaw}`),
  ].join('\n')
}
