import { expect } from 'bun:test'
import type { Homeserver } from '../../support/homeserver.ts'
import type { ServiceProcess } from '../../support/service-process.ts'

/** Where a client asks from, and what for. */
export interface TokenClient {
  readonly service: ServiceProcess
  readonly homeserver: Homeserver
  /** What a proxy says its address is. */
  readonly address: string
}

/** Asks for a token for a user of their own; returns how long that took, in milliseconds. */
async function ask({ service, homeserver, address }: TokenClient, turn: number): Promise<number> {
  const { serverName } = homeserver
  const access_token = homeserver.issueOpenIdToken(`@user${turn}:${serverName}`)
  const openid_token = { access_token, matrix_server_name: serverName }
  const body = JSON.stringify({ room: '!room:example.com', openid_token, device_id: 'DEVICE' })
  const startedAt = performance.now()
  const response = await fetch(`${service.url}/sfu/get`, {
    method: 'POST',
    headers: { 'X-Forwarded-For': address },
    body,
  })
  expect(await response.json()).toMatchObject({ jwt: expect.any(String) })
  return performance.now() - startedAt
}

/** The 99th percentile of the waits for a token over a while; every request must succeed. */
export async function p99OfTokens(client: TokenClient, forMs: number): Promise<number> {
  const waits: number[] = []
  const until = performance.now() + forMs
  while (performance.now() < until) {
    waits.push(await ask(client, waits.length))
    // Within the limit of an address.
    await Bun.sleep(25)
  }
  expect(waits.length).toBeGreaterThan(50)
  return waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? 0
}
