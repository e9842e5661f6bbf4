import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App, CLI } from '../harness/app.ts'
import { hasTmux, Tmux } from '../harness/tmux.ts'
import { runtimeDir, verb } from '../harness/verb.ts'

test('everycore top without a terminal says what to use instead', async (t) => {
  const { code, err, out } = await verb(runtimeDir(t), 'top')
  assert.equal(code, 2)
  assert.match(err, /top needs a terminal[^]*everycore status/)
  assert.equal(out, '')
  assert.equal((await verb(runtimeDir(t), 'monit', '--json')).code, 2)
})

test('everycore top in a terminal: draws in every size, scales, is stopped and goes on, and leaves all as it was', { skip: hasTmux ? false : 'there is no tmux' }, async (t) => {
  const directory = runtimeDir(t)
  const app = await App.ready(t, 'identity.cjs', { options: ['--name', 'shop', '--runtime-dir', directory] })
  const terminal = Tmux.open(t, { columns: 80, rows: 24, env: { EVERYCORE_RUNTIME_DIR: directory } })
  terminal.press(`stty -a | tail -n +2 > ${directory}/before; TERM=dumb '${process.execPath}' '${CLI}' top; echo "exit $?"`, 'Enter')
  await terminal.shows(/top needs a terminal[^]*exit 2/)
  terminal.press(`'${process.execPath}' '${CLI}' top; echo "exit $?"; stty -a | tail -n +2 | diff - ${directory}/before && echo same`, 'Enter')
  await terminal.shows(/^shop {2}all 2 workers are ready\n[^]*EVENTS ─[^]*LOGS ─[^]*q quit/)
  terminal.press('+')
  await terminal.shows(/all 3 workers are ready[^]*worker 2 is ready[^]*scaled from 2 to 3/)
  terminal.resize(200, 50)
  await terminal.shows(/LAST EXIT {2,}TREND/)
  terminal.resize(40, 10)
  await terminal.shows(/^shop {2}all 3[^\n]*\n(?:[^\n]*\n){7}(?:r reload|scaled)/)
  terminal.resize(80, 24)
  terminal.press('C-z')
  assert.match(await terminal.shows(/Stopped[^]*\$\s*$/), /^same$/m)
  terminal.press('fg', 'Enter')
  await terminal.shows(/^shop {2}all 3 workers are ready\n[^]*(?:q quit|scaled)/)
  process.kill(app.pid, 'SIGTERM')
  await terminal.shows(/NO ANSWER/)
  terminal.press('q')
  await terminal.shows(/fg\n[^]*\$\s*$/)
  terminal.press(`stty -a | tail -n +2 | diff - ${directory}/before && echo same`, 'Enter')
  await terminal.shows(/fg\n[^]*^same$/m)
  await app.ended
})
