import dns from 'node:dns'
import { type DnsServer, startDnsServer } from './dns-server.ts'

/** Starts a DNS responder that this process asks until it is closed. */
export async function useDnsServer(): Promise<DnsServer> {
  const server = await startDnsServer()
  const before = dns.getServers()
  dns.setServers([server.address])

  async function close(): Promise<void> {
    dns.setServers(before)
    await server.close()
  }
  return { ...server, close, [Symbol.asyncDispose]: close }
}
