import type { Socket } from 'node:net'

/** An ordinary answer. A body that is not a string or bytes is sent as JSON. */
export interface Reply {
  readonly kind: 'reply'
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** What a stand-in can do to a client instead of answering well. */
export type Misbehaviour =
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number }
  /** Valid JSON that announces its length, so many bytes of it (a little more, never less). */
  | { readonly kind: 'oversized'; readonly bytes: number }
  /** A chunked body that goes on until the client hangs up. */
  | { readonly kind: 'endless' }
  /** The status line at once, then one more header every so often, without end. */
  | { readonly kind: 'slow-headers'; readonly everyMs: number }
  /** Headers at once, then the body byte by byte; `{}` when no body is given. */
  | { readonly kind: 'slow-body'; readonly everyMs: number; readonly body?: unknown }
  /** Status 200, `application/json`, and a body that does not parse. */
  | { readonly kind: 'invalid-json' }
  /** Takes the request and stays silent. */
  | { readonly kind: 'hang' }
  /** Closes the connection without a byte. */
  | { readonly kind: 'close' }
  /** Announces a body, of JSON unless told, sends a part of it and closes. */
  | { readonly kind: 'truncated'; readonly type?: string }
  /** Does the next thing after a while. */
  | { readonly kind: 'delay'; readonly delayMs: number; readonly then: Answer }

/** What a stand-in does with one request. */
export type Answer = Reply | Misbehaviour

/** Shorthand for an ordinary answer; 200 and no body unless given. */
export function reply(
  status: number,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { kind: 'reply', status, headers, body }
}

const json = 'content-type: application/json\r\n'

function toBytes(body: unknown): Uint8Array {
  if (body === undefined) return new Uint8Array()
  if (body instanceof Uint8Array) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function replyBytes({ status = 200, headers = {}, body }: Omit<Reply, 'kind'>): Buffer {
  const bytes = toBytes(body)
  const fields = new Headers({ ...headers, 'content-length': String(bytes.length) })
  if (bytes.length > 0 && !fields.has('content-type')) {
    fields.set('content-type', 'application/json')
  }
  const lines = [...fields].map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} -\r\n${lines.join('')}\r\n`), bytes])
}

/** Runs `step` every so often until it says that it is done, or the socket closes. */
function drip(socket: Socket, everyMs: number, step: () => 'more' | 'done'): void {
  const timer = setInterval(() => {
    if (socket.destroyed || step() === 'done') clearInterval(timer)
  }, everyMs)
  socket.once('close', () => clearInterval(timer))
}

function pourEndlessly(socket: Socket): void {
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
  socket.write(`HTTP/1.1 200 -\r\n${json}transfer-encoding: chunked\r\n\r\n`)
  drip(socket, 1, () => {
    if (socket.writableLength < 1_000_000) socket.write(chunk)
    return 'more'
  })
}

function dripBody(socket: Socket, everyMs: number, body: unknown): void {
  const bytes = toBytes(body)
  let sent = 0
  socket.write(`HTTP/1.1 200 -\r\n${json}content-length: ${bytes.length}\r\n\r\n`)
  drip(socket, everyMs, () => {
    socket.write(bytes.subarray(sent, sent + 1))
    sent += 1
    return sent < bytes.length ? 'more' : 'done'
  })
}

/** Carries out an answer on the connection that the request came in on. */
export function act(socket: Socket, answer: Answer): void {
  if (socket.destroyed) return
  switch (answer.kind) {
    case 'reply':
      socket.write(replyBytes(answer))
      return
    case 'redirect': {
      const { status = 302, location } = answer
      socket.write(replyBytes({ status, headers: { location } }))
      return
    }
    case 'oversized':
      socket.write(replyBytes({ body: { padding: 'x'.repeat(answer.bytes) } }))
      return
    case 'endless':
      pourEndlessly(socket)
      return
    case 'slow-headers':
      socket.write('HTTP/1.1 200 -\r\n')
      drip(socket, answer.everyMs, () => {
        socket.write('x-slow: 1\r\n')
        return 'more'
      })
      return
    case 'slow-body':
      dripBody(socket, answer.everyMs, answer.body ?? {})
      return
    case 'invalid-json':
      socket.write(replyBytes({ body: '{"sub": "@alice:' }))
      return
    case 'hang':
      return
    case 'close':
      socket.destroy()
      return
    case 'truncated': {
      const { type = 'application/json' } = answer
      const headers = `content-type: ${type}\r\ncontent-length: 100\r\n`
      socket.write(`HTTP/1.1 200 -\r\n${headers}\r\n{"sub": "@`)
      socket.end()
      return
    }
    case 'delay': {
      const timer = setTimeout(() => act(socket, answer.then), answer.delayMs)
      socket.once('close', () => clearTimeout(timer))
      return
    }
  }
}
