import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Found } from '../../src/config/types.ts'
import { nodeHost, type Host } from '../../src/config/host.ts'
import { existingRuntimeDir, explicitRuntimeDir, implicitRuntimeDir } from '../../src/config/runtime-dir.ts'
import { resolveIdentity } from '../../src/config/users.ts'
import { fakeHost } from './config-host.ts'

const ACCOUNTS = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n# comment\nnode:x:1000:1001::/home/node:/bin/sh\n',
  '/etc/group': 'root:x:0:\nweb:x:33:node,other\n',
}

type Given = Found<number | string | undefined>
const asUid = (value?: number | string): Given => ({ value, origin: 'flag', where: '--uid (flag)' })
const asGid = (value?: number | string): Given => ({ value, origin: 'flag', where: '--gid (flag)' })

describe('user and group', () => {
  const root: Partial<Host> = { euid: 0 }
  for (const [name, uid, gid, identity] of [
    ['stay as they are', undefined, undefined, { uid: undefined, gid: undefined }],
    ['are the main group of a user given by name', 'node', undefined, { uid: 1000, gid: 1001 }],
    ['are the main group of a user given by number', 1000, undefined, { uid: 1000, gid: 1001 }],
    ['are both as given', 'node', 'web', { uid: 1000, gid: 33 }],
    ['may be a number that nobody knows, with a group', 4711, 4712, { uid: 4711, gid: 4712 }],
    ['may be a group alone', undefined, 'web', { uid: undefined, gid: 33 }],
  ] as const) {
    it(name, () => assert.deepEqual(resolveIdentity(asUid(uid), asGid(gid), fakeHost(ACCOUNTS, root)), identity))
  }

  for (const [name, uid, gid, message] of [
    ['a user that does not exist', 'nobody2', undefined, /--uid \(flag\): there is no user nobody2/],
    ['a group that does not exist', 'node', 'x', /--gid \(flag\): there is no group x/],
    ['a number that nobody knows, without a group', 4711, undefined, /user 4711 is not in \/etc\/passwd/],
  ] as const) {
    it(`refuse ${name}`, () => assert.throws(() => resolveIdentity(asUid(uid), asGid(gid), fakeHost(ACCOUNTS, root)), { code: 'ERR_EVERYCORE_SETTING', exitCode: 2, message }))
  }

  it('can be changed by root only', () => {
    assert.throws(() => resolveIdentity(asUid('node'), asGid(), fakeHost(ACCOUNTS)), { message: '--uid (flag): only root can run workers as somebody else' })
    assert.throws(() => resolveIdentity(asUid(), asGid('web'), fakeHost(ACCOUNTS)), { message: /--gid \(flag\): only root/ })
    assert.throws(() => resolveIdentity(asUid(1), asGid(1), fakeHost(ACCOUNTS, { platform: 'win32', euid: undefined })), { message: /only root/ })
  })
})

describe('a runtime directory that was asked for', () => {
  it('is made when it is missing, for us alone', () => {
    const host = fakeHost({ '/var': { kind: 'directory', uid: 1000 } })
    assert.equal(explicitRuntimeDir('/var/a/b', host), '/var/a/b')
    assert.deepEqual(host.made, ['/var/a 700', '/var/a/b 700'])
  })

  for (const [name, entry, why] of [
    ['a symbolic link', { kind: 'symlink', target: '/tmp', uid: 1000 }, 'It is a symbolic link.'],
    ['a file', { kind: 'file', uid: 1000 }, 'It is not a directory.'],
    ['the directory of another user', { kind: 'directory', uid: 0 }, 'It belongs to user 0 and not to us (1000).'],
    ['writable for the group', { kind: 'directory', uid: 1000, mode: 0o770 }, 'Others can write to it (mode 770).'],
    ['writable for all', { kind: 'directory', uid: 1000, mode: 0o702 }, 'Others can write to it (mode 702).'],
    ['read-only', { kind: 'directory', uid: 1000, mode: 0o500, denied: true }, 'It is not writable.'],
  ] as const) {
    it(`is refused when it is ${name}`, () => assert.throws(() => explicitRuntimeDir('/x', fakeHost({ '/x': entry })), { code: 'ERR_EVERYCORE_RUNTIME_DIR', exitCode: 1, why }))
  }

  it('is refused when it cannot be made', () => {
    assert.throws(() => explicitRuntimeDir('/ro/x', fakeHost({ '/ro': { kind: 'directory', denied: true } })), { why: 'It cannot be made (EACCES).' })
  })
})

describe('a runtime directory that was not asked for', () => {
  const mine = { kind: 'directory', uid: 1000, mode: 0o700 } as const
  for (const [name, env, files, overrides, path] of [
    ['is the one that systemd gives', { RUNTIME_DIRECTORY: '/run/shop:/run/other', XDG_RUNTIME_DIR: '/run/user/1000' }, { '/run/shop': mine }, {}, '/run/shop'],
    ['may be given by systemd as a link', { RUNTIME_DIRECTORY: '/run/shop' }, { '/run/shop': { kind: 'symlink', target: '/run/private/shop' }, '/run/private/shop': mine }, {}, '/run/private/shop'],
    ['is that of the session', { XDG_RUNTIME_DIR: '/run/user/1000' }, { '/run/user/1000': mine }, {}, '/run/user/1000/everycore'],
    ['is not that of another session, which sudo leaves behind', { XDG_RUNTIME_DIR: '/run/user/1000' }, { '/run/user/1000': mine, '/run': { kind: 'directory' } }, { euid: 0 }, '/run/everycore'],
    ['is /run/everycore for root', {}, { '/run': { kind: 'directory' } }, { euid: 0 }, '/run/everycore'],
    ['stands in the tmp directory for others', {}, {}, {}, '/tmp/everycore-1000'],
    ['stands in the tmp directory when root cannot write to /run', {}, { '/run': { kind: 'directory', denied: true } }, { euid: 0 }, '/tmp/everycore-0'],
    ['is not relative', { RUNTIME_DIRECTORY: 'run', XDG_RUNTIME_DIR: 'x' }, {}, {}, '/tmp/everycore-1000'],
  ] as const) {
    it(name, () => assert.deepEqual(implicitRuntimeDir(env, fakeHost(files, overrides)), { path, warnings: [] }))
  }

  it('is done without, with a warning, when somebody else has planted one', () => {
    const { path, warnings } = implicitRuntimeDir({}, fakeHost({ '/tmp/everycore-1000': { kind: 'symlink', target: '/etc' } }))
    assert.equal(path, undefined)
    assert.deepEqual(warnings, ['No runtime directory can be used, so nothing outlives this run. /tmp/everycore-1000: It is a symbolic link.'])
  })
})

describe('a runtime directory that is looked for and not made', () => {
  const mine = { kind: 'directory', uid: 1000, mode: 0o700 } as const

  it('is the first that is there and good', () => {
    const host = fakeHost({ '/run/user/1000': mine, '/run/user/1000/everycore': { ...mine, mode: 0o777 }, '/tmp/everycore-1000': mine })
    assert.equal(existingRuntimeDir({ RUNTIME_DIRECTORY: '/run/shop', XDG_RUNTIME_DIR: '/run/user/1000' }, host), '/tmp/everycore-1000')
  })

  it('may be missing, or somebody else\'s', () => {
    for (const files of [{}, { '/tmp/everycore-1000': { ...mine, uid: 0 } }, { '/tmp/everycore-1000': { kind: 'symlink', target: '/tmp/x' }, '/tmp/x': mine }] as const) {
      const host = fakeHost(files)
      assert.equal(existingRuntimeDir({}, host), undefined)
      assert.deepEqual(host.made, [])
    }
  })
})

describe('the real host', () => {
  let root = ''
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  })
  after(() => rmSync(root, { recursive: true, force: true }))

  it('makes a private directory whatever the umask is', () => {
    const old = process.umask(0)
    try {
      const path = explicitRuntimeDir(join(root, 'run'), nodeHost())
      assert.equal(statSync(path).mode & 0o7777, 0o700)
    } finally {
      process.umask(old)
    }
  })

  it('refuses a link and a directory that all can write to', () => {
    symlinkSync(root, join(root, 'link'))
    assert.throws(() => explicitRuntimeDir(join(root, 'link'), nodeHost()), { why: 'It is a symbolic link.' })
    explicitRuntimeDir(join(root, 'open'), nodeHost())
    chmodSync(join(root, 'open'), 0o777)
    assert.throws(() => explicitRuntimeDir(join(root, 'open'), nodeHost()), { why: 'Others can write to it (mode 777).' })
  })

  it('answers for what does not exist, and finds packages from a script', () => {
    const host = nodeHost()
    writeFileSync(join(root, 'a'), '')
    assert.equal(host.stat(join(root, 'none')), undefined)
    assert.equal(host.stat(join(root, 'a', 'b')), undefined)
    assert.deepEqual(host.list(join(root, 'none')), [])
    assert.equal(host.resolvePackage('tsx', join(root, 'a')), undefined)
    assert.match(host.resolvePackage('tsx', import.meta.filename) ?? '', /tsx/)
    assert.ok(host.availableParallelism() >= 1)
  })
})
