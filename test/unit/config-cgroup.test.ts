import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readFreeMemory, readMachine } from '../../src/config/machine.ts'
import { fakeHost } from './config-host.ts'

const MIB = 1024 ** 2
const V2_MOUNT = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n'
const V1_MOUNTS = [
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
  '35 31 0:32 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory',
  '36 31 0:32 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset',
].join('\n')

interface Case {
  readonly files: Readonly<Record<string, string>>
  readonly quota?: number
  readonly memory?: number
}

const CASES: Readonly<Record<string, Case>> = {
  'version 2: the quota and the memory of the own cgroup': {
    files: { '/proc/self/mountinfo': V2_MOUNT, '/proc/self/cgroup': '0::/app\n', '/sys/fs/cgroup/app/cpu.max': '250000 100000\n', '/sys/fs/cgroup/app/memory.max': `${512 * MIB}\n` },
    quota: 2.5,
    memory: 512 * MIB,
  },
  'version 2: the tightest of all levels, also of the root that we see': {
    files: {
      '/proc/self/mountinfo': V2_MOUNT,
      '/proc/self/cgroup': '0::/a/b/c\n',
      '/sys/fs/cgroup/a/b/c/cpu.max': '800000 100000',
      '/sys/fs/cgroup/a/b/cpu.max': 'max 100000',
      '/sys/fs/cgroup/a/cpu.max': '300000 100000',
      '/sys/fs/cgroup/cpu.max': '400000 100000',
      '/sys/fs/cgroup/memory.max': `${900 * MIB}`,
      '/sys/fs/cgroup/a/b/memory.max': 'max',
    },
    quota: 3,
    memory: 900 * MIB,
  },
  'version 2: less than one CPU': {
    files: { '/proc/self/mountinfo': V2_MOUNT, '/proc/self/cgroup': '0::/app\n', '/sys/fs/cgroup/app/cpu.max': '50000 100000' },
    quota: 0.5,
  },
  'version 2: max means no limit': {
    files: { '/proc/self/mountinfo': V2_MOUNT, '/proc/self/cgroup': '0::/app\n', '/sys/fs/cgroup/app/cpu.max': 'max 100000', '/sys/fs/cgroup/app/memory.max': 'max', '/sys/fs/cgroup/app/memory.high': 'max' },
  },
  'version 2: memory.high is a limit too': {
    files: { '/proc/self/mountinfo': V2_MOUNT, '/proc/self/cgroup': '0::/app\n', '/sys/fs/cgroup/app/memory.max': `${512 * MIB}`, '/sys/fs/cgroup/app/memory.high': `${256 * MIB}` },
    memory: 256 * MIB,
  },
  'version 2: a quota without a period has the period of 100 ms': {
    files: { '/proc/self/mountinfo': V2_MOUNT, '/proc/self/cgroup': '0::/app\n', '/sys/fs/cgroup/app/cpu.max': '200000' },
    quota: 2,
  },
  'a cgroup namespace: the path is / and the limits stand at the mount point': {
    files: { '/proc/self/mountinfo': V2_MOUNT, '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '150000 100000', '/sys/fs/cgroup/memory.max': `${128 * MIB}` },
    quota: 1.5,
    memory: 128 * MIB,
  },
  'a container without cgroup namespace: its own cgroup is mounted as the root': {
    files: {
      '/proc/self/mountinfo': '32 31 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n',
      '/proc/self/cgroup': '3:cpu:/docker/abc\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '400000',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
    },
    quota: 4,
  },
  'a mount from outside of the cgroup namespace: the mount point is what we can see': {
    files: { '/proc/self/mountinfo': '30 23 0:26 /../../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n', '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '100000 100000' },
    quota: 1,
  },
  'a process that was moved out of its namespace': {
    files: { '/proc/self/mountinfo': V2_MOUNT, '/proc/self/cgroup': '0::/../other\n', '/sys/fs/cgroup/cpu.max': '200000 100000' },
    quota: 2,
  },
  'version 1: quota by period, -1 means none': {
    files: {
      '/proc/self/mountinfo': V1_MOUNTS,
      '/proc/self/cgroup': '4:memory:/a\n2:cpu,cpuacct:/a/b\n',
      '/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us': '-1',
      '/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us': '100000',
      '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us': '75000',
      '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us': '50000',
      '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': `${300 * MIB}`,
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
    },
    quota: 1.5,
    memory: 300 * MIB,
  },
  'hybrid: the controllers of version 1 count, the empty version 2 hierarchy does no harm': {
    files: {
      '/proc/self/mountinfo': `${V1_MOUNTS}\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`,
      '/proc/self/cgroup': '4:memory:/m\n2:cpu,cpuacct:/c\n1:name=systemd:/\n0::/user.slice\n',
      '/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us': '200000',
      '/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us': '100000',
    },
    quota: 2,
  },
  'a mount point with a space in it': {
    files: { '/proc/self/mountinfo': String.raw`30 23 0:26 / /my\040cgroups rw - cgroup2 cgroup2 rw`, '/proc/self/cgroup': '0::/app\n', '/my cgroups/app/cpu.max': '100000 100000' },
    quota: 1,
  },
  'nothing mounted at all': { files: {} },
  'files that make no sense': { files: { '/proc/self/mountinfo': 'x\n\n - cgroup2', '/proc/self/cgroup': 'y\n0::', '/sys/fs/cgroup/cpu.max': 'what' } },
}

describe('cgroup limits', () => {
  for (const [name, { files, quota, memory }] of Object.entries(CASES)) {
    it(name, () => {
      const machine = readMachine(fakeHost(files))
      assert.equal(machine.quota, quota)
      assert.equal(machine.memoryLimit, memory)
    })
  }
})

describe('memory limits', () => {
  for (const [name, constrained, limit] of [
    ['2^64-1 from libuv is none', 18_446_744_073_709_552_000, undefined],
    ['0 is none', 0, undefined],
    ['the whole memory is none', 64 * 1024 * MIB, undefined],
    ['a real limit that only libuv sees counts', 200 * MIB, 200 * MIB],
  ] as const) {
    it(name, () => assert.equal(readMachine(fakeHost({}, { constrainedMemory: () => constrained })).memoryLimit, limit))
  }
})

const meminfo = (mib: number) => ({ '/proc/meminfo': `MemTotal:       99 kB\nMemFree:         1 kB\nMemAvailable:   ${mib * 1024} kB\n` })

describe('free memory', () => {
  const v2 = { '/proc/self/mountinfo': V2_MOUNT, '/proc/self/cgroup': '0::/a/b\n' }
  const used = (path: string, limit: number | 'max', current: number, idle = 0) => ({
    [`/sys/fs/cgroup${path}/memory.max`]: limit === 'max' ? 'max\n' : `${limit * MIB}\n`,
    [`/sys/fs/cgroup${path}/memory.current`]: `${current * MIB}\n`,
    [`/sys/fs/cgroup${path}/memory.stat`]: `anon 5\nactive_file 7\ninactive_file ${idle * MIB}\n`,
  })
  const v1 = {
    '/proc/self/mountinfo': V1_MOUNTS,
    '/proc/self/cgroup': '4:memory:/a\n',
    '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': `${300 * MIB}`,
    '/sys/fs/cgroup/memory/a/memory.usage_in_bytes': `${250 * MIB}`,
    '/sys/fs/cgroup/memory/a/memory.stat': `inactive_file 1\ntotal_inactive_file ${20 * MIB}\n`,
  }
  for (const [name, files, mib] of [
    ['is what the kernel says can be had', meminfo(700), 700],
    ['is what the cgroup leaves, without the pages of files that nobody has used lately', { ...meminfo(700), ...v2, ...used('/a/b', 512, 400, 100) }, 212],
    ['is what the tightest cgroup leaves', { ...meminfo(700), ...v2, ...used('/a/b', 512, 200), ...used('/a', 600, 550) }, 50],
    ['is what the kernel says where that is less than what the cgroup leaves', { ...meminfo(70), ...v2, ...used('/a/b', 512, 200) }, 70],
    ['is nothing above the limit', { ...meminfo(700), ...v2, ...used('/a/b', 512, 600) }, 0],
    ['does not know a cgroup without a limit', { ...meminfo(700), ...v2, ...used('/a/b', 'max', 600) }, 700],
    ['of version 1', v1, 70],
  ] as const) {
    it(name, () => assert.equal(readFreeMemory(fakeHost(files)), mib * MIB))
  }

  it('is not known where nobody tells', () => {
    assert.equal(readFreeMemory(fakeHost()), undefined)
    assert.equal(readFreeMemory(fakeHost(meminfo(700), { platform: 'darwin' })), undefined)
  })
})

describe('cores', () => {
  for (const [name, allowed, online, cpus, cores] of [
    ['come from the affinity mask and not from os.availableParallelism, which may have the quota in it', '0-15', '0-63', 64, 16],
    ['may be listed with gaps', '0-1,4,6-7', '0-7', 8, 5],
    ['that are not plugged in do not count', '0-127', '0-3', 4, 4],
    ['are at most those that the kernel shows', '0-127', undefined, 4, 4],
    ['are at least one', '9', '0-3', 4, 1],
  ] as const) {
    it(name, () => {
      const files = { '/proc/self/status': `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${allowed}\n`, ...(online !== undefined && { '/sys/devices/system/cpu/online': `${online}\n` }) }
      assert.equal(readMachine(fakeHost(files, { cpuCount: () => cpus })).cores, cores)
    })
  }

  it('are not counted by os.cpus(), which is slow, where the list can be read', () => {
    const files = { '/proc/self/status': 'Cpus_allowed_list:\t0-3\n', '/sys/devices/system/cpu/online': '0-3\n' }
    assert.equal(readMachine(fakeHost(files, { cpuCount: () => assert.fail('asked') })).cores, 4)
  })

  it('come from os.availableParallelism where there is no mask to read', () => {
    assert.equal(readMachine(fakeHost({})).cores, 8)
    assert.equal(readMachine(fakeHost({}, { platform: 'darwin', availableParallelism: () => 10 })).cores, 10)
  })
})
