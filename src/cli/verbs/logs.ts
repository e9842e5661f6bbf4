/** `everycore logs`: what workers and supervisor have written lately, and what they write. */
import { EXIT } from '../../base/exit-codes.ts'
import { escapeControls } from '../../logs/format-json.ts'
import { createPrettyFormatter } from '../../logs/format-pretty.ts'
import { createRawFormatter } from '../../logs/format-raw.ts'
import type { Formatter } from '../../logs/formatter.ts'
import type { LogLevel } from '../../logs/types.ts'
import { CONTROL_SCHEMA, type LogBegin, type LogEntry } from '../../protocol/control.ts'
import { isSet, type VerbCall } from './call.ts'
import { findApp } from './find-app.ts'
import { feedLogs } from './log-feed.ts'
import { MOST_LINES, readLogWish } from './log-request.ts'
import { Outflow } from './outflow.ts'

/** The levels that the supervisor's own lines have. */
const OWN_LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug']

export async function runLogs(call: VerbCall): Promise<number> {
  const wish = readLogWish(call, Date.now())
  const { path, name } = await findApp(call, call.args[0])
  const out = new Outflow(call.streams.stdout)
  const isJson = isSet(call, 'json')
  let write = writer(call, { name, pid: 0, size: 1 })
  const { lines, follow, pattern, query } = wish
  // Of lines that are looked through here, the newest are known when all have come.
  let held: LogEntry[] | undefined = pattern === undefined ? undefined : []
  const tell = (words: string): void => void call.streams.stderr.write(`everycore: ${words}\n`)
  const over = new AbortController()
  const end = feedLogs(
    { socketPath: path, query, follow, signal: over.signal, lines: pattern === undefined ? lines : MOST_LINES },
    {
      begin: (begin) => void (write = writer(call, begin)),
      async line(line) {
        if (pattern !== undefined && !pattern.test(line.text)) return
        if (held === undefined) {
          await out.write(write(line))
          return
        }
        held.push(line)
        if (held.length > lines) held.shift()
      },
      async missed(count) {
        if (isJson) await out.write(`${JSON.stringify({ schemaVersion: CONTROL_SCHEMA, missed: count })}\n`)
        else tell(`${count} ${count === 1 ? 'line' : 'lines'} missed: this reader was too slow`)
      },
      async live() {
        const found = held ?? []
        held = undefined
        await out.write(found.map(write).join(''))
      },
    },
  )
  const isClosed = await Promise.race([end.then(() => false), out.closed.then(() => true)])
  if (isClosed) {
    over.abort()
    await end.catch(() => {})
  } else if (follow) tell(`${name} has ended`)
  return EXIT.ok
}

/** How a line is shown: as an object, as on the terminal of everycore itself, or as it was written. */
function writer(call: VerbCall, { size }: LogBegin): (line: LogEntry) => string {
  if (isSet(call, 'json')) return (line) => `${escapeControls(JSON.stringify({ schemaVersion: CONTROL_SCHEMA, ...line }))}\n`
  const isTerminal = call.streams.stdout.isTTY === true
  const formatter: Formatter = isTerminal ? createPrettyFormatter({ color: call.color, size }) : createRawFormatter()
  return ({ stream, level, text, slot, pid, cut }) => {
    if (stream === 'everycore') return formatter.record(OWN_LEVELS.find((one) => one === level) ?? 'info', text, {}).map((line) => `${line}\n`).join('')
    const channel = formatter.channel({ slot: slot ?? -1, pid, generation: 0 }, stream)
    const shown = channel.render(Buffer.from(text), cut === true ? 'cut' : 'newline').toString()
    return cut === true && !channel.closesPieces ? shown : `${shown}\n`
  }
}
