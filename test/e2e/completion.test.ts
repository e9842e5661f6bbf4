/** The completion in the shells themselves: docs/commands.md. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { bashCompletion } from '../../src/cli/completion/bash.ts'
import { fishCompletion } from '../../src/cli/completion/fish.ts'
import { completedCommands } from '../../src/cli/completion/model.ts'
import { zshCompletion } from '../../src/cli/completion/zsh.ts'
import { VERB_NAMES } from '../../src/cli/verbs.ts'
import { runtimeDir, verb } from '../harness/verb.ts'

type Shell = 'bash' | 'zsh' | 'fish'
const SCRIPTS: Readonly<Record<Shell, () => string>> = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }

const hasShell = (shell: Shell): boolean => spawnSync(shell, ['-c', 'true']).status === 0
const options = (shell: Shell) => ({ skip: hasShell(shell) ? false : `${shell} is not installed` })

interface Fixture {
  readonly script: string
  readonly directory: string
  readonly env: NodeJS.ProcessEnv
}

/** A script in a directory of its own, and the socket of an app that is called shop. */
async function setUp(t: TestContext, shell: Shell): Promise<Fixture> {
  const directory = runtimeDir(t)
  const server = createServer().listen(join(directory, 'shop.sock'))
  await once(server, 'listening')
  t.after(() => server.close())
  const files = join(directory, 'files')
  mkdirSync(files)
  writeFileSync(join(files, 'server.js'), '')
  const script = join(directory, shell)
  writeFileSync(script, SCRIPTS[shell]())
  return { script, directory: files, env: { ...process.env, EVERYCORE_RUNTIME_DIR: directory, HOME: directory, TERM: 'dumb' } }
}

/** What is typed, and what must be among the answers. */
const TYPED: readonly (readonly [words: readonly string[], expected: readonly string[]])[] = [
  [['rel'], ['reload']],
  [['server'], ['server.js']],
  [['status', ''], ['shop']],
  [['status', '-n', 's'], ['shop']],
  [['reload', '--ab'], ['--abort']],
  [['profile', ''], ['cpu', 'heap']],
  [['profile', 'heap', '0', ''], ['shop']],
  [['--balance', 'le'], ['least-busy']],
  [['completion', ''], ['bash', 'zsh', 'fish']],
  [['-w', '2', '--log-format', 'p'], ['pretty']],
]

describe('bash', options('bash'), () => {
  test('takes the script, and completes', async (t) => {
    const { script, directory, env } = await setUp(t, 'bash')
    execFileSync('bash', ['-n', script])
    const complete = 'source "$0"; COMP_WORDS=(everycore "$@"); COMP_CWORD=$#; _everycore; printf "%s\\n" "${COMPREPLY[@]}"'
    for (const [words, expected] of [...TYPED, [['--balance', '=', 'le'], ['least-busy']] as const]) {
      const answers = execFileSync('bash', ['-c', complete, script, ...words], { cwd: directory, env, encoding: 'utf8' }).trim().split('\n')
      assert.deepEqual(answers, expected, words.join(' '))
    }
    const all = execFileSync('bash', ['-c', complete, script, ''], { cwd: directory, env, encoding: 'utf8' }).trim().split('\n')
    for (const name of [...VERB_NAMES, 'start', 'help', 'server.js']) assert.ok(all.includes(name), name)
  })
})

describe('fish', options('fish'), () => {
  test('takes the script, and completes', async (t) => {
    const { script, directory, env } = await setUp(t, 'fish')
    execFileSync('fish', ['-n', script], { env })
    const typed = TYPED.map(([words]) => `echo ---; complete -C 'everycore ${words.join(' ')}'`).join('; ')
    const [, ...answers] = execFileSync('fish', ['-c', `source ${script}; ${typed}`], { cwd: directory, env, encoding: 'utf8' }).split('---\n')
    for (const [index, [words, expected]] of TYPED.entries()) {
      const found = answers[index]?.trim().split('\n').map((line) => line.split('\t')[0]) ?? []
      assert.deepEqual(expected.filter((word) => !found.includes(word)), [], `${words.join(' ')}: ${found.join(' ')}`)
    }
  })
})

/** A terminal of its own, in which Tab is pressed. */
const ZSH_TERMINAL = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= PROMPT_EOL_MARK= ; autoload -Uz compinit; compinit -u -d $1.dump; source $1; zstyle ':completion:*' list-prompt ''; LISTMAX=0; echo REA''DY"
zpty -r -m shell out '*READY*'
zpty -w -n shell "$2"$'\\t'" #END"
zpty -r -m shell out "*$3*"
print -r -- "$out"
zpty -d shell
`

describe('zsh', options('zsh'), () => {
  test('takes the script, and completes', async (t) => {
    const { script, directory, env } = await setUp(t, 'zsh')
    execFileSync('zsh', ['-n', script])
    for (const [line, expected] of [['everycore rel', 'reload'], ['everycore profile heap 0 ', 'shop'], ['everycore reload --ab', '--abort'], ['everycore --balance=le', 'least-busy']] as const) {
      const { stdout, stderr, status } = spawnSync('zsh', ['-f', '-c', ZSH_TERMINAL, 'zsh', script, line, expected.slice(-3)], { cwd: directory, env, encoding: 'utf8', timeout: 20_000 })
      assert.equal(status, 0, `${line}: ${stdout}${stderr}`)
    }
  })
})

test('each shell gets every verb and every flag of the tables', () => {
  for (const [shell, script] of Object.entries(SCRIPTS)) {
    const text = script()
    for (const { names, flags } of completedCommands()) {
      for (const name of names) assert.ok(text.includes(name), `${shell}: ${name}`)
      for (const flag of flags.flatMap(({ spellings }) => spellings.filter((one) => one.startsWith('--')))) assert.ok(text.includes(shell === 'fish' ? `-l ${flag.slice(2)}` : flag), `${shell}: ${flag}`)
    }
  }
})

test('the command prints them, and names those that there are', async (t) => {
  const directory = runtimeDir(t)
  const { code, out } = await verb(directory, 'completion', 'bash')
  assert.deepEqual([code, out], [0, bashCompletion()])
  assert.deepEqual(await verb(directory, 'completion', 'tcsh'), { code: 2, out: '', err: 'everycore: there is no completion for "tcsh"\n  Use bash, zsh, fish.\n' })
})
