// An app with a life: it boots in half a second, answers in a few milliseconds, logs as pino does, and fails now and then.
const { createServer } = require('node:http')

const log = (level, msg, fields) => console.log(JSON.stringify({ level, time: Date.now(), msg, ...fields }))

const server = createServer((request, response) => {
  if (request.url === '/crash') throw new Error('connect ECONNREFUSED 10.0.0.7:5432')
  const ms = request.url === '/report' ? 1500 : 2 + Math.random() ** 8 * 60
  setTimeout(() => {
    response.end('ok')
    if (ms > 58 && ms < 1000) log(40, 'slow query', { path: request.url, ms: Math.round(ms) })
    else if (Math.random() < 0.006) log(30, 'order placed', { path: request.url, items: 1 + Math.floor(Math.random() * 5) })
  }, ms)
  for (const end = performance.now() + 0.3; performance.now() < end; );
})
setTimeout(() => server.listen(Number(process.env.PORT)), 500)
