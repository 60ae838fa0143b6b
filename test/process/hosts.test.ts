import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { logLines, required, service } from './commands.ts'
import { sendRaw } from './raw.ts'

let running: ServiceProcess

beforeAll(async () => {
  running = await startService({ command: service, env: required })
})

/** Afterwards the service must be healthy, without errors in its log. */
afterAll(async () => {
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200)
  expect(await running.stop()).toBe(0)
  const unusual = logLines(running.output()).filter(({ level }) => level !== 'info')
  // There is no SFU.
  expect(unusual.map(({ message }) => message)).toEqual(['the SFU cannot be used'])
  expect(running.output()).not.toContain('    at ')
})

async function statusOf(head: readonly string[], body = ''): Promise<number> {
  const length = body === '' ? [] : [`Content-Length: ${body.length}`]
  const lines = [...head, 'Connection: close', ...length, '', body]
  const answer = await sendRaw(running.port, lines.join('\r\n'))
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])
}

const KNOWN = [
  ['GET /healthz', '', 200],
  ['GET /swagger', '', 200],
  ['POST /get_token', '{}', 400],
  ['POST /sfu/get', '{}', 400],
  ['POST /delegate_delayed_leave', '{}', 400],
  ['POST /sfu_webhook', '{}', 401],
  ['OPTIONS /get_token', '', 200],
  ['PUT /get_token', '', 405],
  ['GET /nothing', '', 404],
] as const

test.each([
  '',
  ' ',
  'a b',
  'x#y',
  'x?y',
  'u@x',
  'u:p@x',
  'x/y',
  'a:99999',
  'a:b',
  ':',
  '[',
  '[::1',
  '%',
  '\\',
  '//x',
  'http://x',
  'ü',
  'x'.repeat(300),
])('routes requests correctly when Host is %p', async (host) => {
  for (const [start, body, status] of KNOWN) {
    expect([start, await statusOf([`${start} HTTP/1.1`, `Host: ${host}`], body)]).toEqual([
      start,
      status,
    ])
  }
})

test('routes HTTP/1.0 requests without Host', async () => {
  for (const [start, body, status] of KNOWN) {
    expect([start, await statusOf([`${start} HTTP/1.0`], body)]).toEqual([start, status])
  }
})

test('refuses HTTP/1.1 without Host', async () => {
  expect(await statusOf(['GET /healthz HTTP/1.1'])).toBe(400)
})

test.each([
  ['//x:99999/', 404],
  ['//x:99999/healthz', 404],
  ['//', 404],
  ['/healthz?a=//b#c?d', 200],
  ['/healthz?', 200],
  ['/nothing?/healthz', 404],
  ['http://x:99999/healthz', 200],
  ['http://x/healthz', 200],
  ['/%', 404],
  ['/%00', 404],
  [`/${'x'.repeat(300)}`, 404],
])('handles the request target %s, with and without Host', async (target, status) => {
  expect(await statusOf([`GET ${target} HTTP/1.1`, 'Host: a'])).toBe(status)
  expect(await statusOf([`GET ${target} HTTP/1.1`, 'Host: a b'])).toBe(status)
  expect(await statusOf([`GET ${target} HTTP/1.0`])).toBe(status)
})

test('sends CORS headers whatever Host says', async () => {
  for (const head of ['HTTP/1.1\r\nHost: a b', 'HTTP/1.0']) {
    const request = `POST /get_token ${head}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`
    const answer = await sendRaw(running.port, request)
    expect(answer).toContain('\r\nAccess-Control-Allow-Origin: *\r\n')
  }
})
