import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type DoctorStage, SERVER_NAME, setDoctorStage } from './stage.ts'

let stage: DoctorStage
beforeAll(async () => {
  stage = await setDoctorStage()
})
afterAll(() => stage.close())

test.each([
  ['mistyped', 'exampel.test'],
  ['in capitals', 'Example.TEST'],
  ['of the host instead of the server', `matrix.${SERVER_NAME}`],
])('takes a name %s for one of two that may be wrong, and looks no further', async (_, typed) => {
  stage.dns.set(`matrix.${SERVER_NAME}`, 'A', { records: ['127.0.0.1'], ttlSeconds: 0 })
  const { codes, findings, exitCode } = await stage.examine({ args: [typed] })
  expect(codes).toEqual(['access.name-misspelt'])
  const problem = findings.find(({ code }) => code !== undefined)
  expect(problem?.found).toBe(
    `users of ${typed} with OpenID tokens are restricted: they cannot start calls; ` +
      `LIVEKIT_FULL_ACCESS_HOMESERVERS has ${SERVER_NAME}`,
  )
  expect(problem?.remedy).toBe(
    `One of the two is wrong: user IDs end with the right one. If they end with ":${typed}", write that ` +
      'in LIVEKIT_FULL_ACCESS_HOMESERVERS, letter for letter; if with the one in the list, leave the ' +
      'list, and run the doctor with that name.',
  )
  const skipped = findings.filter(({ level }) => level === 'skipped').map(({ step }) => step)
  expect(skipped).toEqual(['federation', 'client-api', 'transports'])
  expect(exitCode).toBe(1)
})

test('looks at a homeserver all the same whose name is much like a listed one', async () => {
  const { codes, findings } = await stage.examine({
    env: {
      LIVEKIT_FULL_ACCESS_HOMESERVERS: 'exmaple.test',
      LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.1',
    },
  })
  expect(codes).toEqual(['access.name-misspelt'])
  expect(findings.filter(({ level }) => level === 'skipped')).toEqual([])
})

test('says once that a misspelt list keeps a homeserver in a private network from being asked', async () => {
  const { codes } = await stage.examine({
    env: { LIVEKIT_FULL_ACCESS_HOMESERVERS: 'exmaple.test' },
  })
  expect(codes).toEqual(['access.name-misspelt'])
})
