import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plainRequest } from '../../src/cli/argv.ts'
import { parseRequest } from '../../src/cli/program.ts'
import { randomFrom } from './logs-random.ts'

/** Everything that a command line may be made of, right or wrong. */
const WORDS = [
  'start server.js app 2 -1 9229 - -- -x --unknown --unknown=1 help -h --help -V --version',
  '-w -w2 -w=2 --workers --workers=3 --workers= --worker -p --port=80 -q -v -qv --quiet --quiet=1 --verbose',
  '--inspect --inspect=9300 --inspect= --node-args --node-args=--trace-gc --color --no-color --no-color=x -n --name --wait-ready -e --env-file=.env',
  ' ',
].flatMap((line) => line.split(' '))

describe('a plain command line', () => {
  for (const [line, script, args] of [
    ['server.js', 'server.js', []],
    ['start server.js -w 9 --help', 'server.js', ['-w', '9', '--help']],
    ['-w 2 --port=3000 -q --inspect server.js start', 'server.js', ['start']],
    ['start', undefined, []],
    ['--workers -1', undefined, []],
  ] as const) {
    it(`needs no parser: ${line}`, () => {
      const request = plainRequest(line.split(' '))
      assert.deepEqual([request?.script, request?.args], [script, args])
    })
  }

  it('may be empty', () => assert.deepEqual(plainRequest([]), { script: undefined, args: [], flags: {} }))

  for (const line of ['help', 'help start', '-h', '--version', '-w2 server.js', '-qv server.js', '-w', '--workres 2 server.js', '--quiet=1 server.js', '-- server.js', '-']) {
    it(`is not: ${line}`, () => assert.equal(plainRequest(line.split(' ')), undefined))
  }

  it('means what the parser takes it for', async () => {
    const { int, note } = randomFrom('command lines')
    let plain = 0
    for (let round = 0; round < 3000; round += 1) {
      const argv = Array.from({ length: int(6) }, () => WORDS[int(WORDS.length)] ?? '')
      const request = plainRequest(argv)
      if (request === undefined) continue
      plain += 1
      const printed: string[] = []
      // oxlint-disable-next-line no-await-in-loop
      const parsed = await parseRequest(argv, (text) => void printed.push(text))
      assert.deepEqual(request, parsed, `${JSON.stringify(argv)} ${note}`)
      assert.deepEqual(printed, [])
    }
    assert.ok(plain > 300, `${plain} were plain ${note}`)
  })
})
