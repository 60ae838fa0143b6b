import { expect, test } from 'bun:test'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { startService } from '../support/service-process.ts'
import { required, service } from './commands.ts'

test('reaches homeservers through the proxy in the environment', async () => {
  const asked: string[] = []
  const proxy = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', (bytes) => {
      asked.push(`${bytes}`.split('\r\n', 1)[0] ?? '')
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const env = { ...required, LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.9', HTTPS_PROXY: url }
  await using running = await startService({ command: service, env })
  const response = await fetch(`${running.url}/sfu/get`, {
    method: 'POST',
    body: JSON.stringify({
      room: '!room:example.com',
      openid_token: { access_token: 'token', matrix_server_name: '127.0.0.9:8448' },
      device_id: 'DEVICE',
    }),
  })
  expect(response.status).toBe(401)
  expect(asked).toEqual(['CONNECT 127.0.0.9:8448 HTTP/1.1'])
  proxy.close()
})
