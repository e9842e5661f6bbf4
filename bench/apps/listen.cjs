'use strict'
// Listens as the peer wants it, and tells the bench. An app of one's own would have its `server.listen(port)` here.
const ready = require('./ready.cjs')

const { BENCH_PORT = '0', BENCH_LISTEN } = process.env

module.exports = function listen(server) {
  const done = () => ready(server.address().port)
  // The primary holds the socket and passes it on: apps/held-reuseport.cjs.
  if (BENCH_LISTEN === 'held') process.once('message', (message, handle) => server.listen(handle, done))
  else server.listen({ port: Number(BENCH_PORT), host: '127.0.0.1', ...(BENCH_LISTEN === 'reuseport' && { reusePort: true }) }, done)
}
