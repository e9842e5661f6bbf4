import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const page = await readFile(new URL('index.html', import.meta.url))

const httpServer = createServer((request, response) => {
  response.setHeader('content-type', 'text/html')
  response.end(page)
})

const io = new Server(httpServer)

io.on('connection', (socket) => {
  socket.emit('welcome', { pid: process.pid })
  socket.on('chat message', (text, acknowledge) => {
    acknowledge({ text, pid: process.pid })
  })
})

httpServer.listen(process.env.PORT ?? 3000)
