import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import {
  BODY_ENDPOINTS,
  type CallStage,
  ENDPOINTS,
  type Endpoint,
  startCallStage,
} from '../support/member-calls.ts'
import { HS_TOKEN } from '../support/member-stage.ts'

let stage: CallStage

beforeAll(async () => {
  stage = await startCallStage()
})
afterAll(() => stage.close())

/** Sends the headers, then `chunk` again and again, and gives the status that is answered meanwhile. */
function statusBeforeBody(
  endpoint: Endpoint,
  headers: readonly string[],
  chunk = '',
): Promise<string> {
  const port = Number(new URL(stage.app.url).port)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    const timer = chunk === '' ? undefined : setInterval(() => socket.write(chunk), 5)
    const giveUp = setTimeout(() => socket.destroy(new Error('no answer yet')), 5_000)
    socket.on('data', (data) => {
      resolve(data.toString().split('\r\n')[0] ?? '')
      socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => {
      clearInterval(timer)
      clearTimeout(giveUp)
      reject(new Error('closed'))
    })
    const lines = [`POST ${endpoint.path} HTTP/1.1`, 'Host: localhost', ...headers]
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  })
}

const LENGTH = 'Content-Length: 1000'
const CHUNKED = 'Transfer-Encoding: chunked'
const CHUNK = `400\r\n${'x'.repeat(1_024)}\r\n`
const TOKEN = `Authorization: Bearer ${HS_TOKEN}`

describe.each(ENDPOINTS)('$path does not wait for the body', (endpoint) => {
  test.each([
    ['no token', []],
    ['a wrong token', ['Authorization: Bearer wrong']],
  ])('of a request with %s', async (_, headers) => {
    const expected = 'HTTP/1.1 401 Unauthorized'
    expect(await statusBeforeBody(endpoint, [...headers, LENGTH])).toBe(expected)
    expect(await statusBeforeBody(endpoint, [...headers, CHUNKED])).toBe(expected)
    expect(await statusBeforeBody(endpoint, [...headers, CHUNKED], CHUNK)).toBe(expected)
  })
})

describe.each(BODY_ENDPOINTS)('$path does not wait for the body', (endpoint) => {
  test.each([
    ['nobody', '401 Unauthorized', undefined],
    ['nobody who could be', '400 Bad Request', 'no name'],
  ])('of a request for %s', async (_, status, caller) => {
    const header = caller === undefined ? [] : [`${endpoint.header}: ${caller}`]
    const sent = [TOKEN, ...header]
    expect(await statusBeforeBody(endpoint, [...sent, LENGTH])).toBe(`HTTP/1.1 ${status}`)
    expect(await statusBeforeBody(endpoint, [...sent, CHUNKED], CHUNK)).toBe(`HTTP/1.1 ${status}`)
  })

  test('of more than 64 KiB', async () => {
    const sent = [TOKEN, `${endpoint.header}: ${endpoint.caller}`]
    const expected = 'HTTP/1.1 413 Payload Too Large'
    expect(await statusBeforeBody(endpoint, [...sent, 'Content-Length: 65537'])).toBe(expected)
    const large = `10001\r\n${'x'.repeat(65_537)}\r\n`
    expect(await statusBeforeBody(endpoint, [...sent, CHUNKED], large)).toBe(expected)
  })
})
