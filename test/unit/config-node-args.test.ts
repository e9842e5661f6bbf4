import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resolveNodeArgs, type NodeArgsInput } from '../../src/config/node-args.ts'
import { joinNodeOptions, splitWords } from '../../src/config/words.ts'

function resolve(nodeArgs: readonly string[], more: Partial<NodeArgsInput> = {}) {
  const { nodeArgs: given, nodeOptions, inspectPort } = resolveNodeArgs({ nodeArgs: { value: nodeArgs, origin: 'flag', where: '--node-args (flag)' }, inspectPort: undefined, env: {}, size: 2, ...more })
  return { nodeArgs: given, nodeOptions, inspectPort }
}

describe('words', () => {
  for (const [text, words] of [
    ['', []],
    ['  --a   --b=1\t-c ', ['--a', '--b=1', '-c']],
    ['--import "./a b.mjs"', ['--import', './a b.mjs']],
    [`--title='it is'`, ['--title=it is']],
    [String.raw`a\ b "c\"d" 'e\f'`, ['a b', 'c"d', String.raw`e\f`]],
    ['""', ['']],
    ['"open', undefined],
  ] as const) {
    it(`of ${JSON.stringify(text)} are ${JSON.stringify(words)}`, () => assert.deepEqual(splitWords(text), words))
  }

  it('of NODE_OPTIONS are split as node does', () => {
    assert.deepEqual(splitWords(String.raw`--title=it's "--require=C:\\a b" c\d`, 'node'), [`--title=it's`, String.raw`--require=C:\a b`, String.raw`c\d`])
  })

  it('survive being joined and split again', () => {
    const words = ['--a', '--b=c d', String.raw`--e="f\g h"`, `it's`]
    assert.deepEqual(splitWords(joinNodeOptions(words), 'node'), words)
  })
})

describe('arguments for node', () => {
  it('are passed on', () => assert.deepEqual(resolve(['--import', './a.mjs', '--max-old-space-size=512']), { nodeArgs: ['--import', './a.mjs', '--max-old-space-size=512'], nodeOptions: undefined, inspectPort: undefined }))

  for (const [args, message] of [
    [['server.js'], /"server\.js" is not an argument for node/],
    [['--eval=1'], /with --eval=1 node does not run the script/],
    [['--no-warnings', '-p', '1'], /with -p node does not run the script/],
    [['--test'], /does not run the script/],
    [['--'], /does not run the script/],
  ] as const) {
    it(`cannot be ${JSON.stringify(args)}`, () => assert.throws(() => resolve(args), { code: 'ERR_EVERYCORE_SETTING', message }))
  }
})

describe('the inspector', () => {
  for (const [args, port, rest] of [
    [['--inspect'], 9229, []],
    [['--no-warnings', '--inspect=9300', '--title=x'], 9300, ['--no-warnings', '--title=x']],
    [['--inspect=127.0.0.1'], 9229, []],
    [['--inspect=127.0.0.1:9300'], 9300, []],
    [['--inspect=localhost:9300'], 9300, []],
    [['--inspect=[::1]:9300'], 9300, []],
    [['--inspect', '--inspect-port', '9400'], 9400, []],
    [['--inspect-port=9400'], undefined, []],
    [['--inspect=0'], undefined, ['--inspect=0']],
    [['--inspect-publish-uid=http'], undefined, ['--inspect-publish-uid=http']],
  ] as const) {
    it(`in ${JSON.stringify(args)} becomes port ${port} with ${JSON.stringify(rest)} left`, () => assert.deepEqual(resolve(args), { nodeArgs: rest, nodeOptions: undefined, inspectPort: port }))
  }

  for (const arg of ['--inspect=0.0.0.0', '--inspect=0.0.0.0:9229', '--inspect=10.0.0.1:1', '--inspect=example.com', '--inspect=[::]:9229', '--inspect=::', '--inspect=127.evil.test', '--inspect_port=0.0.0.0:9', '--debug-port=0.0.0.0']) {
    it(`is refused for ${arg}, in node arguments and in NODE_OPTIONS`, () => {
      assert.throws(() => resolve([arg]), { code: 'ERR_EVERYCORE_SETTING', exitCode: 2, message: /--node-args \(flag\).*lets others in/ })
      assert.throws(() => resolve([], { env: { NODE_OPTIONS: `--no-warnings ${arg}` } }), { message: /NODE_OPTIONS.*lets others in/ })
    })
  }

  for (const arg of ['--inspect-brk', '--inspect-brk=9229', '--inspect_brk', '--inspect-wait']) {
    it(`is refused for ${arg}, with which no worker gets ready`, () => assert.throws(() => resolve([arg]), { code: 'ERR_EVERYCORE_SETTING', message: /no worker gets ready/ }))
  }

  it('in NODE_OPTIONS is taken out, and the workers get the ports after that of the supervisor', () => {
    assert.deepEqual(resolve([], { env: { NODE_OPTIONS: '--require "./a b.js" --inspect=9300' } }), { nodeArgs: [], nodeOptions: '--require "./a b.js"', inspectPort: 9301 })
  })

  it('leaves NODE_OPTIONS alone when it has nothing to do with it', () => {
    assert.equal(resolve([], { env: { NODE_OPTIONS: '--import   ./dd-trace.mjs' } }).nodeOptions, undefined)
  })

  it('takes the port of the setting before all others', () => assert.equal(resolve(['--inspect=9300'], { inspectPort: 9500 }).inspectPort, 9500))

  it('needs a port for every worker', () => assert.throws(() => resolve([], { inspectPort: 65_535 }), { message: /2 workers need the ports from 65535 to 65536/ }))
})
