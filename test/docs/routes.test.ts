import { expect, test } from 'bun:test'
import { startTestApp } from '../support/app.ts'

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const files = [
  ['/swagger', 'text/html; charset=utf-8'],
  ['/swagger/start.js', 'text/javascript; charset=utf-8'],
  ['/swagger/viewer.js', 'text/javascript; charset=utf-8'],
  ['/swagger/viewer.css', 'text/css; charset=utf-8'],
  ['/swagger/page.css', 'text/css; charset=utf-8'],
] as const

test.each(files)('serves %s under a policy that permits nothing foreign', async (path, type) => {
  await using app = await startTestApp()
  for (const method of ['GET', 'HEAD']) {
    const response = await fetch(app.url + path, { method })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.headers.get('content-security-policy')).toBe(policy)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('x-request-id')).not.toBeNull()
  }
})

test('names no foreign host in the page and its start script', async () => {
  await using app = await startTestApp()
  for (const path of ['/swagger', '/swagger/start.js']) {
    expect(await (await fetch(app.url + path)).text()).not.toContain('//')
  }
})

test("redirects the page's URL with a trailing slash, whatever the path prefix", async () => {
  await using app = await startTestApp()
  const response = await fetch(`${app.url}/swagger/`, { redirect: 'manual' })
  expect(response.status).toBe(308)
  expect(response.headers.get('location')).toBe('../swagger')
})

test.each(['/swagger', '/swagger/json', '/swagger/start.js', '/swagger/viewer.js'])(
  'refuses methods other than GET and HEAD on %s, with an Allow header',
  async (path) => {
    await using app = await startTestApp()
    const response = await fetch(app.url + path, { method: 'POST' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
    expect((await fetch(app.url + path, { method: 'HEAD' })).status).toBe(200)
    expect(await response.json()).toEqual({
      errcode: 'M_UNRECOGNIZED',
      error: 'Method not allowed',
    })
  },
)

test('has no API pages when they are turned off', async () => {
  await using app = await startTestApp({ env: { LIVEKIT_SWAGGER: 'off' } })
  for (const path of ['/swagger', '/swagger/', '/swagger/json', '/swagger/viewer.js']) {
    const response = await fetch(app.url + path, { redirect: 'manual' })
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({
      errcode: 'M_UNRECOGNIZED',
      error: 'Unrecognized request',
    })
  }
})
