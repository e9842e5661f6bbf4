/** What the doctor says to which facts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DoctorFacts } from '../../src/cli/doctor/facts.ts'
import { gatherFacts } from '../../src/cli/doctor/facts.ts'
import { findings, type Verdict } from '../../src/cli/doctor/findings.ts'
import { findingLines } from '../../src/cli/verbs/doctor.ts'
import { fakeHost } from './config-host.ts'

const GIB = 1024 ** 3

/** A machine on which all is well. */
const WELL: DoctorFacts = {
  nodeVersion: '24.1.0',
  npmVersion: '11.0.0',
  features: { holdSockets: true, reusePort: true, compileCache: true, stripTypes: true },
  platform: 'linux',
  system: 'linux 6.1 x64',
  machine: { cores: 4, quota: undefined, memoryLimit: undefined },
  workers: 4,
  openFiles: [1024, 524_288],
  addressSpace: [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  mostPids: 4096,
  kernel: { 'net/core/somaxconn': 4096, 'net/ipv4/tcp_max_syn_backlog': 512, 'net/ipv4/tcp_syncookies': 1, 'net/ipv4/tcp_abort_on_overflow': 0, 'vm/overcommit_memory': 0 },
  runtimeDirs: [{ path: '/run/user/1000/everycore', flaw: undefined, isMissing: false }],
  isUnderSystemd: false,
  hasSystemdNotify: true,
  init: 'systemd',
  isContainer: false,
  nodeEnv: 'production',
  threadPool: undefined,
  inspector: 'shut',
  tmpdir: '/tmp',
  isTmpNoexec: false,
  now: new Date('2026-06-01'),
  clockSource: 'tsc',
  ports: [],
}

/** What changes, the finding that it makes, and how bad that is. */
const CASES: readonly (readonly [subject: string, verdict: Verdict, change: Partial<DoctorFacts>, pattern: RegExp])[] = [
  ['node', 'problem', { nodeVersion: '18.20.1' }, /Node 18\.20\.1 is not one/],
  ['node', 'problem', { nodeVersion: '23.1.0' }, /is not one/],
  ['node', 'ok', { nodeVersion: '22.12.0' }, /Node 22\.12\.0/],
  ['features', 'note', { nodeVersion: '20.19.0', features: { ...WELL.features, compileCache: false } }, /22\.8/],
  ['platform', 'warning', { platform: 'win32' }, /linux/],
  ['cores', 'note', { machine: { ...WELL.machine, cores: 1 }, workers: 1 }, /1 core: auto gives 1 worker/],
  ['cores', 'warning', { machine: { ...WELL.machine, quota: 0.5 }, workers: 1 }, /CPU quota of 0\.5/],
  ['memory', 'warning', { machine: { ...WELL.machine, memoryLimit: GIB / 4 } }, /256M: 64M for each of 4/],
  ['memory', 'ok', { machine: { ...WELL.machine, memoryLimit: 4 * GIB } }, /1G for each/],
  ['address-space', 'problem', { addressSpace: [GIB, GIB] }, /limited to 1G/],
  ['open-files', 'warning', { openFiles: [1024, 1024] }, /1024 at most/],
  ['pids', 'problem', { mostPids: 50 }, /50 processes/],
  ['backlog', 'warning', { kernel: { 'net/core/somaxconn': 128 } }, /queues 128/],
  ['syn-backlog', 'warning', { kernel: { 'net/ipv4/tcp_max_syn_backlog': 128, 'net/ipv4/tcp_syncookies': 0 } }, /128 connections/],
  ['abort-on-overflow', 'warning', { kernel: { 'net/ipv4/tcp_abort_on_overflow': 1 } }, /reset/],
  ['runtime-dir', 'problem', { runtimeDirs: [{ path: '/tmp/x', flaw: 'It is a symbolic link.', isMissing: false }] }, /symbolic link/],
  ['runtime-dir', 'ok', { runtimeDirs: [{ path: '/tmp/x', flaw: undefined, isMissing: true }] }, /when it has been made/],
  ['hand-over', 'warning', { features: { ...WELL.features, holdSockets: false } }, /cannot be held/],
  ['systemd', 'problem', { isUnderSystemd: true, hasSystemdNotify: false }, /waits for a message/],
  ['init', 'warning', { isContainer: true, init: 'node' }, /process 1 of this container is node/],
  ['init', 'ok', { isContainer: true, init: 'tini' }, /tini/],
  ['node-env', 'warning', { nodeEnv: undefined }, /not set/],
  ['thread-pool', 'warning', { threadPool: 'many' }, /no number/],
  ['thread-pool', 'warning', { threadPool: '64' }, /64 threads/],
  ['inspector', 'warning', { inspector: 'loopback' }, /opens an inspector/],
  ['inspector', 'problem', { inspector: { why: 'NODE_OPTIONS: lets others in' } }, /lets others in/],
  ['overcommit', 'warning', { kernel: { 'vm/overcommit_memory': 2 } }, /not overcommitted/],
  ['tmp', 'note', { isTmpNoexec: true }, /noexec/],
  ['clock', 'problem', { now: new Date(0) }, /1970/],
  ['clock', 'note', { clockSource: 'hpet' }, /hpet/],
  ['port', 'ok', { ports: [{ port: 3000, isTaken: false, holder: undefined, isOwn: false }] }, /free/],
  ['port', 'problem', { ports: [{ port: 3000, isTaken: true, holder: { pid: 7, command: 'nginx' }, isOwn: false }] }, /nginx \(pid 7\)/],
  ['port', 'problem', { ports: [{ port: 3000, isTaken: true, holder: undefined, isOwn: false }] }, /cannot be seen/],
  ['port', 'ok', { ports: [{ port: 3000, isTaken: true, holder: undefined, isOwn: true }] }, /held/],
  ['port', 'warning', { ports: [{ port: 3000, isTaken: false, holder: undefined, isOwn: true }] }, /nobody listens/],
]

describe('the doctor', () => {
  test('has nothing to say against a machine on which all is well', () => {
    assert.deepEqual(findings(WELL).filter(({ verdict }) => verdict !== 'ok'), [])
  })
  for (const [subject, verdict, change, pattern] of CASES) {
    test(`${subject}: ${verdict}: ${pattern.source}`, () => {
      const found = findings({ ...WELL, ...change }).filter((one) => one.subject === subject)
      assert.deepEqual(found.map((one) => one.verdict), [verdict])
      assert.match(found[0]?.fact ?? '', pattern)
      if (verdict === 'problem' || verdict === 'warning') assert.ok((found[0]?.cure ?? '').length > 10, 'a cure')
    })
  }
  test('counts what it has found in the last line', () => {
    const lines = findingLines(findings({ ...WELL, nodeEnv: undefined, mostPids: 1 }), false)
    assert.equal(lines.at(-1), '1 problem, 1 warning')
    assert.ok(lines.some((line) => line.startsWith('warning  NODE_ENV')))
  })
})

test('facts are read from the system, and nothing is changed', async () => {
  const host = fakeHost({
    '/proc/self/limits': 'Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 524288               files\nMax address space         unlimited            unlimited            bytes\n',
    '/proc/sys/net/core/somaxconn': '128\n',
    '/sys/fs/cgroup/pids.max': 'max\n',
    '/proc/1/comm': 'tini\n',
    '/.dockerenv': '',
    '/proc/self/mountinfo': '1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / /tmp rw,noexec - tmpfs x rw\n',
    '/usr/bin/systemd-notify': '',
  })
  const facts = await gatherFacts(host, { NODE_OPTIONS: '--inspect=0.0.0.0:9229', EVERYCORE_RUNTIME_DIR: '/srv/run' }, [{ port: 3000, isOwn: false }], async () => false)
  assert.deepEqual(facts.openFiles, [1024, 524_288])
  assert.deepEqual(facts.addressSpace, [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
  assert.deepEqual([facts.kernel['net/core/somaxconn'], facts.kernel['vm/overcommit_memory'], facts.mostPids, facts.init, facts.isContainer, facts.isTmpNoexec, facts.hasSystemdNotify], [128, undefined, undefined, 'tini', true, true, true])
  assert.match((facts.inspector as { readonly why: string }).why, /lets others in/)
  assert.deepEqual(facts.runtimeDirs, [{ path: '/srv/run', flaw: undefined, isMissing: true }])
  assert.equal(facts.ports[0]?.isTaken, false)
  assert.deepEqual(host.made, [])
})
