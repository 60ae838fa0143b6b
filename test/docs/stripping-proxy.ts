/** A reverse proxy as operators set one up: it strips a path prefix, and answers 404 to all else. */
export interface StrippingProxy {
  /** `http://127.0.0.1:PORT/matrix/jwt` */
  readonly url: string
  [Symbol.asyncDispose](): Promise<void>
}

const prefix = '/matrix/jwt'

/** Starts a proxy before the service at `target`, an origin. */
export function startStrippingProxy(target: string): StrippingProxy {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      if (!pathname.startsWith(`${prefix}/`)) return new Response(null, { status: 404 })
      const answer = await fetch(`${target}${pathname.slice(prefix.length)}${search}`, {
        method: request.method,
        headers: request.headers,
        body: request.method === 'POST' ? await request.text() : null,
        redirect: 'manual',
        decompress: false,
      })
      return new Response(answer.body, { status: answer.status, headers: answer.headers })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}${prefix}`,
    async [Symbol.asyncDispose]() {
      await server.stop(true)
    },
  }
}
