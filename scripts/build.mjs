// Bundles the entry points into dist/ and writes the type declarations beside them.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

const root = new URL('..', import.meta.url).pathname
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  define: { __EVERYCORE_VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
  legalComments: 'none',
}

rmSync(`${root}dist`, { recursive: true, force: true })

await Promise.all([
  build({ ...common, format: 'esm', outdir: 'dist', entryPoints: { index: 'src/index.ts', worker: 'src/worker/api.ts' } }),
  // CommonJS starts quicker than ES modules do, and the workers wait for the command.
  build({
    ...common,
    format: 'cjs',
    outfile: 'dist/cli.cjs',
    entryPoints: ['src/cli/cli.ts'],
    define: { ...common.define, 'import.meta.url': '__moduleUrl' },
    banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  }),
  // Every worker pays for this at its start.
  build({ ...common, format: 'cjs', outfile: 'dist/worker/preload.cjs', minifySyntax: true, minifyWhitespace: true, entryPoints: ['src/worker/preload.ts'] }),
])

const types = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' })
process.exitCode = types.status ?? 1
