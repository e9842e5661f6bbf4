/**
 * The scenarios: the same for every product. `run(context)` does it under the load and returns the times of its faults;
 * context has `{ running, load, workerPids, sleep }`.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { signal, sleep, until } from '../../bench/lib/session.mjs'

export const RELEASE = readFileSync(fileURLToPath(new URL('../../test/fixtures/apps/ledger.cjs', import.meta.url)), 'utf8')

/** Between two faults: what is stuck is known to be so. */
const CALM_MS = 3000
const PAUSED_MS = 5000
const LOOP_MS = 4000

export const SCENARIOS = {
  reload: {
    title: '5 reloads',
    async run({ running }) {
      const faults = []
      for (let nth = 0; nth < 5; nth += 1) {
        faults.push(performance.now())
        await running.reload()
        await sleep(CALM_MS)
      }
      return faults
    },
  },
  bad: {
    title: 'reload of a release that throws',
    async run({ running }) {
      const at = performance.now()
      running.put('throw new Error("a bad release")')
      await running.reload()
      await sleep(2 * CALM_MS)
      return [at]
    },
  },
  kill: {
    title: '5 times SIGKILL of a worker',
    needsProcesses: true,
    async run({ workerPids, workers }) {
      const faults = []
      for (let nth = 0; nth < 5; nth += 1) {
        faults.push(performance.now())
        signal(workerPids()[0], 'SIGKILL')
        await sleep(CALM_MS)
        await until(() => workerPids().length === workers, 'a replacement').catch(() => {})
      }
      return faults
    },
  },
  'kill-all': {
    title: '3 times SIGKILL of all workers',
    needsProcesses: true,
    async run({ workerPids, workers }) {
      const faults = []
      for (let nth = 0; nth < 3; nth += 1) {
        faults.push(performance.now())
        for (const pid of workerPids()) signal(pid, 'SIGKILL')
        await sleep(CALM_MS)
        await until(() => workerPids().length === workers, 'replacements').catch(() => {})
      }
      return faults
    },
  },
  pause: {
    title: 'supervisor stopped for 5 s',
    needsProcesses: true,
    async run({ running }) {
      const at = performance.now()
      signal(running.pid, 'SIGSTOP')
      await sleep(PAUSED_MS)
      signal(running.pid, 'SIGCONT')
      await sleep(CALM_MS)
      return [at]
    },
  },
  orphans: {
    title: 'SIGKILL of the supervisor, one worker in a loop',
    endsProduct: true,
    async run({ running, askForLoop }) {
      askForLoop()
      // Whoever watches over workers has seen by then that it hangs.
      await sleep(LOOP_MS)
      signal(running.pid, 'SIGKILL')
      await sleep(CALM_MS)
      return []
    },
  },
}
