import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { registrationText } from '../../src/commands/registration-text.ts'
import { createSettingsReader } from '../../src/config/reader.ts'
import { mayCoverUsersOf, readRegistration } from '../../src/config/registration-file.ts'
import { forAll } from './for-all.ts'
import { anyJson, anyText, nearly, nearlyObject, serverName, url } from './values.ts'

function registrationIn(file: string) {
  const reader = createSettingsReader({}, () => file)
  const registration = readRegistration(reader, 'LIVEKIT_AS_REGISTRATION_FILE', '/r.yaml')
  return { registration, problems: reader.problems }
}

const token = fc.stringMatching(/^[!-~]{1,40}$/)

test('the registration that the command prints is read as it was meant', async () => {
  const drafts = fc
    .record({ url, serverName, asToken: token, hsToken: token })
    .filter(({ asToken, hsToken }) => asToken !== hsToken)
  await forAll(drafts, (draft) => {
    const { registration, problems } = registrationIn(registrationText(draft))
    expect(problems).toEqual([])
    if (registration === undefined) return expect.unreachable()
    expect(registration).toMatchObject({ asToken: draft.asToken, hsToken: draft.hsToken })
    expect(mayCoverUsersOf(draft.serverName, registration)).toBe(true)
  })
})

const file = nearlyObject({
  as_token: token,
  hs_token: token,
  proxy_prefix: fc.constantFrom('rtc/livekit', 'rtc/livekit/', null),
  scopes: fc.array(nearly(fc.constant('urn:matrix:client:rooms:is_joined'))),
  namespaces: nearlyObject({ users: fc.array(nearlyObject({ regex: anyText })) }),
})

test('a file of any kind is a registration, or a problem is noted', async () => {
  const files = fc.oneof(
    { weight: 4, arbitrary: file.map((value) => JSON.stringify(value)) },
    anyJson.map((value) => JSON.stringify(value) ?? ''),
    fc.constantFrom('a: &a [*a]', '<<: *x', 'a: !!js/function x', '--- a\n--- b', '? [a]: b', '\t'),
  )
  await forAll(fc.tuple(nearly(files), serverName), ([text, name]) => {
    const { registration, problems } = registrationIn(text)
    if (registration === undefined) return expect(problems).not.toEqual([])
    mayCoverUsersOf(name, registration)
    const { asToken, hsToken, userNamespaces } = registration
    const users = userNamespaces.map((regex) => ({ regex }))
    const again = JSON.stringify({ as_token: asToken, hs_token: hsToken, namespaces: { users } })
    expect(registrationIn(again).registration).toEqual(registration)
  })
})

test('a namespace of the users of a server is never taken for one of others', async () => {
  const prefix = fc.constantFrom('@.*:', '^@.*:', '@[^:]*:', '@a:', '@.+:')
  await forAll(fc.tuple(prefix, serverName, fc.constantFrom('', '$')), ([start, name, end]) => {
    const escaped = name.replace(/[.[\]]/g, '\\$&')
    const users = [{ regex: `${start}${escaped}${end}` }]
    expect(
      mayCoverUsersOf(name, {
        asToken: '',
        hsToken: '',
        userNamespaces: users.map((u) => u.regex),
      }),
    ).toBe(true)
  })
})
