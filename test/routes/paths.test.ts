import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startTestApp, type TestApp } from '../support/app.ts'

let app: TestApp

beforeAll(async () => {
  app = await startTestApp()
})
afterAll(() => app.close())

test('answers the health check, and unknown paths with a Matrix error', async () => {
  expect((await fetch(`${app.url}/healthz`)).status).toBe(200)
  expect((await fetch(`${app.url}/healthz`, { method: 'HEAD' })).status).toBe(200)
  const unknown = await fetch(`${app.url}/nothing/here`)
  expect(unknown.status).toBe(404)
  expect(await unknown.json()).toEqual({
    errcode: 'M_UNRECOGNIZED',
    error: 'Unrecognized request',
  })
})

test.each(['x', 'jwt', 'a.example.com'])('routes requests with Host "%s"', async (host) => {
  const response = await fetch(`${app.url}/healthz`, { headers: { Host: host } })
  expect(response.status).toBe(200)
})

test('keeps a well-formed request ID and replaces any other', async () => {
  const kept = await app.post('/get_token', {}, { 'X-Request-Id': 'abc-123.DEF_4' })
  expect(kept.headers.get('x-request-id')).toBe('abc-123.DEF_4')
  const replaced = await app.post('/get_token', {}, { 'X-Request-Id': 'a b' })
  expect(replaced.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
})

test.each(['/get_token', '/sfu/get', '/delegate_delayed_leave'])(
  'answers OPTIONS on %s with 200 and the CORS headers',
  async (path) => {
    const response = await fetch(app.url + path, { method: 'OPTIONS' })
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-methods')).toBe('POST')
    expect(response.headers.get('access-control-expose-headers')).toBe('X-Request-Id')
    expect(await response.text()).toBe('')
  },
)
