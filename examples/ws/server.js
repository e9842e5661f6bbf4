import { createServer } from 'node:http'
import { onDrain } from 'everycore/worker'
import { WebSocketServer } from 'ws'

const server = createServer((request, response) => {
  response.setHeader('content-type', 'text/plain')
  response.end(`hello from process ${process.pid}\n`)
})

const wss = new WebSocketServer({ server })

wss.on('connection', (ws) => {
  ws.on('error', console.error)
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }))
})

// This worker is about to leave: tell the clients so, with the code for "going away" (RFC 6455, 7.4.1).
// Not all at once, so that they do not all come back at once.
onDrain(({ spread }) => spread(wss.clients, (ws) => ws.close(1001, 'restarting')))

server.listen(process.env.PORT ?? 3000)
