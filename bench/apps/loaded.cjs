'use strict'
// A server with the boot of a real one: it loads 250 modules of 4 kB before it listens. The modules are made by
// the bench (lib/modules.mjs) in its temporary directory.
const http = require('node:http')
const listen = require('./listen.cjs')

const load = require(process.env.BENCH_MODULES)
const count = load()

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'text/plain')
  response.setHeader('x-count', count)
  response.end('hello\n')
})

listen(server)
