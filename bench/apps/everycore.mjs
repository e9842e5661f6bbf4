// everycore as a library, for benches that want to know what the supervisor knows. Each message is a question, see QUESTIONS.
// Usage: node everycore.mjs <index.js of everycore> <settings as JSON> [<script>]; without a script it only checks the settings.
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'

const [index, settings, script] = process.argv.slice(2)
const { createSupervisor } = await import(pathToFileURL(index).href)
const supervisor = await createSupervisor({ ...JSON.parse(settings), script: script ?? process.argv[1] })
if (script !== undefined) await run()

/** A worker that has exited is told before it is forgotten. */
async function oldOnesGone() {
  const { size, workers } = supervisor.snapshot
  for (let more = workers.length - size; more > 0; more -= 1) await once(supervisor, 'worker:exited')
}

async function run() {
  const QUESTIONS = {
    loads: () => supervisor.loads,
    /** Reloads; when it was finished, when the old workers were gone, and how many connections were carried meanwhile. */
    async reload({ waitsForOld }) {
      const began = performance.now()
      const before = supervisor.handOvers.relayed
      await supervisor.reload()
      const finishedMs = performance.now() - began
      if (waitsForOld) await oldOnesGone()
      const workers = supervisor.snapshot.workers.filter(({ phase }) => phase === 'ready').map(({ pid }) => pid)
      return { finishedMs, leftMs: performance.now() - began, workers, relayed: supervisor.handOvers.relayed - before }
    },
  }

  process.once('SIGTERM', () => void supervisor.stop())
  process.once('disconnect', () => void supervisor.stop())
  process.on('message', async ({ question, ...details }) => process.send(await QUESTIONS[question](details)))
  await supervisor.start()
  await supervisor.done
  process.disconnect?.()
}
