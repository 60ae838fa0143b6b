import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy that can drop traffic silently, as a broken network does. */
export interface TcpProxy {
  readonly port: number
  /** Nothing gets through any more, on old connections and on new ones. */
  goSilent(): void
  /** Nothing gets through any more from the client, while answers still do. */
  goSilentUpwards(): void
  /** New connections get through; old ones stay as they are. */
  heal(): void
  /** New connections lead to another port; old ones stay as they are. */
  leadTo(port: number): void
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

type Cut = 'none' | 'upwards' | 'all'

interface Link {
  readonly client: Socket
  readonly server: Socket
  cut: Cut
}

/** Starts a proxy on loopback to a port of loopback. */
export async function startTcpProxy(firstPort: number): Promise<TcpProxy> {
  let targetPort = firstPort
  const links = new Set<Link>()
  let cut: Cut = 'none'

  function serve(client: Socket): void {
    const link: Link = { client, server: connect(targetPort, '127.0.0.1'), cut }
    links.add(link)
    for (const socket of [client, link.server]) {
      socket.setNoDelay(true)
      socket.on('error', () => {})
    }
    client.on('data', (bytes) => link.cut === 'none' && link.server.write(bytes))
    link.server.on('data', (bytes) => link.cut !== 'all' && client.write(bytes))
    // Whoever is cut off does not hear that the other end has closed either.
    client.on('close', () => link.cut === 'none' && link.server.destroy())
    link.server.on('close', () => link.cut === 'none' && client.destroy())
    link.server.on('close', () => links.delete(link))
  }

  function cutAll(how: Cut): void {
    cut = how
    for (const link of links) link.cut = how
  }

  const server = createServer(serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const { client, server: upstream } of links) {
      client.destroy()
      upstream.destroy()
    }
    await closed
  }

  return {
    port,
    goSilent: () => cutAll('all'),
    goSilentUpwards: () => cutAll('upwards'),
    heal() {
      cut = 'none'
    },
    leadTo(port) {
      targetPort = port
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
