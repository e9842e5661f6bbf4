/**
 * Many clients, each with an address and a cookie of its own, that open a connection for each request: what wrk cannot
 * do, being one client. Usage: node addresses.mjs '{ "port", "clients", "seconds", "path" }'
 *
 * On the handles of Node, without sockets, parser or timers: that takes half of the CPU, of which the servers have more then.
 *
 * @see lib/net.js, for how the handles are used
 */
const { TCP, TCPConnectWrap, constants } = process.binding('tcp_wrap')
const { WriteWrap, kReadBytesOrError, streamBaseState } = process.binding('stream_wrap')

const WARM_MS = 1000

const { port, clients, seconds, path } = JSON.parse(process.argv[2])
const counts = { requests: 0, errors: 0 }
const latencies = []
let isMeasured = false
let isOver = false

for (let index = 0; index < clients; index += 1) startClient(index)
setTimeout(() => {
  isMeasured = true
  setTimeout(finish, seconds * 1000)
}, WARM_MS)

function finish() {
  isOver = true
  latencies.sort((a, b) => a - b)
  const at = (part) => latencies[Math.min(latencies.length - 1, Math.floor(part * latencies.length))]
  console.log(JSON.stringify({ ...counts, rps: counts.requests / seconds, p50: at(0.5), p99: at(0.99) }))
  process.exit(0)
}

/** One connection after the other. */
function startClient(index) {
  // nginx goes by the first three numbers of an address.
  const address = `127.${1 + Math.floor(index / 250)}.${1 + (index % 250)}.1`
  let cookie = ''
  const next = () => {
    if (isOver) return
    ask(address, `GET ${path} HTTP/1.1\r\nHost: bench\r\n${cookie}Connection: close\r\n\r\n`, (answer, ms) => {
      if (cookie === '') cookie = cookieOf(answer)
      if (isMeasured) {
        if (answer.startsWith('HTTP/1.1 200 ')) {
          counts.requests += 1
          latencies.push(ms)
        } else counts.errors += 1
      }
      next()
    })
  }
  next()
}

function ask(address, text, done) {
  const began = performance.now()
  const handle = new TCP(constants.SOCKET)
  let answer = ''
  const end = () => {
    handle.close()
    done(answer, performance.now() - began)
  }
  if (handle.bind(address, 0) !== 0) {
    setTimeout(end, 10)
    return
  }
  const connecting = new TCPConnectWrap()
  connecting.oncomplete = (status) => {
    if (status !== 0) {
      end()
      return
    }
    handle.onread = (bytes) => {
      if (streamBaseState[kReadBytesOrError] < 0) end()
      else if (bytes !== undefined) answer += Buffer.from(bytes).latin1Slice()
    }
    handle.readStart()
    const writing = new WriteWrap()
    writing.oncomplete = () => {}
    handle.writeLatin1String(writing, text)
  }
  if (handle.connect(connecting, '127.0.0.1', port) !== 0) setTimeout(end, 10)
}

function cookieOf(answer) {
  const pairs = [...answer.matchAll(/^set-cookie: ([^;\r]+)/gim)].map(([, pair]) => pair)
  return pairs.length === 0 ? '' : `Cookie: ${pairs.join('; ')}\r\n`
}
