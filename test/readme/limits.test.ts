import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { secretWarning } from '../../src/config/secret-parsers.ts'
import { loadConfig } from '../../src/config.ts'
import { restartIntervalMs } from '../../src/delegation/life/timing.ts'
import { accept } from '../../src/delegation/life/waiting.ts'
import { livekitInstallation, synapseInstallation } from '../e2e/installation/versions.ts'
import { CREDENTIAL_SETTINGS } from '../support/credentials.ts'
import { PROSE, README, ROOT } from './document.ts'

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

test('every limit is the one in the code', () => {
  const found = PROSE.match(
    /\b\d[\d.,]* (?:s|ms|%|KiB|MiB|MB|characters|minutes|hours|days|a second)(?!\w)/g,
  )
  expect([...new Set(found)].toSorted()).toEqual(QUANTITIES.toSorted())
})

test('Synapse and LiveKit are those that are tested with', () => {
  const [, synapse = 'none'] = /Synapse (\d[\d.]*\d)/.exec(README) ?? []
  expect(synapseInstallation.requirement).toContain(`==${synapse}.`)
  const [, liveKit = 'none'] = /livekit-server:v(\S+)/.exec(README) ?? []
  expect(livekitInstallation.goPackage).toEndWith(`@v${liveKit}`)
})
