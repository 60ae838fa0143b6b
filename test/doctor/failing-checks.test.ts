import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { doctor } from '../../src/commands/doctor/doctor.ts'
import { CREDENTIAL_SETTINGS } from '../support/credentials.ts'
import { reply } from '../support/misbehaviour.ts'
import { type DoctorStage, setDoctorStage } from './stage.ts'

let stage: DoctorStage
beforeAll(async () => {
  stage = await setDoctorStage()
})
afterAll(() => stage.close())

const FORBIDDEN = reply(403, { code: 'permission_denied', msg: 'no' })

test('says that the SFU refuses to create rooms, and looks at everything else', async () => {
  const { codes, findings } = await stage.examine({
    args: [],
    misbehave: ({ respond }) => respond('CreateRoom', FORBIDDEN),
  })
  expect(codes).toEqual(['sfu.call-refused'])
  expect(findings.map(({ step, level }) => `${step} ${level}`)).toEqual([
    'configuration ok',
    'sfu ok',
    'signalling problem',
    'federation skipped',
    'state ok',
    'service ok',
    'webhooks skipped',
  ])
})

test('says that the SFU refuses to close rooms', async () => {
  const { codes, findings } = await stage.examine({
    args: [],
    misbehave: ({ respond }) => respond('DeleteRoom', FORBIDDEN),
  })
  expect(codes).toEqual(['sfu.call-refused'])
  expect(findings.at(-1)).toMatchObject({ step: 'webhooks', level: 'problem' })
})

test.each([
  ['a directory', (path: string) => mkdir(path)],
  ['a pipe', (path: string) => Bun.$`mkfifo ${path}`.then(() => {})],
])('finds a state file that is %s', async (_, make) => {
  const folder = await mkdtemp(join(tmpdir(), 'test-doctor-'))
  const path = join(folder, 'state.sqlite')
  await make(path)
  const { codes } = await stage.examine({ args: [], env: { LIVEKIT_STATE_FILE: path } })
  await rm(folder, { recursive: true })
  expect(codes).toEqual(['store.file-unusable'])
})

test('ends with all findings when every answer of the homeserver drips', async () => {
  const { codes, findings } = await stage.examine({
    homeserver({ respond }) {
      respond('/*', { kind: 'slow-body', everyMs: 100, body: 'x'.repeat(1_000) })
    },
  })
  expect(codes).toEqual(['federation.timeout'])
  expect(findings.find(({ step }) => step === 'client-api')).toMatchObject({ level: 'skipped' })
  expect(findings.at(-1)).toMatchObject({ step: 'webhooks', level: 'ok' })
})

test('loses no other finding by a fault of its own, and shows no message of it', async () => {
  const written: string[] = []
  const write = (text: string) => void written.push(text)
  const env = {
    LIVEKIT_URL: 'ws://127.0.0.1:1',
    LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.test',
    ...CREDENTIAL_SETTINGS,
  }
  const exitCode = await doctor(
    ['--json'],
    env,
    { out: write, err: write },
    {
      version: '0.0.0-test',
      isTerminal: false,
      now() {
        throw new RangeError('something secret')
      },
    },
  )
  const { findings } = JSON.parse(written.join(''))
  expect(findings.slice(1, 4)).toMatchObject([
    {
      step: 'sfu',
      level: 'problem',
      found: 'RangeError (no code)',
      code: 'doctor.check-failed',
    },
    { step: 'federation', level: 'skipped' },
    { step: 'state', level: 'ok' },
  ])
  expect(written.join('')).not.toContain('something secret')
  expect(exitCode).toBe(1)
})
