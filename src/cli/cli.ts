#!/usr/bin/env node
// The command. Everything else is importable without effect.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { loadCached } from '../base/code-cache.ts'
import { nodeHost } from '../config/host.ts'
import { COMPILE_CACHE, existingRuntimeDir } from '../config/runtime-dir.ts'
import type * as Main from './main.ts'
import { verbOf } from './verbs.ts'

/** Replaced by the build with the hashes of `main.cjs` and `verbs.cjs`. */
// oxlint-disable-next-line no-underscore-dangle -- the name that the build defines
declare const __EVERYCORE_HASHES__: Readonly<Record<'main' | 'verbs', string>>

const { env } = process
const isChosen = env['NODE_COMPILE_CACHE'] !== undefined || env['NODE_DISABLE_COMPILE_CACHE'] !== undefined
const runtimeDir = isChosen ? undefined : existingRuntimeDir(env, nodeHost())
const argv = process.argv.slice(2)
const bundle = verbOf(argv[0]) === undefined ? 'main' : 'verbs'
const filename = join(import.meta.dirname, `${bundle}.cjs`)
const { main } = loadCached({
  filename,
  require: createRequire(filename),
  version: `${bundle}.cjs-${__EVERYCORE_HASHES__[bundle]}`,
  directory: runtimeDir === undefined ? undefined : join(runtimeDir, COMPILE_CACHE),
  isShort: bundle === 'verbs',
}) as Pick<typeof Main, 'main'>

// Whoever reads the output of a verb may have seen enough of it (`| head`).
if (bundle === 'verbs') process.stdout.on('error', () => {})

void main(argv, env, { stdout: process.stdout, stderr: process.stderr }).then((code) => {
  process.exitCode = code
})
