/** Makes a package of many modules for apps/loaded.cjs: a boot that reads and compiles as a real app's does. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Returns the path of its entry. About 4 kB for each module. */
export function makeModules(directory, count = 250) {
  mkdirSync(directory, { recursive: true })
  for (let index = 0; index < count; index += 1) writeFileSync(join(directory, `m${index}.js`), moduleText(index))
  const entry = join(directory, 'index.js')
  writeFileSync(entry, `'use strict'\nconst parts = [${Array.from({ length: count }, (_, index) => `require('./m${index}.js')`).join(', ')}]\nmodule.exports = () => parts.reduce((sum, part) => sum + part.use(1), 0)\n`)
  return entry
}

function moduleText(index) {
  const functions = Array.from(
    { length: 24 },
    (_, number) => `function f${number}(value, options = {}) {\n  const { limit = ${number}, name = 'f${number}' } = options\n  if (typeof value !== 'number') throw new TypeError(\`\${name} needs a number\`)\n  return value + limit * ${index}\n}`,
  )
  return `'use strict'\n${functions.join('\n')}\nexports.use = (value) => [${Array.from({ length: 24 }, (_, number) => `f${number}`).join(', ')}].reduce((sum, f) => f(sum), value)\n`
}
