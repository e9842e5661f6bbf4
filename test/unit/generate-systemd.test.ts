import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Deployment } from '../../src/generate/deployment.ts'
import { systemdFiles } from '../../src/generate/systemd.ts'
import { deployment } from '../harness/deployment.ts'
import { hasSystemd } from '../harness/notify-socket.ts'
import { PAYLOADS } from '../harness/payloads.ts'
import { readBySystemd, withUnits } from '../harness/systemd-units.ts'

const options = { skip: hasSystemd ? false : 'systemd is not installed' }
const node = process.execPath
const COMMAND = '/srv/shop/node_modules/everycore/dist/cli.cjs'

function service(changes: Partial<Deployment> = {}, socket = false): string {
  return systemdFiles(deployment({ node, ...changes }), { socket })[0]?.text ?? ''
}

/** The value of a setting; undefined when it is not there. */
function setting(text: string, name: string): string | undefined {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1]
}

test('systemd-analyze verify finds no fault', options, () => {
  const variants: readonly (readonly [Partial<Deployment>, boolean])[] = [
    [{}, false],
    [{ port: 3000 }, true],
    [{ port: 80, drainDelayMs: 5000, readyTimeoutMs: 0 }, false],
    [{ user: 'root', group: 'root', directory: '/root' }, false],
    [{ changesUser: true, args: PAYLOADS }, false],
  ]
  for (const [changes, socket] of variants) {
    const files = systemdFiles(deployment({ node, command: node, ...changes }), { socket })
    withUnits(files, (directory) => {
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files.map(({ path }) => join(directory, path))], { encoding: 'utf8' })
      assert.deepEqual(stderr.split('\n').filter((line) => line.includes('shop')), [])
      assert.equal(status, 0, stderr)
    })
  }
})

test('systemd reads the command line as it was meant, with every text that means something to it or to a shell', options, () => {
  assert.deepEqual(readBySystemd(systemdFiles(deployment({ node }), { socket: false })).command, [node, COMMAND, 'start', '/srv/shop/server.js'])
  const given = deployment({ node, args: PAYLOADS, script: '/srv/shop/it\'s "100%" $HOME; x.js', options: [{ key: 'nodeArgs', words: ['--node-args', '--title="%n $x"'] }] })
  assert.deepEqual(readBySystemd(systemdFiles(given, { socket: false })).command, [node, COMMAND, 'start', '--node-args', '--title="%n $x"', given.script, ...PAYLOADS])
})

test('systemd reads the path of node, of the command and of the directory as they were meant', options, () => {
  const odd = { node: '/opt/no de%n/$x/node', command: '/opt/$x/%h/cli.cjs', directory: '/srv/a b/100%/it\'s "here"' }
  const unit = readBySystemd(systemdFiles(deployment(odd), { socket: false }))
  assert.deepEqual(unit.command.slice(0, 2), [odd.node, odd.command])
  assert.ok(unit.mounts.includes(odd.directory), unit.mounts.join('\n'))
})

test('a reload is asked for by the verb, or by the signal where there is no control socket', options, () => {
  const reload = (changes: Partial<Deployment>): readonly string[] => readBySystemd(systemdFiles(deployment({ node, ...changes }), { socket: false })).reload
  assert.deepEqual(reload({}), [node, COMMAND, 'reload', '--runtime-dir', '/run/everycore/shop'])
  assert.deepEqual(reload({ options: [{ key: 'control', words: ['--no-control'] }] }), ['/bin/kill', '-USR2', '$MAINPID'])
})

test('a path that a unit cannot hold is refused', () => {
  for (const directory of ['/srv/a\nExecStartPre=/bin/false', '/srv/a\\', '/srv/a ', '/srv/a\r']) assert.throws(() => service({ directory }), { code: 'ERR_EVERYCORE_GENERATE' })
  for (const path of ['/opt/"node"', "/opt/it's/node", '/opt/a\\b/node', '/opt/a\nb/node']) assert.throws(() => service({ node: path }), { code: 'ERR_EVERYCORE_GENERATE' })
})

test('no text can add a line to a unit', () => {
  assert.deepEqual(settingNames(service({ args: PAYLOADS })), settingNames(service()))
})

function settingNames(text: string): readonly string[] {
  return text.split('\n').map((line) => line.split('=')[0] ?? '')
}

test('the time for a stop and a start goes with the settings of the drain and of readiness', () => {
  assert.equal(setting(service(), 'TimeoutStopSec'), '40')
  assert.equal(setting(service({ drainDelayMs: 2500, gracefulTimeoutMs: 60_000 }), 'TimeoutStopSec'), String(3 + 60 + 15))
  assert.equal(setting(service(), 'TimeoutStartSec'), '90')
  assert.equal(setting(service({ readyTimeoutMs: 300_000 }), 'TimeoutStartSec'), '315')
  assert.equal(setting(service({ readyTimeoutMs: 0 }), 'TimeoutStartSec'), 'infinity')
})

test('systemd changes the user, and everycore is not told to', () => {
  const text = service({ user: 'www-data', group: 'www', options: [{ key: 'uid', words: ['--uid', 'www-data'] }, { key: 'gid', words: ['--gid', 'www'] }] })
  assert.deepEqual([setting(text, 'User'), setting(text, 'Group'), setting(text, 'DynamicUser')], ['www-data', 'www', undefined])
  assert.doesNotMatch(text, /--[ug]id/)
  assert.equal(setting(service(), 'DynamicUser'), 'yes')
  const byConfig = service({ changesUser: true })
  assert.equal(setting(byConfig, 'User'), 'root')
  assert.match(setting(byConfig, 'CapabilityBoundingSet') ?? '', /CAP_SETUID/)
})

test('a port below 1024 needs a capability, unless systemd binds it', () => {
  assert.equal(setting(service({ port: 80 }), 'AmbientCapabilities'), 'CAP_NET_BIND_SERVICE')
  assert.equal(setting(service({ port: 80 }, true), 'AmbientCapabilities'), undefined)
  assert.equal(setting(service({ port: 8080 }), 'AmbientCapabilities'), undefined)
})

test('an app in a home directory can be read', () => {
  assert.equal(setting(service(), 'ProtectHome'), 'yes')
  for (const changes of [{ directory: '/home/ann/shop' }, { node: '/root/.nvm/versions/node/v24/bin/node' }]) assert.equal(setting(service(changes), 'ProtectHome'), 'read-only')
})

test('a socket unit needs a port', () => {
  const files = systemdFiles(deployment({ node, port: 3000 }), { socket: true })
  assert.deepEqual(files.map(({ path }) => path), ['shop.service', 'shop.socket'])
  assert.equal(setting(files[1]?.text ?? '', 'ListenStream'), '3000')
  for (const port of [undefined, 0]) assert.throws(() => systemdFiles(deployment({ node, port }), { socket: true }), { code: 'ERR_EVERYCORE_GENERATE' })
})
