import type { IncomingMessage } from 'node:http'
import { refusal, type Answer } from './wire-error.ts'

/** The text, or why it is not read. */
export type Text = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly answer: Answer }

/** Reads the body of a request. What is too long is not read at all, or not on. */
export async function readText(request: IncomingMessage, limitBytes: number, limitMs: number): Promise<Text> {
  const tooLong: Text = { ok: false, answer: refusal(413, `the body has more than ${limitBytes} bytes`) }
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return tooLong
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const settle = (text: Text): void => {
      clearTimeout(timer)
      request.removeAllListeners('data').pause()
      resolve(text)
    }
    const timer = setTimeout(() => settle({ ok: false, answer: refusal(408, `the body was not there within ${limitMs} ms`) }), limitMs)
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > limitBytes) settle(tooLong)
      else chunks.push(chunk)
    })
    request.once('end', () => settle({ ok: true, text: Buffer.concat(chunks).toString('utf8') }))
    request.once('close', () => settle({ ok: false, answer: refusal(400, 'the body ended too soon') }))
  })
}
