/** The control socket of a supervisor: what `control/` may ask of it, and where it listens. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { loadCached } from '../base/code-cache.ts'
import { nowMs } from '../base/clock.ts'
import type { Claim } from '../control/claim.ts'
import { Doorway, keepToken } from '../control/doorway.ts'
import type { ControlPorts, TcpAccess } from '../control/ports.ts'
import type * as ControlBundle from '../control/server.ts'
import type { ControlServer } from '../control/server.ts'
import type { Notice, SlotIndex, WorkerId } from '../core/types.ts'
import type { Logger, LogRing } from '../logs/logs.ts'
import { CONTROL_SCHEMA, type LastExit, type StatusReport } from '../protocol/control.ts'
import { commandsOf } from './control-commands.ts'
import { EventHub } from './event-hub.ts'
import { statusReport, type Figures } from './status-report.ts'
import type { Succession } from './succession.ts'
import type { Supervisor } from './supervisor.ts'

/** Replaced by the build with the hash of `control.cjs`. */
// oxlint-disable-next-line no-underscore-dangle -- the name that the build defines
declare const __EVERYCORE_CONTROL_HASH__: string

type WorkerExited = Extract<Notice, { readonly type: 'worker:exited' }>

export interface ControlContext {
  readonly log: Logger
  readonly ring: LogRing
  readonly succession: Succession | undefined
}

/** How often a successor tries to get the port that its predecessor gives up. */
const PORT_TRIES = 50
const PORT_PAUSE_MS = 100

export class Control {
  /** Fulfilled when it listens, or it is known that it cannot. */
  readonly opened: Promise<void>
  readonly #supervisor: Supervisor
  readonly #context: ControlContext
  readonly #doorway: Doorway
  readonly #lastExits = new Map<SlotIndex, LastExit>()
  readonly #startedAt = new Date()
  readonly #startedMs = nowMs()
  readonly #hub: EventHub
  #name: string
  #claim: Claim | undefined
  #access: TcpAccess | undefined
  #tokenFile: string | undefined
  #isOver = false

  constructor(supervisor: Supervisor, context: ControlContext) {
    this.#supervisor = supervisor
    this.#context = context
    this.#name = supervisor.settings.name
    this.#hub = new EventHub(supervisor)
    this.#doorway = new Doorway(() => this.#load(), (text) => context.log.warn(text))
    supervisor.on('worker:exited', (notice) => this.#note(notice))
    let onOpened: (() => void) | undefined
    this.opened = new Promise((resolve) => (onOpened = resolve))
    // In a later turn: by then as many workers are forked as may boot at a time.
    supervisor.once('primary:phase', () => setImmediate(() => void this.#open().then(onOpened)))
    // The successor waits for the port; the name of the socket it takes as it is, so that there is always one.
    supervisor.once('upgrade:finished', () => this.#doorway.shutTcp())
  }

  /** The name by which others reach the app: another one than was asked for, if that was taken. */
  get name(): string {
    return this.#name
  }

  /** When the supervisor has ended. */
  async close(): Promise<void> {
    this.#isOver = true
    if (this.#tokenFile !== undefined && this.#claim?.isOurs() === true) rmSync(this.#tokenFile, { force: true })
    await this.#doorway.close()
  }

  async #open(): Promise<void> {
    const { log, succession } = this.#context
    const { runtimeDir, control, name } = this.#supervisor.settings
    await succession?.taken
    if (this.#isOver) return
    try {
      if (runtimeDir === undefined) throw new Error('there is no runtime directory for it')
      if (process.platform === 'win32') throw new Error('there are no unix sockets on Windows')
      const claim = await this.#doorway.openUnix({ directory: runtimeDir, name, takeOver: succession !== undefined })
      this.#claim = claim
      this.#name = claim.name
      if (claim.name !== name) log.info(`another app is called ${name}: this one is ${claim.name} for everycore status, reload and stop`)
      log.debug(`control socket: ${claim.path}`, { event: 'control:opened', path: claim.path, name: claim.name })
      if (control.tcp !== undefined) await this.#openTcp(control.tcp, runtimeDir)
    } catch (error) {
      log.warn(`no control socket: ${error instanceof Error ? error.message : String(error)}. everycore status, reload and stop do not reach this app`)
    }
    if (this.#isOver) await this.#doorway.close()
  }

  async #openTcp({ host, port }: { readonly host: string; readonly port: number }, runtimeDir: string): Promise<void> {
    const { log, succession } = this.#context
    const file = join(runtimeDir, `${this.#name}.token`)
    this.#tokenFile = file
    this.#access = { token: keepToken(file, succession !== undefined, () => randomBytes(16).toString('hex')) }
    for (let left = succession === undefined ? 1 : PORT_TRIES; ; left -= 1) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        await this.#doorway.openTcp(host, port)
        log.info(`control by TCP: http://${host.includes(':') ? `[${host}]` : host}:${port}, the token is in ${file}`, { event: 'control:tcp', host, port, tokenFile: file })
        return
      } catch (error) {
        if (left <= 1) throw error
        // oxlint-disable-next-line no-await-in-loop
        await new Promise((resolve) => setTimeout(resolve, PORT_PAUSE_MS))
      }
    }
  }

  #load(): ControlServer {
    const filename = join(import.meta.dirname, 'control.cjs')
    const { createControlServer } = loadCached({
      filename,
      require: createRequire(filename),
      version: `control.cjs-${__EVERYCORE_CONTROL_HASH__}`,
      directory: this.#supervisor.settings.codeCacheDir,
    }) as typeof ControlBundle
    return createControlServer(this.#ports(), this.#access)
  }

  #ports(): ControlPorts {
    const supervisor = this.#supervisor
    return {
      status: () => this.status(),
      subscribe: (listener) => this.#hub.subscribe(listener),
      followLogs: (query, onMore) => this.#context.ring.follow(query, onMore),
      warn: (text) => this.#context.log.warn(text),
      ...commandsOf(supervisor, (id) => this.#figures(id).inFlight ?? null),
      stop: (force) => {
        void supervisor.stop({ force })
        return { schemaVersion: CONTROL_SCHEMA, name: this.#name, pid: process.pid }
      },
    }
  }

  status(): StatusReport {
    return statusReport(this.#supervisor, {
      name: this.#name,
      startedAt: this.#startedAt,
      startedMs: this.#startedMs,
      lastExits: this.#lastExits,
      figuresOf: (id) => this.#figures(id),
    })
  }

  #figures(id: WorkerId): Figures {
    const load = this.#supervisor.loads.find((one) => one.id === id)
    return load === undefined ? {} : { loopUtilization: load.busy, inFlight: load.inFlight, connections: load.open }
  }

  /** Only what nobody had asked for. */
  #note({ slot, kind, killReason, exit }: WorkerExited): void {
    if (kind === 'retired' || killReason === 'stop-now' || killReason === 'drain-timeout' || killReason === 'reload-aborted') return
    const reason = killReason ?? (kind === 'boot-failure' ? kind : 'crash')
    this.#lastExits.set(slot, { reason, how: exit.signal ?? `exit code ${exit.code}`, at: new Date().toISOString() })
  }
}
