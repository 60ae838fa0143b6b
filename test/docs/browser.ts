import { type Browser, chromium, type Locator, type Page } from 'playwright-core'

/** A page of headless Chromium, and everything that it has done. */
export interface ObservedPage {
  readonly page: Page
  /** URLs of all requests, `data:` ones left out. */
  readonly requests: readonly string[]
  /** Errors and warnings on the console, violations of the Content-Security-Policy included. */
  readonly complaints: readonly string[]
  [Symbol.asyncDispose](): Promise<void>
}

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts Debian's Chromium. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = Bun.which('chromium') ?? '/usr/bin/chromium'
  return chromium.launch({ executablePath, headless: true, args: flags })
}

/** Opens a page in a context of its own, so that nothing is cached. */
export async function openPage(browser: Browser, url: string): Promise<ObservedPage> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 1600 },
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const requests: string[] = []
  const complaints: string[] = []
  context.on('request', (request) => {
    if (!request.url().startsWith('data:')) requests.push(request.url())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  await page.goto(url)
  await page.locator('.opblock').first().waitFor()
  return {
    page,
    requests,
    complaints,
    async [Symbol.asyncDispose]() {
      await context.close()
    },
  }
}

/** The section of one operation, opened. */
export async function openOperation(page: Page, operationId: string): Promise<Locator> {
  const operation = page.locator(`.opblock[id$="-${operationId}"]`)
  await operation.locator('.opblock-summary-control').click()
  await operation.locator('.responses-wrapper').waitFor()
  return operation
}

/** The answer to a request, as the page shows it. */
export interface ShownAnswer {
  readonly status: string | undefined
  readonly body: unknown
}

/** Enters a body, presses "Execute", and returns the answer. */
export async function execute(operation: Locator, body: string): Promise<ShownAnswer> {
  await operation.locator('textarea.body-param__text').fill(body)
  return pressExecute(operation)
}

/** Presses "Execute" of an open operation, and returns the answer. */
export async function pressExecute(operation: Locator): Promise<ShownAnswer> {
  const answered = operation.page().waitForResponse((response) => {
    return response.request().method() === 'POST'
  })
  await operation.locator('button.execute').click()
  await answered
  const live = operation.locator('.live-responses-table .response')
  await live.locator('.highlight-code, .microlight').first().waitFor()
  const status = (await live.locator('.response-col_status').textContent())?.trim().slice(0, 3)
  const text = await live.locator('pre.microlight, .highlight-code pre').first().textContent()
  return { status, body: JSON.parse(text ?? '') }
}
