import { afterAll, beforeAll, expect, test } from 'bun:test'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { until } from '../support/until.ts'
import { logLines, required, service } from './commands.ts'

let running: ServiceProcess

beforeAll(async () => {
  running = await startService({ command: service, env: required })
})
afterAll(() => running.stop())

const PATHS = ['/get_token', '/sfu/get', '/delegate_delayed_leave', '/sfu_webhook']

test.each(
  PATHS.flatMap((path) => [
    [path, 'half of the length that was announced', 'Content-Length: 1000\r\n\r\n{"room'],
    [path, 'no more than the headers', 'Content-Length: 1000\r\n\r\n'],
    [path, 'chunks without end', 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"roo\r\n'],
    [path, 'half a chunk', 'Transfer-Encoding: chunked\r\n\r\n50\r\n{"roo'],
  ]),
)('a client of %s that hangs up after %s is no error', async (path, what, rest) => {
  const requestId = `${path}-${what}`.replaceAll(/[^a-z]/g, '-')
  const socket = connect({ host: '127.0.0.1', port: running.port })
  socket.on('error', () => {})
  await once(socket, 'connect')
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${requestId}\r\n`
  await new Promise((resolve) => socket.write(head + rest, resolve))
  // When this is answered, everything sent before has been read.
  await (await fetch(`${running.url}/healthz`)).body?.cancel()
  socket.destroy()
  const line = () => logLines(running.output()).find(({ request_id }) => request_id === requestId)
  await until(() => line() !== undefined)
  expect(line()).toMatchObject({ level: 'info', route: path })
  expect(line()?.status).toBeOneOf([400, 401])
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200)
  expect(running.output()).not.toContain('    at ')
})
