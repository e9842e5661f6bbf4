import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { greet, type Greeting } from './greeting.ts'

function answer(response: ServerResponse, greeting: Greeting): void {
  response.setHeader('content-type', 'application/json')
  response.end(`${JSON.stringify(greeting)}\n`)
}

const server = createServer((request: IncomingMessage, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
  answer(response, greet(searchParams.get('name') ?? 'world'))
})

server.listen(process.env.PORT ?? 3000)
