import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Tail, TAIL_LIMITS } from '../../src/logs/tail.ts'
import { randomFrom } from './logs-random.ts'

const texts = (tail: Tail): string[] => tail.lines().map((line) => line.text)

describe('the last words of a worker', () => {
  it('are its last lines with their stream, oldest first', () => {
    const tail = new Tail({ lines: 3, bytes: 100 })
    for (const word of ['a', 'b', 'c', 'd']) tail.push(word === 'c' ? 'stderr' : 'stdout', Buffer.from(word))
    assert.deepEqual(tail.lines(), [
      { stream: 'stdout', text: 'b' },
      { stream: 'stderr', text: 'c' },
      { stream: 'stdout', text: 'd' },
    ])
  })

  it('are bounded in bytes, and of a line that is too long the end stays', () => {
    const tail = new Tail({ lines: 10, bytes: 6 })
    for (const word of ['aaa', 'bbb', 'cc']) tail.push('stdout', Buffer.from(word))
    assert.deepEqual(texts(tail), ['bbb', 'cc'])
    tail.push('stdout', Buffer.from('0123456789'))
    assert.deepEqual(texts(tail), ['456789'])
  })

  it('are harmless for a terminal and without colours and CR', () => {
    const tail = new Tail()
    tail.push('stderr', Buffer.from('\u001B[31mred\u001B[0m \u001B[2J\r'))
    assert.deepEqual(texts(tail), ['red \\x1b[2J'])
  })

  it('are what a plain list would keep', () => {
    const { int, note } = randomFrom('tail')
    const tail = new Tail({ lines: 7, bytes: 40 })
    const list: string[] = []
    for (let round = 0; round < 5000; round++) {
      const line = String(round % 10).repeat(int(20))
      tail.push('stdout', Buffer.from(line))
      list.push(line)
      while (list.length > 7 || list.join('').length > 40) list.shift()
      assert.deepEqual(texts(tail), list, note)
    }
  })

  it('keep 200 lines and 64 KiB when nothing else is said', () => {
    assert.deepEqual(TAIL_LIMITS, { lines: 200, bytes: 65_536 })
  })
})
