// A primary of your own: it starts the workers, and keeps one number that all of them share.
import { createSupervisor } from 'everycore'

const supervisor = await createSupervisor({ script: 'server.js', cwd: import.meta.dirname })
let total = 0

// What a worker gives to process.send() arrives here.
supervisor.on('worker:message', (message, worker) => {
  if (message?.type !== 'visit') return
  total += 1
  console.log(`visit ${total} came to slot ${worker.slot}`)
  // And this is what its process.on('message') gets, in every worker.
  supervisor.broadcast({ type: 'total', total })
})

// A new worker, also one that replaces a crashed one, has to be told.
supervisor.on('worker:ready', ({ slot }) => supervisor.send(slot, { type: 'total', total }))

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => supervisor.stop())

await supervisor.start()
console.log(`ready: ${supervisor.snapshot.size} workers`)
