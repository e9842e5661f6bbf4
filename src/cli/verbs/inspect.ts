/** `everycore inspect`: the inspector of one worker, for as long as this runs. */
import { hostname, userInfo } from 'node:os'
import { EverycoreError } from '../../base/errors.ts'
import { EXIT } from '../../base/exit-codes.ts'
import type { Environment } from '../../config/collect.ts'
import { call, follow } from '../../control/client.ts'
import type { InspectorClosed, InspectorOpened } from '../../protocol/control.ts'
import { isSet, printJson, type VerbCall } from './call.ts'
import { findApp } from './find-app.ts'
import { openDoor, type InspectorDoor } from './inspector-door.ts'
import { slotOf } from './slot.ts'

export async function runInspect(verb: VerbCall): Promise<number> {
  const [word, name] = verb.args
  const slot = slotOf(word)
  const { path, name: app } = await findApp(verb, name)
  const closed = isSet(verb, 'close') ? await call(path, 'closeInspector', { slot }) : await inspect(verb, path, app, slot)
  if (isSet(verb, 'json')) printJson(verb, closed)
  else verb.streams.stdout.write(`${closedText(closed)}\n`)
  return EXIT.ok
}

async function inspect(verb: VerbCall, path: string, app: string, slot: number): Promise<InspectorClosed> {
  let door: Promise<InspectorDoor> | undefined
  let isClosing = false
  const shut = (): void => void door?.then((opened) => opened.shut())
  const close = (): void => {
    if (isClosing) process.exit(EXIT.interrupted)
    isClosing = true
    shut()
    // What comes of it is the result of the stream.
    call(path, 'closeInspector', { slot }).catch(() => {})
  }
  process.on('SIGINT', close)
  try {
    const closed = await follow(path, 'inspect', { slot }, (event) => {
      if (event.type === 'closing') shut()
      if (event.type !== 'inspecting') return
      // The server sends what it has opened under this name, and with all its fields.
      const opened = event as unknown as InspectorOpened
      door = openDoor(opened.port)
      door.then(({ port }) => tellOpened(verb, app, { ...opened, port, url: opened.url.replace(`:${opened.port}/`, `:${port}/`) }), close)
    })
    if (closed !== undefined) return closed
    throw new EverycoreError('ERR_EVERYCORE_CONTROL', 'the supervisor ended', { hint: 'its log tells why' })
  } finally {
    shut()
    process.off('SIGINT', close)
  }
}

function tellOpened(verb: VerbCall, app: string, opened: InspectorOpened): void {
  const { schemaVersion, slot, pid, url, port } = opened
  if (isSet(verb, 'json')) printJson(verb, { schemaVersion, slot, pid, url, port, devtoolsUrl: devtoolsUrl(url) })
  else verb.streams.stdout.write(`${openedLines(opened, app, verb.env).join('\n')}\n`)
}

function openedLines({ slot, pid, url, port }: InspectorOpened, app: string, env: Environment): readonly string[] {
  return [
    `the inspector of worker ${slot} (pid ${pid}) of ${app} is open, until Ctrl-C`,
    '',
    `  ${devtoolsUrl(url)}`,
    '  in the address bar of Chrome or Edge; for editors:',
    `  ${url}`,
    '',
    '  from another machine, there, first:',
    `  ssh -N -L ${port}:127.0.0.1:${port} ${sshTarget(env)}`,
    '',
    'While it is open the worker may stand at a breakpoint: nobody kills it for hanging, and its clients wait.',
    'Whoever has an account on this machine can reach it, and run code in the worker.',
  ]
}

/** As `/json/list` of the inspector tells it. */
function devtoolsUrl(url: string): string {
  return `devtools://devtools/bundled/js_app.html?experiments=true&v8only=true&ws=${url.replace(/^ws:\/\//, '')}`
}

/** How whoever sits at another machine came to this one. @see ssh(1), SSH_CONNECTION */
function sshTarget(env: Environment): string {
  const address = env['SSH_CONNECTION']?.split(' ')[2]
  return `${userInfo().username}@${address ?? hostname()}`
}

function closedText({ slot, closed }: InspectorClosed): string {
  if (closed === 'gone') return `worker ${slot} has ended`
  if (closed === 'now') return `the inspector of worker ${slot} is closed`
  return `worker ${slot} has another debugger, or hangs: its inspector closes when it goes on, and if it does not within the hang timeout it is killed`
}
