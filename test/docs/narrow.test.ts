import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { startTestApp, type TestApp } from '../support/app.ts'
import { type MemberStage, startMemberStage } from '../support/member-stage.ts'
import { execute, launchBrowser, openOperation, openPage } from './browser.ts'

/** A phone. */
const WIDTH = 390

let browser: Browser
let app: TestApp
let members: MemberStage

beforeAll(async () => {
  app = await startTestApp()
  members = await startMemberStage()
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser.close()
  await members.close()
  await app.close()
})

async function openNarrowPage(url: string) {
  const opened = await openPage(browser, `${url}/swagger`)
  await opened.page.setViewportSize({ width: WIDTH, height: 844 })
  return opened
}

/** Clicks whatever can be opened or chosen, until nothing is left; gives the number of clicks. */
async function clickAll(page: Page, selector: string): Promise<number> {
  let clicks = 0
  for (;;) {
    const clicked = await page.locator(selector).evaluateAll((elements) => {
      for (const element of elements) element.click()
      return elements.length
    })
    if (clicked === 0) return clicks
    clicks += clicked
    // What was clicked is on the page by then, and so is what it contains.
    await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))')
  }
}

const FOLDED = '[aria-expanded="false"]'
const SCHEMA_TAB = 'button.tablinks[data-name="model"][aria-selected="false"]'

/** How far the page reaches to the right. */
function widthOf(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth')
}

test.each([
  ['with OpenID tokens alone', () => app.url, 6],
  ['with application-service mode', () => members.app.url, 10],
])(
  'fits on a phone with everything unfolded, %s',
  async (_mode, url, operations) => {
    await using opened = await openNarrowPage(url())
    const { page } = opened
    expect(await widthOf(page)).toBe(WIDTH)

    expect(await clickAll(page, FOLDED)).toBeGreaterThan(operations)
    expect(await page.locator('.opblock .responses-wrapper').count()).toBe(operations)
    expect(await widthOf(page)).toBe(WIDTH)

    expect(await clickAll(page, SCHEMA_TAB)).toBeGreaterThan(operations)
    await clickAll(page, FOLDED)
    expect(await widthOf(page)).toBe(WIDTH)
  },
  60_000,
)

test('fits on a phone with an answer on it', async () => {
  await using opened = await openNarrowPage(app.url)
  const operation = await openOperation(opened.page, 'getToken')
  const longLine = JSON.stringify({ room_id: 'x'.repeat(1_000) })
  expect((await execute(operation, longLine)).status).toBe('400')
  expect(await widthOf(opened.page)).toBe(WIDTH)
})

test('fits on a phone while it asks for tokens', async () => {
  await using opened = await openNarrowPage(members.app.url)
  await opened.page.locator('.btn.authorize').click()
  await opened.page.locator('.modal-ux .auth-container').first().waitFor()
  expect(await widthOf(opened.page)).toBe(WIDTH)
})
