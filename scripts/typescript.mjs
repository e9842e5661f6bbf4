/**
 * `node --import ./scripts/typescript.mjs test.ts`: TypeScript on every Node that the tests run on. Types are taken out once for
 * each version of a file, and the result is kept in `node_modules/.cache`. A test file is a process, so that a loader which
 * takes a third of a second to load is half a minute of the suite.
 */
import * as module from 'node:module'
import { load } from './typescript-hooks.mjs'

process.setSourceMapsEnabled(true)
// Node 20 has hooks in a thread of their own only.
if (typeof module.registerHooks === 'function') module.registerHooks({ load })
else module.register('./typescript-hooks.mjs', import.meta.url)
