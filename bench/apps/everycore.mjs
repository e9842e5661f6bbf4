// everycore as a library, for benches that want to know what the supervisor knows: any message is answered with `loads`.
// Usage: node everycore.mjs <index.js of everycore> <settings as JSON> [<script>]; without a script it only checks the settings.
import { pathToFileURL } from 'node:url'

const [index, settings, script] = process.argv.slice(2)
const { createSupervisor } = await import(pathToFileURL(index).href)
const supervisor = await createSupervisor({ ...JSON.parse(settings), script: script ?? process.argv[1] })
if (script !== undefined) await run()

async function run() {
  process.once('SIGTERM', () => void supervisor.stop())
  process.once('disconnect', () => void supervisor.stop())
  process.on('message', () => process.send(supervisor.loads))
  await supervisor.start()
  await supervisor.done
  process.disconnect?.()
}
