import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Browser } from 'playwright-core'
import { startTestApp, type TestApp } from '../support/app.ts'
import { CREDENTIALS } from '../support/credentials.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'
import { execute, launchBrowser, type ObservedPage, openOperation, openPage } from './browser.ts'
import { type StrippingProxy, startStrippingProxy } from './stripping-proxy.ts'

/** Chromium's own console message for an error status. */
const unauthorized =
  'Failed to load resource: the server responded with a status of 401 (Unauthorized)'

const getTokenExample = `{
  "room_id": "!roomid:example.com",
  "slot_id": "m.call#ROOM",
  "openid_token": {
    "access_token": "SomeT0kenHere",
    "token_type": "Bearer",
    "matrix_server_name": "example.com",
    "expires_in": 3600
  },
  "member": {
    "id": "memberABC",
    "claimed_user_id": "@alice:example.com",
    "claimed_device_id": "DEVICE123"
  }
}`

const legacyExample = `{
  "room": "!room:example.com",
  "openid_token": {
    "access_token": "SomeT0kenHere",
    "token_type": "Bearer",
    "matrix_server_name": "example.com",
    "expires_in": 3600
  },
  "device_id": "DEVICE123"
}`

let browser: Browser
let homeserver: Homeserver
let sfu: Sfu
let app: TestApp
let proxy: StrippingProxy

beforeAll(async () => {
  homeserver = await startHomeserver({ serverName: 'example.com' })
  sfu = await startSfu(CREDENTIALS)
  app = await startTestApp({
    env: {
      LIVEKIT_URL: sfu.wsUrl,
      LIVEKIT_FEDERATION_URL_OVERRIDES: `example.com=${homeserver.url}`,
    },
  })
  proxy = startStrippingProxy(app.url)
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser.close()
  await proxy[Symbol.asyncDispose]()
  await app.close()
  await sfu.close()
  await homeserver.close()
})

/** Pages take a second of work each, so tests share them; each operation is opened by one test. */
const pages = new Map<string, ObservedPage>()

async function pageAt(url: string): Promise<ObservedPage> {
  const opened = pages.get(url) ?? (await openPage(browser, url))
  pages.set(url, opened)
  return opened
}

const places = [
  ['at the root', '', '/swagger'],
  ['at the root, with a slash at the end', '', '/swagger/'],
  ['behind a stripped path prefix', '/matrix/jwt', '/swagger'],
  ['behind a stripped path prefix, with a slash at the end', '/matrix/jwt', '/swagger/'],
] as const

describe.each(places)('the API page %s', (_place, prefix, path) => {
  const base = () => (prefix === '' ? app.url : proxy.url)

  test('lists the endpoints, without foreign requests or console errors', async () => {
    const { page, requests, complaints } = await pageAt(base() + path)

    expect(await page.title()).toBe('jwt-service-ts: API')
    const operations = page.locator('.opblock-summary [data-path]')
    expect(
      await operations.evaluateAll((all) => all.map((each) => each.getAttribute('data-path'))),
    ).toEqual([
      '/get_token',
      '/sfu/get',
      '/delegate_delayed_leave',
      '/healthz',
      '/healthz',
      '/sfu_webhook',
    ])
    const expected = ['', '/json', '/page.css', '/start.js', '/viewer.css', '/viewer.js']
    if (path.endsWith('/')) expected.splice(1, 0, '/')
    const tried = [`${base()}/get_token`, `${base()}/sfu/get`]
    const loaded = new Set(requests.filter((url) => !tried.includes(url)))
    expect([...loaded].sort()).toEqual(expected.map((end) => `${base()}/swagger${end}`))
    expect(complaints.filter((each) => each !== unauthorized)).toEqual([])
  })
})

describe.each([
  ['getToken', '/get_token', '', getTokenExample],
  ['getToken', '/get_token', '/matrix/jwt', getTokenExample],
  ['sfuGet', '/sfu/get', '/matrix/jwt', legacyExample],
])('"try it out" of %s', (operationId, path, prefix, example) => {
  const base = () => (prefix === '' ? app.url : proxy.url)

  test(`exchanges a token and shows a refusal, at ${prefix}${path}`, async () => {
    const token = homeserver.issueOpenIdToken('@alice:example.com')
    const { page, requests, complaints } = await pageAt(`${base()}/swagger`)
    const before = complaints.length
    const operation = await openOperation(page, operationId)
    expect(await operation.locator('textarea.body-param__text').inputValue()).toBe(example)

    const { status, body } = await execute(operation, example.replace('SomeT0kenHere', token))
    expect(status).toBe('200')
    expect(body).toEqual({ url: sfu.wsUrl, jwt: expect.stringMatching(/^eyJ[\w.-]+$/) })
    expect(complaints.slice(before)).toEqual([])

    await operation.locator('.btn-clear').click()
    expect(await execute(operation, example)).toEqual({
      status: '401',
      body: { errcode: 'M_UNAUTHORIZED', error: 'The request could not be authorised.' },
    })
    expect(complaints.slice(before)).toEqual([unauthorized])
    expect(requests.slice(-2)).toEqual([base() + path, base() + path])
    expect(requests.filter((url) => !url.startsWith(`${base()}/`))).toEqual([])
  })
})

test('shows every error of an endpoint with its description and an example', async () => {
  const { page } = await pageAt(`${app.url}/swagger/`)
  const operation = await openOperation(page, 'getToken')
  const rows = operation.locator('.responses-inner table.responses-table .response')
  const shown = await rows.evaluateAll((elements) =>
    elements.map((element) => [
      element.getAttribute('data-code'),
      element.querySelector('select')?.value,
      element.querySelector('.example pre, .highlight-code pre, pre')?.textContent?.slice(0, 30),
    ]),
  )
  expect(shown).toEqual([
    ['200', 'application/json', '{\n  "url": "wss://livekit.exam'],
    ['400', 'application/json', '{\n  "errcode": "M_BAD_JSON",\n '],
    ['401', 'application/json', '{\n  "errcode": "M_UNAUTHORIZED'],
    ['405', 'application/json', '{\n  "errcode": "M_UNRECOGNIZED'],
    ['413', 'application/json', '{\n  "errcode": "M_TOO_LARGE",\n'],
    ['429', 'application/json', '{\n  "errcode": "M_LIMIT_EXCEED'],
    ['500', 'application/json', '{\n  "errcode": "M_UNKNOWN",\n  '],
    ['503', 'application/json', '{\n  "errcode": "M_UNKNOWN",\n  '],
  ])
})
