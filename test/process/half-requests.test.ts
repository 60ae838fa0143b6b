import { expect, test } from 'bun:test'
import { once } from 'node:events'
import { connect } from 'node:net'
import { startService } from '../support/service-process.ts'
import { logLines, required, service } from './commands.ts'

test.each([
  ['nothing', ''],
  ['half a line', 'POST /get_'],
  ['half of their headers', 'POST /get_token HTTP/1.1\r\nHost: localhost\r\nContent-'],
])('shutdown does not wait for connections that have sent %s', async (_, half) => {
  await using running = await startService({ command: service, env: required })
  const connecting = Array.from({ length: 5 }, async () => {
    const socket = connect({ host: '127.0.0.1', port: running.port })
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(half)
    return socket
  })
  const sockets = await Promise.all(connecting)
  await (await fetch(`${running.url}/healthz`)).body?.cancel()
  const start = performance.now()
  running.signal('SIGTERM')
  expect(await running.exited).toBe(0)
  expect(performance.now() - start).toBeLessThan(3_000)
  const messages = logLines(running.output()).map(({ message }) => String(message))
  // The line of the request that was answered may come after the signal, and so may the SFU's answer.
  const others = messages.filter(
    (message) => !['request', 'the SFU cannot be used'].includes(message),
  )
  expect(others.slice(-2)).toEqual(['shutting down', 'stopped'])
  for (const socket of sockets) socket.destroy()
})
