import assert from 'node:assert/strict'
import { test } from 'node:test'
import { obstacleToUpgrade } from '../../src/cli/upgrade.ts'

const here = { pid: 100, ppid: 50, init: 'systemd', env: {} }

test('an upgrade is refused where the end of this process is the end of everything', () => {
  assert.equal(obstacleToUpgrade(here), undefined)
  assert.match(obstacleToUpgrade({ ...here, pid: 1 }) ?? '', /process 1 of a container/)
  assert.match(obstacleToUpgrade({ ...here, ppid: 1, init: 'tini' }) ?? '', /tini ends the container/)
  assert.equal(obstacleToUpgrade({ ...here, ppid: 1 }), undefined, 'a service, or somebody whose parent has ended')
})

test('an upgrade is refused as the main process of a unit that hears no MAINPID, and only there', () => {
  const env = { SYSTEMD_EXEC_PID: '100' }
  assert.match(obstacleToUpgrade({ ...here, env }) ?? '', /Type=notify/)
  assert.equal(obstacleToUpgrade({ ...here, env: { ...env, NOTIFY_SOCKET: '/run/systemd/notify' } }), undefined)
  assert.equal(obstacleToUpgrade({ ...here, env: { SYSTEMD_EXEC_PID: '99' } }), undefined, 'started by a service, not the service')
})
