'use strict'
// 10,000 routes, each with a handler of its own, found by path.
const http = require('node:http')
const ready = require('./ready.cjs')

const routes = new Map()
for (let index = 0; index < 10_000; index += 1) {
  routes.set(`/api/v1/things/${index}`, (request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(`{"thing":${index}}`)
  })
}

const server = http.createServer((request, response) => {
  const handler = routes.get(request.url)
  if (handler !== undefined) {
    handler(request, response)
    return
  }
  response.statusCode = 404
  response.end()
})

server.listen(Number(process.env.BENCH_PORT ?? 0), '127.0.0.1', () => ready(server.address().port))
