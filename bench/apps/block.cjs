'use strict'
// Blocks its event loop for as many milliseconds as the path says, as rendering or parsing would.
const http = require('node:http')
const ready = require('./ready.cjs')

const server = http.createServer((request, response) => {
  const end = performance.now() + Number(request.url.slice(1))
  while (performance.now() < end);
  response.end('hello\n')
})

server.listen(Number(process.env.BENCH_PORT ?? 0), '127.0.0.1', () => ready(server.address().port))
