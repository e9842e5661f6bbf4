/** This process takes the place of another supervisor, which waits for its word. The other side is `primary/upgrade.ts`. */
import { Socket } from 'node:net'
import { EverycoreError } from '../base/errors.ts'
import { LEGACY_LIMIT, LEGACY_VERSION, readPredecessorWord, UPGRADE_VARIABLE, type Legacy, type SuccessorWord } from '../protocol/legacy.ts'
import type { Logger } from '../logs/logs.ts'
import { lines } from './lines.ts'
import type { Supervisor } from './supervisor.ts'

export interface Succession {
  readonly legacy: Legacy
  /** Says how the start of the supervisor goes. */
  readonly report: (supervisor: Supervisor, log: Logger) => void
  /** Fulfilled when this process is the service: the other has said so, or is gone. */
  readonly taken: Promise<void>
}

/**
 * Reads what is inherited.
 *
 * @throws EverycoreError ERR_EVERYCORE_UPGRADE when that cannot be understood
 */
export async function beginSuccession(env: NodeJS.ProcessEnv): Promise<Succession> {
  const fd = Number(env[UPGRADE_VARIABLE])
  // Nothing that is started from here is the successor of anybody.
  delete env[UPGRADE_VARIABLE]
  const channel = open(fd)
  let onCancel: ((why: string) => void) | undefined
  let onTaken: (() => void) | undefined
  const taken = new Promise<void>((resolve) => (onTaken = resolve))
  const legacy = await new Promise<Legacy | undefined>((resolve) => {
    lines(channel, LEGACY_LIMIT, (line) => {
      const word = readPredecessorWord(line)
      if (word?.word === 'cancel') onCancel?.(word.why)
      if (word?.word === 'yours') onTaken?.()
      resolve(word?.word === 'legacy' ? word.legacy : undefined)
    })
    // A supervisor that is gone needs its sockets no more.
    channel.on('close', () => {
      resolve(undefined)
      onTaken?.()
    })
  })
  if (legacy?.version !== LEGACY_VERSION) {
    const why = legacy === undefined ? 'it did not say what is inherited' : `it speaks version ${legacy.version}, this one ${LEGACY_VERSION}`
    tell(channel, { word: 'failed', why: `the new version does not understand the old one: ${why}` })
    channel.end()
    throw new EverycoreError('ERR_EVERYCORE_UPGRADE', 'the upgrade from the supervisor before this one is not possible', { why, hint: 'stop the old one and start the new one' })
  }
  channel.unref()
  void taken.then(() => channel.destroy())
  return {
    legacy,
    taken,
    report(supervisor, log) {
      onCancel = (why) => {
        log.warn(`ending: the supervisor before this one (pid ${legacy.pid}) goes on, because ${why}`)
        void supervisor.stop()
      }
      watchStart(supervisor, (word) => tell(channel, word))
    },
  }
}

function open(fd: number): Socket {
  try {
    const channel = new Socket({ fd, readable: true, writable: true })
    return channel.on('error', () => {})
  } catch (cause) {
    throw new EverycoreError('ERR_EVERYCORE_UPGRADE', `${UPGRADE_VARIABLE} names no channel to another supervisor`, { hint: `remove ${UPGRADE_VARIABLE} from the environment`, cause })
  }
}

function tell(channel: Socket, word: SuccessorWord): void {
  if (channel.writable) channel.write(`${JSON.stringify(word)}\n`)
}

/** One word: all workers have been ready at once and stayed so for a while, or the first that was lost. */
function watchStart(supervisor: Supervisor, say: (word: SuccessorWord) => void): void {
  let timer: NodeJS.Timeout | undefined
  let isSaid = false
  const once = (word: SuccessorWord): void => {
    clearTimeout(timer)
    if (isSaid) return
    isSaid = true
    say(word)
    if (word.word === 'failed') void supervisor.stop()
  }
  supervisor.once('primary:started', () => {
    timer = setTimeout(() => once({ word: 'ready' }), supervisor.settings.core.provenMs)
  })
  supervisor.on('worker:exited', ({ slot, kind, killReason, exit }) => {
    if (kind === 'retired') return
    const error = exit.error === undefined ? (exit.signal ?? `exit code ${exit.code}`) : `${exit.error.name}: ${exit.error.message.split('\n')[0] ?? ''}`
    once({ word: 'failed', why: `its worker ${slot} ${killReason === 'ready-timeout' ? 'was not ready in time' : kind === 'boot-failure' ? `failed to start (${error})` : `did not last (${error})`}` })
  })
  supervisor.on('worker:spawn-failed', ({ slot, code }) => once({ word: 'failed', why: `its worker ${slot} could not be started (${code})` }))
  void supervisor.done.then((failure) => once({ word: 'failed', why: failure === undefined ? 'it was stopped' : failure.message }))
}
