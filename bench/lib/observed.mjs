/** everycore with its log in JSON, and the time at which each event was read. */
import { everycore } from './everycore.mjs'
import { now } from './ready.mjs'

export function observed(args = []) {
  const events = []
  let rest = ''
  const onOutput = (text) => {
    const at = now()
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    for (const line of lines) if (line.startsWith('{')) events.push({ ...JSON.parse(line), at })
  }
  return { events, peer: everycore({ args: ['--log-format', 'json', '-v', ...args], onOutput }) }
}
