/** nginx in front of as many processes as there would be workers: only ever run as a peer, with a directory of its own. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { availableParallelism, userInfo } from 'node:os'
import { join } from 'node:path'
import { children } from './proc.mjs'
import { freePort, start } from './running.mjs'
import { sleep, until } from './session.mjs'

/** Debian has it where the PATH of users does not lead. */
const COMMANDS = ['nginx', '/usr/sbin/nginx']
const KEPT = 64

let command

/** @param policy lines for its list of servers, such as `ip_hash` */
export function nginx(name, policy = []) {
  return {
    name,
    isAvailable,
    start: (session, options) =>
      start(session, name, options, ({ script, workers, node, env, cwd, log }) => {
        const apps = Array.from({ length: workers }, () => session.spawn(node.path, [script], { env, cwd, log }))
        let server
        return {
          children: apps,
          async front(ready) {
            const port = await freePort()
            const directory = session.makeDirectory('nginx')
            writeFileSync(join(directory, 'nginx.conf'), configuration({ directory, port, policy, servers: ready.map((entry) => entry.port) }))
            server = session.spawn(command, ['-p', directory, '-c', 'nginx.conf', '-e', 'error.log'], { env, cwd: directory, log })
            await isOpen(port)
            session.see(server.pid)
            return { port, pids: [server.pid, ...children(server.pid)] }
          },
          stop: () => Promise.all([...(server === undefined ? [] : [server]), ...apps].map(({ pid }) => session.end(pid))),
        }
      }),
  }
}

/** False, with a word on stderr, where it is not installed. */
function isAvailable() {
  command ??= COMMANDS.find((path) => spawnSync(path, ['-v'], { stdio: 'ignore' }).error === undefined)
  if (command !== undefined) return true
  console.error('bench: nginx is not installed; its lines are missing. Debian and Ubuntu: apt-get install nginx; macOS: brew install nginx')
  return false
}

/** Keep-alive towards the processes, so that a client's connection costs them none. */
function configuration({ directory, port, policy, servers }) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => {
    const path = join(directory, name)
    mkdirSync(path, { mode: 0o700 })
    return `${name}_temp_path ${path};`
  })
  return `
daemon off;
${process.getuid?.() === 0 ? `user ${userInfo().username};` : ''}
worker_processes ${availableParallelism()};
pid nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  upstream apps {
    ${[...policy, ...servers.map((server) => `server 127.0.0.1:${server}`), `keepalive ${KEPT}`].map((line) => `${line};`).join('\n    ')}
  }
  server {
    listen 127.0.0.1:${port} backlog=511;
    location / {
      proxy_pass http://apps;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`
}

async function isOpen(port) {
  let open = false
  const attempt = () => {
    const socket = connect(port, '127.0.0.1', () => {
      open = true
      socket.destroy()
    })
    socket.on('error', () => {})
  }
  attempt()
  await until(() => {
    if (!open) attempt()
    return open
  }, 'nginx to listen', { everyMs: 50 })
  // The connection of the attempt is gone.
  await sleep(50)
}
