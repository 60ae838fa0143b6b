import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { runToEnd } from '../support/child-process.ts'
import { startStage } from './support/stage.ts'
import { p99OfTokens } from './support/token-client.ts'

const FLOOD_MS = 8_000
const FLOODER = join(import.meta.dir, 'support/flooder.ts')

test('a client that floods takes no token from another one, and slows it by under a second', async () => {
  await using stage = await startStage({ LIVEKIT_RATE_LIMIT: 'on' })
  const service = await stage.start()
  const client = { service, homeserver: stage.server, address: '198.51.100.2' }
  const undisturbed = await p99OfTokens(client, 3_000)

  const command = [process.execPath, FLOODER, service.url, String(FLOOD_MS), '198.51.100.1']
  const flooder = runToEnd({ command })
  await Bun.sleep(500)
  const flooded = await p99OfTokens(client, FLOOD_MS - 1_500)
  const statuses = JSON.parse((await flooder).stdout) as Record<string, number>

  const sent = Object.values(statuses).reduce((sum, count) => sum + count)
  process.stdout.write(
    `flood: ${Math.round(sent / (FLOOD_MS / 1_000))} requests a second ` +
      `(${JSON.stringify(statuses)}); another client's p99 ${undisturbed.toFixed(1)} -> ` +
      `${flooded.toFixed(1)} ms\n`,
  )
  expect(sent).toBeGreaterThan(5_000)
  expect(flooded).toBeLessThan(1_000)
  // The burst, and 50 a second; failures to verify count double.
  expect((statuses[400] ?? 0) + 2 * (statuses[401] ?? 0)).toBeLessThan(1_000 + 50 * 9 + 128)
})
