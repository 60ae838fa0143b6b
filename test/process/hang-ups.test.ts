import { expect, test } from 'bun:test'
import { until } from '../support/until.ts'
import { logLines } from './commands.ts'
import { bodyWith, startStage } from './stage.ts'

test('a client that hangs up aborts its request and frees its place', async () => {
  await using stage = await startStage()
  const { running, homeserver } = stage
  const release = stage.hold()
  // As many as may be under way at one server.
  const clients = Array.from({ length: 16 }, (_, index) => {
    const client = new AbortController()
    const answer = fetch(`${running.url}/get_token`, {
      method: 'POST',
      body: bodyWith('held'),
      headers: { 'x-request-id': `gone-${index}` },
      signal: client.signal,
    })
    return { client, outcome: answer.catch((error) => error.name) }
  })
  await until(() => homeserver.requests.length === clients.length)
  const waiting = stage.exchange('waiting')
  for (const { client } of clients) client.abort()
  await Promise.all(clients.map(({ outcome }) => outcome))
  await until(() => homeserver.requests.length === clients.length + 1)

  const ended = () => {
    return logLines(running.output()).filter(({ request_id }) => /^gone-/.test(String(request_id)))
  }
  await until(() => ended().length === clients.length)
  expect(new Set(ended().map(({ cause, code }) => `${code}: ${cause}`))).toEqual(
    new Set(['federation.given-up: the client hung up']),
  )
  release()
  expect((await waiting).status).toBe(200)
})
