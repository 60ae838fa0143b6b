import { expect, test } from 'bun:test'
import { createRequestLog } from '../../src/http/request-log.ts'
import { createLogger } from '../../src/log.ts'

interface Ending {
  readonly url?: string
  readonly status?: number
  readonly serverName?: string
  readonly cause?: string
}

function lineOf({ url = 'http://x/get_token', status = 200, ...noted }: Ending) {
  const lines: string[] = []
  const write = (line: string) => lines.push(line)
  const logger = createLogger({ level: 'debug', format: 'json', now: () => 0, write })
  let monotonic = 0
  const requestLog = createRequestLog(logger, () => monotonic)
  const request = new Request('http://x/', { method: 'POST' })
  Object.defineProperty(request, 'url', { value: url })
  Object.assign(requestLog.begin(request), noted)
  monotonic = 12.345
  requestLog.end(request, status)
  expect(lines).toHaveLength(1)
  return JSON.parse(lines[0] ?? '')
}

test('cause, server name and route are cut to what fits into a line', () => {
  const line = lineOf({
    url: `http://x/${'r'.repeat(5_000)}`,
    serverName: 's'.repeat(60_000),
    cause: 'c'.repeat(60_000),
  })
  expect(line.route).toBe(`/${'r'.repeat(99)}`)
  expect(line.server_name).toBe('s'.repeat(262))
  expect(line.cause).toBe('c'.repeat(1_000))
})

test('what fits is told in full', () => {
  const cause = 'c'.repeat(1_000)
  const serverName = 's'.repeat(262)
  expect(lineOf({ cause, serverName })).toMatchObject({
    route: '/get_token',
    server_name: serverName,
    cause,
    duration_ms: 12.3,
    outcome: 'ok',
  })
})

test.each([
  ['http://x/get_token?access_token=hunter2', '/get_token'],
  ['http://x/get_token#hunter2', '/get_token'],
  ['http://u@x/get_token', '/get_token'],
  ['http://a b/get_token', '/get_token'],
  ['http://a:99999/get_token', '/get_token'],
  ['/get_token?hunter2', '/get_token'],
  ['//x:99999/', '//x:99999/'],
  ['http://x', '/'],
  ['http:///get_token', '/get_token'],
])('the route of %s is %s', (url, route) => {
  expect(lineOf({ url }).route).toBe(route)
})

test.each([
  ['http://x/get_token', 200, 'info'],
  ['http://x/get_token', 400, 'info'],
  ['http://x/get_token', 500, 'error'],
  ['http://x/get_token', 503, 'warn'],
  ['http://x/healthz', 200, 'debug'],
  ['http://a b/healthz', 200, 'debug'],
  ['http://x/healthz', 503, 'warn'],
  ['http://x/swagger/viewer.js', 200, 'debug'],
  ['http://x/swagger/viewer.js', 404, 'info'],
])('%s with status %p is told at level %s', (url, status, level) => {
  expect(lineOf({ url, status }).level).toBe(level)
})
