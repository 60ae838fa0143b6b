import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { launchBrowser, openPage, pressExecute } from '../docs/browser.ts'
import { type ChildProcess, startProcess } from '../support/child-process.ts'
import { until } from '../support/until.ts'
import { type Stage, setStage } from './stage.ts'

/** The names that the API page gives for its first example. */
const ROOM = 'F4oOprKFBq6JHqy2qYpq6UQQmR7hCvxkQQoUrd0+SbI'
const IDENTITY = 'J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU'

let stage: Stage

beforeAll(async () => {
  stage = await setStage({})
})
afterAll(() => stage.close())

/** Starts the demo's command. */
function startDemo(...args: readonly string[]): ChildProcess {
  const command = [process.execPath, join(import.meta.dir, 'main.ts'), ...args]
  return startProcess({ command, env: { HOME: process.env.HOME } })
}

test('the first example of the page gets a token with one click', async () => {
  await using browser = await launchBrowser()
  await using opened = await openPage(browser, `${stage.service.url}/swagger#/Tokens/getToken`)
  const first = opened.page.locator('.opblock').first()
  expect(await first.getAttribute('id')).toBe('operations-Tokens-getToken')
  const { status, body } = await pressExecute(first)
  expect(status).toBe('200')
  const { url, jwt } = body as { readonly url: string; readonly jwt: string }
  expect(url).toBe('wss://livekit.example.com')
  expect(decodeJwt(jwt)).toMatchObject({ sub: IDENTITY, video: { room: ROOM } })
  expect(stage.sfu.rooms.has(ROOM)).toBe(true)
})

test('the command names that example, and ends by itself when it is told to', async () => {
  const demo = startDemo('--once')
  expect(await demo.exited).toBe(0)
  expect(demo.output()).toMatch(
    /^API page: http:\/\/127\.0\.0\.1:\d+\/swagger#\/Tokens\/getToken$/m,
  )
  expect(demo.output()).toContain('Its first example, "getToken", is the request above')
  expect(demo.output()).toContain('Without "--once" everything stays up for the API page.')
})

test('the command stays up for the page until it is stopped', async () => {
  const demo = startDemo()
  await until(() => demo.output().includes('Ctrl-C stops it'))
  const [, page = ''] = /^API page: (\S+)$/m.exec(demo.output()) ?? []
  expect((await fetch(page)).status).toBe(200)
  demo.signal('SIGINT')
  expect(await demo.exited).toBe(0)
})
