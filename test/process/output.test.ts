import { expect, test } from 'bun:test'
import { startService } from '../support/service-process.ts'
import { openUnreadPipe } from '../support/unread-pipe.ts'
import { required, service } from './commands.ts'

test('the service outlives the reader of its log', async () => {
  const pipe = openUnreadPipe()
  pipe[Symbol.dispose]()
  const options = { command: service, env: required, descriptor: pipe.writeEnd }
  await using running = await startService(options)
  pipe.closeWriteEnd()
  for (let request = 0; request < 5; request += 1) {
    const response = await fetch(`${running.url}/get_token`, { method: 'POST', body: '{' })
    expect(response.status).toBe(400)
  }
  expect(await running.stop()).toBe(0)
})

test('the log is human-readable on a terminal', async () => {
  const options = { command: service, env: required, terminalColumns: 1_000 }
  await using running = await startService(options)
  expect(await running.stop()).toBe(0)
  expect(running.output()).toContain('Z \u001b[32minfo \u001b[0m configuration ')
  expect(running.output()).toContain(' listening ')
})
