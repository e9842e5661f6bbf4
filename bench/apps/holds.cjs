'use strict'
// The small server, a request that keeps its worker for some seconds, and one that hangs it.
const http = require('node:http')
const listen = require('./listen.cjs')

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'text/plain')
  if (request.url === '/hold') setTimeout(() => response.end('hello\n'), 6000)
  else if (request.url === '/hang') for (;;);
  else response.end('hello\n')
})
server.keepAliveTimeout = Number(process.env.BENCH_KEEP_ALIVE_MS ?? 5000)

listen(server)
