import { afterAll, beforeAll, expect, test } from 'bun:test'
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
