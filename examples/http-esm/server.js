// A plain HTTP server as an ES module. Nothing in it knows about everycore.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  response.setHeader('content-type', 'text/plain')
  response.end(`hello from process ${process.pid}\n`)
})

server.listen(process.env.PORT ?? 3000)
