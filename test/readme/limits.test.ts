import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { MIN_VERSION } from '../../src/commands/doctor/redis-checks.ts'
import { secretWarning } from '../../src/config/secret-parsers.ts'
import { loadConfig } from '../../src/config.ts'
import { restartIntervalMs } from '../../src/delegation/life/timing.ts'
import { accept } from '../../src/delegation/life/waiting.ts'
import { COMMON_ERRORS } from '../../src/routes/answers.ts'
import { livekitInstallation, synapseInstallation } from '../e2e/installation/versions.ts'
import { CREDENTIAL_SETTINGS } from '../support/credentials.ts'
import { README, ROOT, UNWRAPPED } from './document.ts'

const { config } = loadConfig(
  {
    LIVEKIT_URL: 'wss://livekit.example.com',
    ...CREDENTIAL_SETTINGS,
    LIVEKIT_AS_TOKEN: 'a'.repeat(32),
    LIVEKIT_HS_TOKEN: 'h'.repeat(32),
    LIVEKIT_HS_SERVER_NAME: 'example.com',
  },
  () => '',
)

/** A number that only its own file knows. */
async function numberIn(path: string, pattern: RegExp): Promise<number> {
  const [, digits] = pattern.exec(await Bun.file(join(ROOT, path)).text()) ?? []
  return Number(digits)
}

function shortestGoodSecret(): number {
  let length = 1
  while (secretWarning('x'.repeat(length)) !== undefined) length += 1
  return length
}

/** What is left of a delay when its event is restarted, in per cent. */
function headroom(): number {
  const names = { room: 'r', identity: 'i', generation: 'g', serverName: 'example.com' }
  const circumstances = { now: 0, random: 0, sanityCheckMs: 0 }
  const delegation = accept({ ...names, delayId: 'd', delayMs: 100 }, circumstances)
  return 100 - restartIntervalMs(delegation)
}

const PER_USER = /PER_USER: Rate = \{ perSecond: (\d+),/

/** Every quantity in the README, as it follows from the code. */
const QUANTITIES = [
  `${shortestGoodSecret()} characters`,
  `${config?.addressRate?.perSecond} a second`,
  `${await numberIn('src/http/limits.ts', PER_USER)} a second`,
  `${await numberIn('src/http/json-body.ts', /MAX_JSON_BYTES = (\d+) \* 1024/)} KiB`,
  `${(config?.applicationService?.membershipCheckMs ?? 0) / 1000} s`,
  `${(config?.shutdownGraceMs ?? 0) / 1000} s`,
  `${config?.tokenTtlSeconds} s`,
  `${headroom()} %`,
]

const QUANTITY = /\b\d[\d.,]* (?:s|ms|%|KiB|MiB|MB|characters|minutes|hours|days|a second)(?!\w)/g

/** The status that LiveKit answers with who asks for a room that is not there: see test/e2e/exchange.e2e.ts. */
const NO_ROOM = 404

/** Where there are numbers that a test compares with the code, or that number steps. */
const NUMBERS_WITH_TESTS = [
  /`[^`]*`/g,
  /\[MSC(\d+)\]\([^)]*\/\1\)/g,
  /^(?:\*\*)?\d+\. |\bsteps \d and \d\b/gm,
  QUANTITY,
  /\bports [\d ,and-]+\b/g,
  /\b(?:Bun|Redis|Synapse) \d[\d.]*\d/g,
  /\bwith \d\b/g,
  /\bget the same \d+/g,
  /\brefused with \d+/g,
  new RegExp(`\\b${NO_ROOM} from LiveKit`, 'g'),
]

test('every limit is the one in the code', () => {
  const found = UNWRAPPED.match(QUANTITY)
  expect([...new Set(found)].toSorted()).toEqual(QUANTITIES.toSorted())
})

test('what is refused is refused with a status of ours', () => {
  const statuses = [...UNWRAPPED.matchAll(/\brefused with (\d+)/g)].map(([, status = '']) => status)
  expect(statuses.length).toBe(1)
  expect(Object.keys(COMMON_ERRORS)).toEqual(expect.arrayContaining(statuses))
})

test('no number is without a test', () => {
  const rest = NUMBERS_WITH_TESTS.reduce((text, form) => text.replaceAll(form, ''), UNWRAPPED)
  expect(rest.match(/.*\d.*/g)).toBeNull()
})

test('Redis is as new as the doctor demands', () => {
  expect(UNWRAPPED.match(/\bRedis \d[\d.]*\d[^,]*/g)).toEqual([
    `Redis ${MIN_VERSION.join('.')} or newer`,
  ])
})

test('Synapse and LiveKit are those that are tested with', () => {
  const [, synapse = 'none'] = /Synapse (\d[\d.]*\d)/.exec(README) ?? []
  expect(synapseInstallation.requirement).toContain(`==${synapse}.`)
  const [, liveKit = 'none'] = /livekit-server:v(\S+)/.exec(README) ?? []
  expect(livekitInstallation.goPackage).toEndWith(`@v${liveKit}`)
})
