/** `everycore doctor`: whether this machine suits. */
import { createConnection } from 'node:net'
import { styleText } from 'node:util'
import { EverycoreError } from '../../base/errors.ts'
import { EXIT } from '../../base/exit-codes.ts'
import { nodeHost } from '../../config/host.ts'
import { call } from '../../control/client.ts'
import { sanitize } from '../../logs/sanitize.ts'
import { CONTROL_SCHEMA } from '../../protocol/control.ts'
import { gatherFacts, type PortQuestion } from '../doctor/facts.ts'
import { findings, type Finding, type Verdict } from '../doctor/findings.ts'
import { isSet, printJson, textFlag, type VerbCall } from './call.ts'
import { findApp } from './find-app.ts'

const CONNECT_MS = 2000
const LABEL = 9

export async function runDoctor(verb: VerbCall): Promise<number> {
  const found = findings(await gatherFacts(nodeHost(), environmentOf(verb), await questionsOf(verb), isTaken))
  if (isSet(verb, 'json')) printJson(verb, { schemaVersion: CONTROL_SCHEMA, ok: isOk(found), findings: found.map(({ cure = null, ...one }) => ({ ...one, cure })) })
  else verb.streams.stdout.write(`${findingLines(found, verb.color).join('\n')}\n`)
  return isOk(found) ? EXIT.ok : EXIT.failure
}

function isOk(found: readonly Finding[]): boolean {
  return found.every(({ verdict }) => verdict !== 'problem')
}

/** The report for people. */
export function findingLines(found: readonly Finding[], color: boolean): readonly string[] {
  const style: Readonly<Record<Verdict, 'green' | 'dim' | 'yellow' | 'red'>> = { ok: 'green', note: 'dim', warning: 'yellow', problem: 'red' }
  const paint = (verdict: Verdict, text: string): string => (color ? styleText(style[verdict], text, { validateStream: false }) : text)
  const count = (verdict: Verdict): string => {
    const number = found.filter((one) => one.verdict === verdict).length
    return `${number} ${verdict}${number === 1 ? '' : 's'}`
  }
  return [
    ...found.flatMap(({ verdict, fact, cure }) => [paint(verdict, verdict.padEnd(LABEL)) + sanitize(fact, false), ...(cure === undefined ? [] : [' '.repeat(LABEL) + paint('note', cure)])]),
    '',
    `${count('problem')}, ${count('warning')}`,
  ]
}

/** `--runtime-dir` is what an app would be started with. */
function environmentOf(verb: VerbCall): VerbCall['env'] {
  const directory = textFlag(verb, 'runtime-dir')
  return directory === undefined ? verb.env : { ...verb.env, EVERYCORE_RUNTIME_DIR: directory }
}

/** The port that was named, and those of the app that was named. */
async function questionsOf(verb: VerbCall): Promise<readonly PortQuestion[]> {
  const text = textFlag(verb, 'port')
  if (text !== undefined && !(/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535)) throw new EverycoreError('ERR_EVERYCORE_USAGE', `${JSON.stringify(text)} is not a port`, { hint: 'Use 1 to 65535.' })
  const name = verb.args[0] ?? textFlag(verb, 'name')
  const own = name === undefined ? [] : (await call((await findApp(verb, verb.args[0])).path, 'status')).addresses.flatMap(({ port, kind }) => (port === null || kind === 'udp' ? [] : [port]))
  const questions = [...new Set(own)].map((port): PortQuestion => ({ port, isOwn: true }))
  return text === undefined || own.includes(Number(text)) ? questions : [...questions, { port: Number(text), isOwn: false }]
}

async function isTaken(port: number): Promise<boolean> {
  const tried = await Promise.all(['127.0.0.1', '::1'].map(async (host) => connects(host, port)))
  return tried.includes(true)
}

async function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port })
    const settle = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(CONNECT_MS, () => settle(true))
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}
