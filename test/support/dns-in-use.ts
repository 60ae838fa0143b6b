import dns from 'node:dns'
import { type DnsServer, startDnsServer } from './dns-server.ts'

const QUIET_MS = 20

/** Starts a DNS responder that this process asks until it is closed. */
export async function useDnsServer(): Promise<DnsServer> {
  const server = await startDnsServer()
  const before = dns.getServers()
  dns.setServers([server.address])

  /** A look-up that was given up is still under way, and would be asked again of the next server. */
  async function untilQuiet(): Promise<void> {
    let seen: number
    do {
      seen = server.queries.length
      await Bun.sleep(QUIET_MS)
    } while (server.queries.length > seen)
  }

  async function close(): Promise<void> {
    await untilQuiet()
    dns.setServers(before)
    await server.close()
  }
  return { ...server, close, [Symbol.asyncDispose]: close }
}
