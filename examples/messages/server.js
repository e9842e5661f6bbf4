// An ordinary server that speaks to its parent as a child of node:child_process does.
import { createServer } from 'node:http'

let total = 0

process.on('message', (message) => {
  if (message.type === 'total') total = message.total
})

const server = createServer((request, response) => {
  if (request.url === '/visit') process.send?.({ type: 'visit' })
  response.setHeader('content-type', 'application/json')
  response.end(`${JSON.stringify({ total, pid: process.pid })}\n`)
})

server.listen(process.env.PORT ?? 3000)
