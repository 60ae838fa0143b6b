import { exchangeOver, openSocket, postBytes } from '../bench/http-socket.ts'
import { percentile } from '../bench/statistics.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import type { World } from './world.ts'

/** What came of asking for tokens without a pause. */
export interface TokenStream {
  /** Tokens a second. */
  readonly perSecond: number
  readonly tokens: number
  /** Answers other than a token. */
  readonly refused: number
  readonly p99Ms: number
}

const WORKERS = 16
const MAX_WAITS = 100_000
let asked = 0

/** Asks for one token of a user whose server is not named, so that the SFU has no part in it. */
function bodyFor({ guests }: World): { readonly body: string; forget(): void } {
  asked += 1
  const access_token = guests.issueOpenIdToken(`@guest${asked}:${guests.serverName}`)
  const openid_token = { access_token, matrix_server_name: guests.serverName }
  const body = JSON.stringify({ room: '!room:example.com', openid_token, device_id: 'D' })
  function forget(): void {
    guests.revokeOpenIdToken(access_token)
    guests.requests.length = 0
  }
  return { body, forget }
}

/**
 * Asks one replica for tokens until `isOver`.
 *
 * @param perSecond - at most so many; as many as there can be unless given
 */
export async function askForTokens(
  world: World,
  { port }: ServiceProcess,
  isOver: () => boolean,
  perSecond = Number.POSITIVE_INFINITY,
): Promise<TokenStream> {
  const startedAt = performance.now()
  const waits: number[] = []
  let begun = 0
  let refused = 0
  let tokens = 0

  async function work(): Promise<void> {
    const socket = await openSocket(port)
    while (!isOver()) {
      const earlyMs = (begun * 1_000) / perSecond - (performance.now() - startedAt)
      if (earlyMs > 0) {
        await Bun.sleep(Math.min(earlyMs, 50))
        continue
      }
      begun += 1
      const { body, forget } = bodyFor(world)
      const sentAt = performance.now()
      const answer = await exchangeOver(socket, postBytes({ port, path: '/sfu/get', body }))
      forget()
      waits[tokens % MAX_WAITS] = performance.now() - sentAt
      if (answer.startsWith('HTTP/1.1 200 ')) tokens += 1
      else refused += 1
    }
    socket.destroy()
  }

  await Promise.all(Array.from({ length: WORKERS }, work))
  const seconds = (performance.now() - startedAt) / 1_000
  return {
    perSecond: Math.round(tokens / seconds),
    tokens,
    refused,
    p99Ms: Math.round(percentile(waits, 0.99)),
  }
}
