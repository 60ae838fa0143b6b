import { expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import { until } from '../support/until.ts'
import { required, service } from './commands.ts'

function untilHealthy(url: string): Promise<boolean> {
  return until(async () => (await fetch(`${url}/healthz`).catch(() => undefined))?.ok)
}

test('the service outlives the reader of its log', async () => {
  const port = await findClosedPort()
  const env = { ...required, LIVEKIT_JWT_BIND: `127.0.0.1:${port}` }
  const child = Bun.spawn([...service], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  await child.stdout.cancel()
  const url = `http://127.0.0.1:${port}`
  await untilHealthy(url)
  for (let request = 0; request < 5; request += 1) {
    const response = await fetch(`${url}/get_token`, { method: 'POST', body: '{' })
    expect(response.status).toBe(400)
  }
  child.kill('SIGTERM')
  expect(await child.exited).toBe(0)
})

test('the log is human-readable on a terminal', async () => {
  let output = ''
  const port = await findClosedPort()
  const env = { ...required, LIVEKIT_JWT_BIND: `127.0.0.1:${port}` }
  const decoder = new TextDecoder()
  const child = Bun.spawn([...service], {
    env,
    terminal: {
      cols: 1000,
      data(_terminal, chunk) {
        output += decoder.decode(chunk, { stream: true })
      },
    },
  })
  await untilHealthy(`http://127.0.0.1:${port}`)
  child.kill('SIGTERM')
  expect(await child.exited).toBe(0)
  child.terminal?.close()
  expect(output).toContain('Z \u001b[32minfo \u001b[0m configuration ')
  expect(output).toContain(' listening ')
})
