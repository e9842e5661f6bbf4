/** The same load on code with node:cluster (`test/fixtures/peers/cluster.cjs`), to see whether the harness notices what is bad about it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { fixture, freePort, type Scope } from '../app.ts'
import { processesOf, RUN_VARIABLE } from '../processes.ts'
import { until } from '../until.ts'
import { Ledger } from './ledger.ts'
import { Load } from './load.ts'
import type { Mix } from './mix.ts'
import { chooseSeed } from './seed.ts'

const CLUSTER = fileURLToPath(new URL('../../fixtures/peers/cluster.cjs', import.meta.url))

/** Round-robin leaves some connections stuck: long enough to tell them from slow ones. */
const PATIENCE_MS = 2000

/** How it reloads. */
export type Way = 'careful' | 'close-idle' | 'exit' | 'kill-old-first' | 'keep-old' | 'article'

interface ClusterEvent {
  readonly event: string
  readonly generation?: number
  readonly inMs?: number
  readonly workerPid?: number
}

export class ClusterUnderLoad {
  readonly load: Load
  readonly child: ChildProcess
  readonly events: readonly ClusterEvent[]

  private constructor(child: ChildProcess, load: Load, events: readonly ClusterEvent[]) {
    this.child = child
    this.load = load
    this.events = events
  }

  static async start(scope: Scope, way: Way, mix: Mix): Promise<ClusterUnderLoad> {
    const ledger = new Ledger(scope)
    const port = await freePort()
    const runId = randomUUID()
    const child = spawn(process.execPath, [CLUSTER, way, '2', fixture('ledger.cjs')], {
      env: { ...process.env, PORT: String(port), LEDGER_DIR: ledger.directory, [RUN_VARIABLE]: runId },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const closed = once(child, 'close')
    scope.after(async () => {
      child.kill('SIGTERM')
      await closed
      await until('no process is left', () => processesOf(runId).length === 0)
    })
    const events: ClusterEvent[] = []
    createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line) as ClusterEvent))
    await until('all workers listen', () => events.some(({ event }) => event === 'primary:started'))
    const load = new Load({ port }, { seed: chooseSeed(), mix, ledger, patienceMs: PATIENCE_MS })
    scope.after(async () => load.end())
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { event, inMs } = JSON.parse(line) as ClusterEvent
      if (event === 'worker:ready' || event === 'worker:draining') load.announceDrain(inMs)
    })
    await load.settled(50)
    return new ClusterUnderLoad(child, load, events)
  }

  /** The generation that serves afterwards. */
  async reload(): Promise<number> {
    const before = this.events.filter(isEndOfReload).length
    this.child.kill('SIGUSR2')
    await until('the reload is finished', () => this.events.filter(isEndOfReload).length > before)
    return this.events.filter(isEndOfReload).at(-1)?.generation ?? 0
  }
}

function isEndOfReload({ event }: ClusterEvent): boolean {
  return event === 'reload:finished'
}
