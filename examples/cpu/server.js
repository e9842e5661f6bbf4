// One slow handler that blocks its event loop: under plain node every other request waits for it.
import { createServer } from 'node:http'

const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2))

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url, 'http://localhost')
  const n = Math.min(Number(searchParams.get('n') ?? 32), 45)
  const value = fibonacci(n)
  response.setHeader('content-type', 'application/json')
  response.end(`${JSON.stringify({ n, value, pid: process.pid })}\n`)
})

server.listen(process.env.PORT ?? 3000)
