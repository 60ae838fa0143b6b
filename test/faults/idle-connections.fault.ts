import { expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { until } from '../support/until.ts'
import { startStage } from './support/stage.ts'
import { p99OfTokens } from './support/token-client.ts'

const IDLE = 10_000
const SLOW = 500
const ROUND_MS = 4_000
/** Below this, a doubled wait says more of the machine than of the service. */
const NOISE_MS = 20

function open(port: number, count: number): Promise<Socket[]> {
  const opening = Array.from({ length: count }, () => {
    return new Promise<Socket>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket))
      socket.once('error', reject)
    })
  })
  return Promise.all(opening)
}

test('10,000 idle connections and 500 slow clients do not double the wait for a token', async () => {
  await using stage = await startStage()
  const service = await stage.start()
  const client = { service, homeserver: stage.server, address: '198.51.100.2' }
  const undisturbed = await p99OfTokens(client, ROUND_MS)

  const sockets: Socket[] = []
  while (sockets.length < IDLE + SLOW) sockets.push(...(await open(service.port, 500)))
  const slow = sockets.slice(0, SLOW)
  for (const socket of slow) {
    socket.on('error', () => {})
    socket.write('POST /sfu/get HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
  }
  const drip = setInterval(() => {
    for (const socket of slow) socket.write('{')
  }, 200)
  const crowded = await p99OfTokens(client, ROUND_MS)
  clearInterval(drip)
  process.stdout.write(
    `${sockets.length} connections that do nothing or little: p99 ${undisturbed.toFixed(1)} -> ` +
      `${crowded.toFixed(1)} ms\n`,
  )
  expect(crowded).toBeLessThan(Math.max(2 * undisturbed, NOISE_MS))

  for (const socket of sockets) socket.destroy()
  // Nothing of them is left behind.
  await until(async () => (await fetch(`${service.url}/healthz`)).ok)
})
