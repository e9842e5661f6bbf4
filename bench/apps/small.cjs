'use strict'
// The smallest HTTP server that does something. Nothing in it knows how it is run.
const http = require('node:http')
const listen = require('./listen.cjs')

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'text/plain')
  response.end('hello\n')
})

listen(server)
