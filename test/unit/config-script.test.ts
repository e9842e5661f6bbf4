import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EverycoreError } from '../../src/base/errors.ts'
import { deriveName } from '../../src/config/name.ts'
import { findScript } from '../../src/config/script.ts'
import { typescriptArgs } from '../../src/config/typescript.ts'
import { fakeHost, type FakeEntry } from './config-host.ts'

type Files = Readonly<Record<string, FakeEntry>>

function find(given: string | undefined, files: Files): string {
  return findScript(given, '/app', fakeHost({ '/app': { kind: 'directory' }, ...files }))
}

function failure(given: string | undefined, files: Files): EverycoreError {
  try {
    find(given, files)
  } catch (error) {
    if (error instanceof EverycoreError) return error
    throw error
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' })
}

describe('a given script', () => {
  for (const [name, given, files, found] of [
    ['is taken as it is', 'server.js', { '/app/server.js': '' }, '/app/server.js'],
    ['may be absolute', '/srv/a.mjs', { '/srv/a.mjs': '' }, '/srv/a.mjs'],
    ['gets .js', 'server', { '/app/server.js': '' }, '/app/server.js'],
    ['wins without extension over the one with it', 'server', { '/app/server': '', '/app/server.js': '' }, '/app/server'],
    ['with an extension wins over a directory of that name', 'server', { '/app/server.js': '', '/app/server/index.js': '' }, '/app/server.js'],
    ['may be a directory with an index', 'server', { '/app/server/index.js': '' }, '/app/server/index.js'],
    ['may be a directory with a main', '.', { '/app/package.json': '{"main":"lib/run"}', '/app/lib/run.js': '' }, '/app/lib/run.js'],
    ['may be a directory whose main is a directory', '.', { '/app/package.json': '{"main":"./lib"}', '/app/lib/index.js': '' }, '/app/lib/index.js'],
    ['may be a directory whose main does not exist, if it has an index', '.', { '/app/package.json': '{"main":"gone.js"}', '/app/index.js': '' }, '/app/index.js'],
    ['with a slash at its end is a directory only', 'server/', { '/app/server.js': '', '/app/server/index.js': '' }, '/app/server/index.js'],
    ['may be a pipe', '/dev/fd/63', { '/dev/fd/63': { kind: 'other' } }, '/dev/fd/63'],
    ['may be a command that asks for node', 'bin/next', { '/app/bin/next': '#!/usr/bin/env node\n' }, '/app/bin/next'],
    ['keeps a symbolic link, so that a reload sees where it points then', 'current/server.js', { '/app/current/server.js': { kind: 'symlink', target: '/app/v1/server.js' }, '/app/v1/server.js': '' }, '/app/current/server.js'],
  ] as const satisfies readonly (readonly [string, string, Files, string])[]) {
    it(name, () => assert.equal(find(given, files), found))
  }

  for (const [name, given, files, message, why, hint] of [
    ['is missing', 'sever.js', { '/app/server.js': '', '/app/other.js': '' }, 'cannot find sever.js', 'There is no /app/sever.js.', 'Did you mean server.js?'],
    ['is missing in a directory', 'src/indx.js', { '/app/src/index.js': '' }, 'cannot find src/indx.js', 'There is no /app/src/indx.js.', 'Did you mean src/index.js?'],
    ['is missing and nothing is like it', 'x.js', {}, 'cannot find x.js', 'There is no /app/x.js.', 'Check the path and the directory (--cwd).'],
    ['is a directory without an entry', 'lib', { '/app/lib/a.js': '' }, 'cannot run lib: it is a directory without an entry', '/app/lib has neither an index.js nor a package.json whose main exists.', 'Name the file: everycore lib/server.js.'],
    ['cannot be read', 'a.js', { '/app/a.js': { kind: 'file', denied: true } }, 'cannot read a.js', 'EACCES for /app/a.js.', 'Check the permissions of the file and of the user.'],
    ['is JSON', 'package.json', { '/app/package.json': '{}' }, 'cannot run package.json: it is not JavaScript', 'Node.js runs no .json files.', 'Name the JavaScript or TypeScript file that starts the server.'],
    ['is a shell script', 'run', { '/app/run': '#!/bin/sh\nexec node x' }, 'cannot run run: it is not JavaScript', 'Its first line asks for /bin/sh.', 'Name the JavaScript or TypeScript file that starts the server.'],
  ] as const satisfies readonly (readonly [string, string, Files, string, string, string])[]) {
    it(`is refused with exit code 4 when it ${name}`, () => {
      const error = failure(given, files)
      assert.deepEqual([error.code, error.exitCode, error.message, error.why, error.hint], ['ERR_EVERYCORE_SCRIPT', 4, message, why, hint])
    })
  }
})

describe('without a script', () => {
  for (const [name, files, found] of [
    ['main of package.json is taken', { '/app/package.json': '{"main":"lib/web"}', '/app/lib/web.js': '', '/app/server.js': '' }, '/app/lib/web.js'],
    ['a main that does not exist is passed over', { '/app/package.json': '{"main":"index.js"}', '/app/server.js': '' }, '/app/server.js'],
    ['a broken package.json is passed over', { '/app/package.json': '{', '/app/server.js': '' }, '/app/server.js'],
    ['what a build wrote comes first', { '/app/server.js': '', '/app/dist/main.js': '' }, '/app/dist/main.js'],
    ['build/index.js comes before server.js', { '/app/server.js': '', '/app/build/index.js': '' }, '/app/build/index.js'],
    ['server comes before app and index', { '/app/index.js': '', '/app/app.js': '', '/app/server.mjs': '' }, '/app/server.mjs'],
    ['TypeScript is found', { '/app/main.ts': '' }, '/app/main.ts'],
    ['the standalone server of Next.js is found', { '/app/.next/standalone/server.js': '' }, '/app/.next/standalone/server.js'],
    ['a directory of a usual name is no script', { '/app/server.js/x': '', '/app/app.js': '' }, '/app/app.js'],
  ] as const satisfies readonly (readonly [string, Files, string])[]) {
    it(name, () => assert.equal(find(undefined, files), found))
  }

  it('the failure lists what was looked for and has exit code 2', () => {
    const error = failure(undefined, { '/app/package.json': '{"main":"gone.js"}' })
    assert.deepEqual([error.code, error.exitCode], ['ERR_EVERYCORE_NO_SCRIPT', 2])
    for (const name of ['gone.js', 'dist/server.js', 'dist/main.js', 'build/server.js', 'app.js', 'main.js', '.mjs', '.next/standalone/server.js']) assert.ok(error.why?.includes(name), name)
  })
})

describe('TypeScript', () => {
  const tsx = { resolvePackage: () => '/app/node_modules/tsx/dist/loader.mjs' }
  const none = { nodeArgs: [], nodeOptions: [] }

  it('needs nothing for JavaScript', () => {
    for (const script of ['/app/a.js', '/app/a.mjs', '/app/a', '/app/ts']) assert.deepEqual(typescriptArgs({ script, ...none }, fakeHost({}, tsx)), [])
  })

  for (const extension of ['.ts', '.mts', '.cts', '.tsx']) {
    it(`runs ${extension} with the tsx of the project`, () => {
      assert.deepEqual(typescriptArgs({ script: `/app/a${extension}`, ...none }, fakeHost({}, { ...tsx, stripsTypes: true })), ['--import', 'file:///app/node_modules/tsx/dist/loader.mjs'])
    })
  }

  for (const arg of ['tsx', '--import=tsx', 'tsx/cjs', 'ts-node/register', '--loader=ts-node/esm', '@swc-node/register', 'jiti/register', 'file:///app/node_modules/tsx/dist/loader.mjs', 'esbuild-register']) {
    it(`leaves the loader ${arg} alone`, () => {
      assert.deepEqual(typescriptArgs({ script: '/app/a.ts', nodeArgs: ['--import', arg], nodeOptions: [] }, fakeHost({}, tsx)), [])
      assert.deepEqual(typescriptArgs({ script: '/app/a.ts', nodeArgs: [], nodeOptions: ['--require', arg] }, fakeHost({}, tsx)), [])
    })
  }

  it('does not take any file for a loader', () => {
    assert.equal(typescriptArgs({ script: '/app/a.ts', nodeArgs: ['--import', './otel.ts', '--title=atsx'], nodeOptions: [] }, fakeHost({}, tsx)).length, 2)
  })

  it('needs nothing where node removes types', () => {
    assert.deepEqual(typescriptArgs({ script: '/app/a.ts', ...none }, fakeHost({}, { stripsTypes: true })), [])
    assert.deepEqual(typescriptArgs({ script: '/app/a.ts', nodeArgs: ['--experimental-strip-types'], nodeOptions: [] }, fakeHost()), [])
  })

  it('is refused with both cures when nothing can run it', () => {
    assert.throws(() => typescriptArgs({ script: '/app/a.ts', ...none }, fakeHost()), { code: 'ERR_EVERYCORE_SCRIPT', exitCode: 4, hint: /npm install tsx .* or use Node\.js 22\.18/ })
  })

  it('with JSX is refused without tsx even where node removes types', () => {
    assert.throws(() => typescriptArgs({ script: '/app/a.tsx', ...none }, fakeHost({}, { stripsTypes: true })), { hint: /npm install tsx \(everycore uses it by itself\)\.$/ })
  })
})

describe('the name of the app', () => {
  for (const [name, script, files, derived] of [
    ['is that of the package', '/app/dist/server.js', { '/app/package.json': '{"name":"shop"}' }, 'shop'],
    ['skips a package.json without a name', '/app/dist/server.js', { '/app/dist/package.json': '{"type":"module"}', '/app/package.json': '{"name":"shop"}' }, 'shop'],
    ['loses what does not belong into a path', '/app/server.js', { '/app/package.json': '{"name":"@acme/shop api"}' }, 'acme-shop-api'],
    ['cannot climb', '/app/server.js', { '/app/package.json': '{"name":"../../etc"}' }, 'etc'],
    ['is at most 64 characters long', '/app/server.js', { '/app/package.json': `{"name":"${'a'.repeat(100)}"}` }, 'a'.repeat(64)],
    ['is that of the script without a package', '/srv/api.mjs', {}, 'api'],
    ['is that of the current package when the script is a tool', '/app/node_modules/next/dist/bin/next', { '/app/package.json': '{"name":"shop"}', '/app/node_modules/next/package.json': '{"name":"next"}' }, 'shop'],
    ['is app when nothing is left', '/srv/漢字.js', {}, 'app'],
  ] as const) {
    it(name, () => assert.equal(deriveName(script, '/app', fakeHost(files)), derived))
  }
})
