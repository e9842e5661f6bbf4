'use strict'
// A server with Socket.IO that also answers plain requests. Under @socket.io/sticky it gets its connections as the README
// of that package says, and listens by itself everywhere else.
const http = require('node:http')
const { join } = require('node:path')
const listen = require('./listen.cjs')
const ready = require('./ready.cjs')

const { BENCH_MODULES, BENCH_LISTEN, BENCH_PORT } = process.env
const { Server } = require(join(BENCH_MODULES, 'socket.io'))

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'text/plain')
  response.end('hello\n')
})
const io = new Server(server)

if (BENCH_LISTEN === 'sticky') {
  require(join(BENCH_MODULES, '@socket.io/sticky')).setupWorker(io)
  ready(Number(BENCH_PORT))
} else listen(server)
