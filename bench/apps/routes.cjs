'use strict'
// 10,000 routes, each with a handler of its own, found by path.
const http = require('node:http')
const listen = require('./listen.cjs')

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

listen(server)
