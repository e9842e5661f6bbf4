'use strict'
// Takes as many milliseconds of CPU as the path says, and blocks its event loop meanwhile, as rendering or parsing would.
// CPU, not time: a process that has to wait for a core has done nothing.
const http = require('node:http')
const listen = require('./listen.cjs')

const server = http.createServer((request, response) => {
  const millis = Number(request.url.slice(1))
  const before = process.cpuUsage()
  for (;;) {
    const { user, system } = process.cpuUsage(before)
    if (user + system >= millis * 1000) break
  }
  response.setHeader('content-type', 'text/plain')
  response.end('hello\n')
})

listen(server)
