/** everycore with the fixture `ledger.cjs` as a release on disk, under a load. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatDuration } from '../../../src/base/units.ts'
import { App, fixture, freePort, type LogRecord, type Scope, type StartOptions } from '../app.ts'
import { Ledger } from './ledger.ts'
import { Load } from './load.ts'
import type { Mix } from './mix.ts'
import type { Report } from './report.ts'
import { chooseSeed } from './seed.ts'

/** How long a new worker must have been ready before the old one drains, by default. */
const PROVEN_MS = 1000
/** Requests that have their fate before anything happens. */
const WARM_UP = 50

export interface UnderLoadOptions extends StartOptions {
  readonly mix: Mix
  readonly seed?: number
  /** Another `--min-uptime`. */
  readonly minUptimeMs?: number
}

export class UnderLoad {
  readonly app: App
  readonly ledger: Ledger
  readonly #script: string
  readonly #makeLoad: (seed: number) => Load
  #load: Load

  private constructor(app: App, ledger: Ledger, script: string, makeLoad: (seed: number) => Load, seed: number) {
    this.app = app
    this.ledger = ledger
    this.#script = script
    this.#makeLoad = makeLoad
    this.#load = makeLoad(seed)
  }

  /** Starts both, and waits until answers come. */
  static async start(scope: Scope, { mix, seed = chooseSeed(), env = {}, minUptimeMs = PROVEN_MS, options = [], ...rest }: UnderLoadOptions): Promise<UnderLoad> {
    const directory = mkdtempSync(join(tmpdir(), 'everycore-release-'))
    scope.after(async () => rmSync(directory, { recursive: true, force: true }))
    const script = join(directory, 'server.cjs')
    copyFileSync(fixture('ledger.cjs'), script)
    const ledger = new Ledger(scope)
    const [tlsPort, http2Port] = [await freePort(), await freePort()]
    const needsTls = Object.keys(mix).some((kind) => kind.startsWith('tls-') || kind === 'http2')
    const secure = needsTls ? { TLS_DIR: fixture('tls'), TLS_PORT: String(tlsPort), HTTP2_PORT: String(http2Port) } : {}
    const app = await App.ready(scope, script, { ...rest, options: [...options, '--min-uptime', formatDuration(minUptimeMs)], env: { LEDGER_DIR: ledger.directory, ...secure, ...env } })
    const under = new UnderLoad(app, ledger, script, (seedOfLoad) => new Load({ port: app.port, tlsPort, http2Port }, { seed: seedOfLoad, mix, ledger }), seed)
    // After the app: without it, whoever still waits knows at once.
    scope.after(async () => under.load.end())
    under.#announceDrains(minUptimeMs)
    await under.load.settled(WARM_UP)
    return under
  }

  get load(): Load {
    return this.#load
  }

  /** Another load, when the one before has been stopped. */
  async loadAgain(seed: number): Promise<void> {
    this.#load = this.#makeLoad(seed)
    await this.load.settled(WARM_UP)
  }

  /** Puts another release in place: its text, or the path of a fixture. */
  release(text?: string): void {
    if (text === undefined) copyFileSync(fixture('ledger.cjs'), this.#script)
    else writeFileSync(this.#script, text)
  }

  removeRelease(): void {
    rmSync(this.#script)
  }

  /** Asks for a reload and waits for its end. */
  async reload(): Promise<LogRecord> {
    const before = this.app.records.filter(isEndOfReload).length
    this.app.kill('SIGUSR2')
    return this.app.record('the end of a reload', isEndOfReload, before + 1)
  }

  /** Ends the load, then the app, and tells what came of all requests. */
  async stop(): Promise<Report> {
    const report = await this.load.stop()
    await this.app.stop()
    return report
  }

  #announceDrains(minUptimeMs: number): void {
    let reloading = false
    this.app.onRecord((record) => {
      const { event } = record
      if (event === 'reload:started') reloading = true
      if (isEndOfReload(record)) reloading = false
      // A request that is sent before the drain cannot wait for its event.
      if (event === 'worker:ready' && reloading) this.load.announceDrain(minUptimeMs)
      if (event === 'worker:draining') this.load.announceDrain()
    })
  }
}

function isEndOfReload({ event }: LogRecord): boolean {
  return event === 'reload:finished' || event === 'reload:aborted' || event === 'reload:refused'
}
