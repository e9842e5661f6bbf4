// Long runs with faults: `npm run chaos -- --help`.
import { main } from '../test/chaos/main.ts'

process.exitCode = await main(process.argv.slice(2))
