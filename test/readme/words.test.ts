import { beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { Glob } from 'bun'
import { CATALOGUE } from '../../src/catalogue/catalogue.ts'
import { besideJobs } from '../../src/delegation/store/redis-keys.ts'
import { startTestApp } from '../support/app.ts'
import { until } from '../support/until.ts'
import { BLOCKS, NEW_SECRET, ROOT, SPANS, UNWRAPPED } from './document.ts'

/** Words of other programs that nothing of ours says. */
const FOREIGN: Readonly<Record<string, string>> = {
  curl: 'what the demo prints, and health checks of other images use',
  matrix2: 'the name that a command gives to a new key',
  RUST_LOG: 'a variable of jwt-service-rs',
  BUN_OPTIONS: 'a variable of the runtime',
}

/** What is between backticks and has tests of its own, by what it looks like. */
const TESTED_ELSEWHERE = [
  /^LIVEKIT_[A-Z_*]+$/,
  /^jwt-service /,
  /^(?:bun|npx --yes bun@[\d.]+)(?: run .*)?$/,
  /^(?:https:\/\/example\.com)?\//,
  /^(?:src|test|\.ci)\//,
  /^--/,
]

/** Files outside of `src` whose words count too. */
const OTHER_FILES = ['Dockerfile', 'package.json', 'test/setup.ts']

/** All that the code says; comments and types do not count. */
let vocabulary = ''

beforeAll(async () => {
  const transpiler = new Bun.Transpiler({ loader: 'ts' })
  const sources = [...new Glob('src/**/*').scanSync(ROOT)].filter((path) => !path.endsWith('.d.ts'))
  const texts = [...sources, ...OTHER_FILES].map(async (path) => {
    const text = await Bun.file(join(ROOT, path)).text()
    return path.endsWith('.ts') ? transpiler.transformSync(text) : text
  })
  // These are put together while the program runs.
  const made = [...Object.keys(CATALOGUE), besideJobs('*')]
  vocabulary = [...(await Promise.all(texts)), ...made].join('\n')
})

/** Whether a text is said, and not only as a part of a longer word. */
function isSaid(text: string): boolean {
  const [first = '', ...others] = vocabulary.split(text)
  let before = first
  for (const after of others) {
    if (!/[\w-]$/.test(before) && !/^[\w-]/.test(after)) return true
    before = after
  }
  return false
}

/** Whether a text is a command that is run by another test. */
function isRun(text: string): boolean {
  const lines = BLOCKS.filter(({ language }) => language === 'sh').map((block) => block.text)
  return NEW_SECRET.commands.includes(text) || lines.join('').split('\n').includes(text)
}

test('every word between backticks is one of the code, or has a reason to be another', () => {
  const words = SPANS.filter((text) => !TESTED_ELSEWHERE.some((form) => form.test(text)))
  expect(words.length).toBeGreaterThan(40)
  const unknown = words.filter((text) => {
    const asInExamples = text.replaceAll('your.server.name', 'example.com')
    return !Object.hasOwn(FOREIGN, text) && !isRun(text) && !isSaid(asInExamples)
  })
  expect(unknown).toEqual([])
})

test('no word has a reason to be there, and is not there', () => {
  expect(Object.keys(FOREIGN).filter((word) => !SPANS.includes(word))).toEqual([])
})

test('a refusal is answered and logged as described', async () => {
  const [, status, fields = '', header = ''] =
    /get the same (\d+).* The log has ([^:]*): look there for the `([^`]*)`/.exec(UNWRAPPED) ?? []
  await using app = await startTestApp()
  const response = await app.post('/get_token', {
    room_id: '!room:example.com',
    slot_id: 'm.call#ROOM',
    openid_token: { access_token: 'a', matrix_server_name: '127.0.0.1:1' },
    member: { id: 'm', claimed_user_id: '@a:127.0.0.1:1', claimed_device_id: 'D' },
  })
  expect(`${response.status}`).toBe(`${status}`)
  const id = response.headers.get(`${header}`)
  expect(id).toBeString()
  const line = await until(() => app.log.find(({ request_id }) => request_id === id))
  const named = [...fields.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
  expect(named.length).toBe(3)
  expect(Object.keys(line)).toEqual(expect.arrayContaining(named))
})
