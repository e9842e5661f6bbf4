'use strict'
// A plain HTTP server, CommonJS. Nothing in it knows about everycore.
const http = require('node:http')

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'text/plain')
  response.end(`hello from process ${process.pid}\n`)
})

server.listen(process.env.PORT ?? 3000)
