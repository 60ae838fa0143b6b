import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startTestApp, type TestApp } from '../support/app.ts'

let app: TestApp

beforeAll(async () => {
  app = await startTestApp()
})
afterAll(() => app.close())

test.each([
  ['/get_token', 'OPTIONS, POST', ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH']],
  ['/sfu/get', 'OPTIONS, POST', ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH']],
  ['/delegate_delayed_leave', 'OPTIONS, POST', ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH']],
  ['/sfu_webhook', 'POST', ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']],
  ['/healthz', 'GET, HEAD', ['POST', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']],
])(
  '%s allows %s, and says so to whoever asks with another method',
  async (path, allow, methods) => {
    for (const method of methods) {
      const { status, headers } = await fetch(app.url + path, { method })
      expect([method, status, headers.get('allow')]).toEqual([method, 405, allow])
    }
  },
)

test('sends no Allow header on other errors', async () => {
  for (const path of ['/healthz', '/nothing']) {
    expect((await fetch(app.url + path)).headers.get('allow')).toBeNull()
  }
  expect((await app.post('/get_token', {})).headers.get('allow')).toBeNull()
})
