import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import { noted, yamlFile, type Yaml } from '../../src/generate/yaml.ts'
import { PAYLOADS } from '../harness/payloads.ts'

/** As Kubernetes and Prometheus read it, and as Compose does. */
const VERSIONS = ['1.1', '1.2'] as const

function readBack(node: Yaml): readonly unknown[] {
  const text = yamlFile([node])
  return VERSIONS.map((version) => parse(text, { version, strict: true, maxAliasCount: 0 }) as unknown)
}

test('every text comes back as it was: as value, as key, in a list, in a list of mappings', () => {
  for (const payload of PAYLOADS) {
    const node = { value: payload, [`k${payload}`]: 1, list: [payload, [payload, [payload]]], objects: [{ a: payload, b: [payload] }, { c: {} }] }
    for (const read of readBack(node)) assert.deepEqual(read, node, JSON.stringify(payload))
  }
})

test('numbers, booleans, null and empty collections come back as they were', () => {
  const node = { count: 3, ratio: 0.5, no: false, none: null, list: [], map: {}, nested: [[1, 2], [{ a: [] }]] }
  for (const read of readBack(node)) assert.deepEqual(read, node)
})

test('comments stand above what they belong to, and change nothing', () => {
  const node = noted('of the file', { a: noted('of a\nin two lines', 1), list: noted('of the list', [noted('of an item', 'x'), noted('of an object', { b: noted('of b', { c: 2 }) }), { d: noted('first key', 3), e: 4 }]) })
  const text = yamlFile([node])
  for (const read of readBack(node)) assert.deepEqual(read, { a: 1, list: ['x', { b: { c: 2 } }, { d: 3, e: 4 }] })
  assert.equal(text.split('\n').filter((line) => line.trim().startsWith('#')).length, 8)
  assert.match(text, /# of a\n# in two lines\na: 1\n/)
})

test('a comment cannot be left by a line break of any kind', () => {
  for (const payload of PAYLOADS) for (const read of readBack({ a: noted(`x${payload}y`, 1) })) assert.deepEqual(read, { a: 1 }, JSON.stringify(payload))
})

test('several documents', () => {
  const documents = parseAllDocuments(yamlFile([{ a: 1 }, { b: 2 }]))
  assert.deepEqual(documents.map((document) => document.toJS() as unknown), [{ a: 1 }, { b: 2 }])
})
