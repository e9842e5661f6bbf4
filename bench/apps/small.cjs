'use strict'
// The smallest HTTP server that does something. Nothing in it knows how it is run.
const http = require('node:http')
const ready = require('./ready.cjs')

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'text/plain')
  response.end('hello\n')
})

server.listen(Number(process.env.BENCH_PORT ?? 0), '127.0.0.1', () => ready(server.address().port))
