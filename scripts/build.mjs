// Bundles the entry points into dist/ and writes the type declarations beside them.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

const root = new URL('..', import.meta.url).pathname
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
/** Node's `import()` for what runs from the code cache, where there is none: a file of its own. */
const ownImport = {
  name: 'own-import',
  setup: ({ onResolve }) => onResolve({ filter: /\/import-module\.ts$/ }, ({ kind }) => (kind === 'entry-point' ? undefined : { path: './import-module.cjs', external: true })),
}
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
/** Without minified names: they stand in the stacks of bug reports. */
const quickToParse = { minifySyntax: true, minifyWhitespace: true }

rmSync(`${root}dist`, { recursive: true, force: true })

await Promise.all([buildControl(), buildTop()])
await Promise.all([
  build({ ...common, define: { ...common.define, __EVERYCORE_CONTROL_HASH__: hashOf('dist/control.cjs') }, format: 'esm', outdir: 'dist', entryPoints: { index: 'src/index.ts', worker: 'src/worker/api.ts' } }),
  buildCommand(),
  buildPreload(),
  buildSchema(),
  build({ ...common, format: 'cjs', outfile: 'dist/otlp-thread.cjs', entryPoints: ['src/primary/otlp-thread.ts'] }),
])

const types = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' })
process.exitCode = types.status ?? 1

/** Every worker pays for this at its start. Two files for the same reason as the command: docs/decisions/0009. */
async function buildPreload() {
  const define = { ...common.define, 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' }
  const preload = { ...common, ...quickToParse, format: 'cjs', outdir: 'dist/worker', outExtension: { '.js': '.cjs' } }
  await build({ ...preload, define, entryPoints: { hook: 'src/worker/hook.ts', sticky: 'src/listen/worker/stickiness.ts', vitals: 'src/worker/vitals.ts', diagnosis: 'src/worker/diagnosis.ts' } })
  await build({ ...preload, define: { ...define, __EVERYCORE_HOOK_HASH__: hashOf('dist/worker/hook.cjs') }, entryPoints: { preload: 'src/worker/preload.ts' } })
}

function hashOf(file) {
  return JSON.stringify(createHash('sha256').update(readFileSync(`${root}${file}`)).digest('hex').slice(0, 16))
}

/** The control server with hono, of which so only what is used is loaded, for the command and for the library; and when somebody comes. */
async function buildControl() {
  await build({ ...common, ...quickToParse, packages: undefined, format: 'cjs', outfile: 'dist/control.cjs', entryPoints: ['src/control/server.ts'] })
}

/** The live view with the libraries that draw it, which are ES modules only; loaded by nobody else. */
async function buildTop() {
  await build({ ...common, ...quickToParse, packages: undefined, external: ['pino'], format: 'cjs', outfile: 'dist/top.cjs', entryPoints: ['src/top/run.ts'] })
}

/**
 * The workers wait for the command. Therefore it is CommonJS, which starts quicker than ES modules do, and more than
 * one file: a small one that loads the other, that for apps or that for verbs, from the code cache.
 */
async function buildCommand() {
  const command = {
    ...common,
    ...quickToParse,
    format: 'cjs',
    // All but valibot, of which so only what is used is loaded: docs/decisions/0009.
    packages: undefined,
    external: ['commander', 'pino'],
    supported: { 'dynamic-import': false },
    plugins: [ownImport],
  }
  const define = { ...common.define, 'import.meta.dirname': '__dirname' }
  await build({ ...common, ...quickToParse, format: 'cjs', outfile: 'dist/import-module.cjs', entryPoints: ['src/config/file/import-module.ts'] })
  await build({ ...command, define: { ...define, __EVERYCORE_CONTROL_HASH__: hashOf('dist/control.cjs') }, outfile: 'dist/main.cjs', entryPoints: ['src/cli/main.ts'] })
  await build({ ...command, define, external: ['pino'], outfile: 'dist/verbs.cjs', entryPoints: ['src/cli/verbs/index.ts'] })
  const hashes = `{"main":${hashOf('dist/main.cjs')},"verbs":${hashOf('dist/verbs.cjs')}}`
  await build({ ...command, define: { ...define, __EVERYCORE_HASHES__: hashes }, outfile: 'dist/cli.cjs', entryPoints: ['src/cli/cli.ts'] })
}

/** For editors and validators of config files. */
async function buildSchema() {
  const { outputFiles } = await build({ ...common, packages: undefined, format: 'esm', write: false, entryPoints: ['src/config/file/schema.ts'] })
  const { configSchema } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`)
  writeFileSync(`${root}dist/schema.json`, `${JSON.stringify(configSchema(), undefined, 2)}\n`)
}
