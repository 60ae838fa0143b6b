import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type RunningProxy, startCaddy, startNginx } from './proxies.ts'

/** What the service would have seen of a request. */
interface Seen {
  readonly path: string
  readonly forwardedFor: string | null
}

/** Answers every request with what it sees of it. */
const mirror = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch({ url, headers }) {
    const seen: Seen = { path: new URL(url).pathname, forwardedFor: headers.get('x-forwarded-for') }
    return Response.json(seen)
  },
})

/** Tells over a WebSocket which path it was asked for. */
const webSockets = Bun.serve<string>({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, server) {
    const { pathname, search } = new URL(request.url)
    if (server.upgrade(request, { data: pathname + search })) return undefined
    return new Response('not a WebSocket', { status: 400 })
  },
  websocket: {
    open: (socket) => void socket.send(socket.data),
    message: () => {},
  },
})

const behind = {
  jwtPort: mirror.port ?? 0,
  metricsPort: mirror.port ?? 0,
  liveKitPort: webSockets.port ?? 0,
}
const tls = { rejectUnauthorized: false }

afterAll(async () => {
  await mirror.stop(true)
  await webSockets.stop(true)
})

function firstMessage(url: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { tls })
    socket.onerror = () => reject(new Error(`no WebSocket at ${url}`))
    socket.onmessage = ({ data }) => {
      socket.close()
      resolve(data)
    }
  })
}

describe.each([
  ['Caddy', startCaddy],
  ['nginx', startNginx],
])('%s with the example', (_, start) => {
  let proxy: RunningProxy

  beforeAll(async () => {
    proxy = await start(behind)
  })

  afterAll(() => proxy?.[Symbol.asyncDispose]())

  test('strips the prefix of the service, and says who is asking', async () => {
    const response = await fetch(`${proxy.url}/livekit/jwt/get_token`, { method: 'POST', tls })
    expect(await response.json()).toEqual({ path: '/get_token', forwardedFor: '127.0.0.1' })
  })

  test('strips the prefix of LiveKit, and passes WebSockets on', async () => {
    const url = `${proxy.url.replace('http', 'ws')}/livekit/sfu/rtc?access_token=a`
    expect(await firstMessage(url)).toBe('/rtc?access_token=a')
  })

  test('passes nothing else on', async () => {
    const response = await fetch(`${proxy.url}/get_token`, { method: 'POST', tls })
    expect(await response.text()).not.toContain('path')
  })
})
