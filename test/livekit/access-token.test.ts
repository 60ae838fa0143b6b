import { expect, test } from 'bun:test'
import { compactVerify, jwtVerify } from 'jose'
import { createTokenSigner } from '../../src/livekit/access-token.ts'
import { CREDENTIALS } from '../support/credentials.ts'

const NOW = () => Date.UTC(2026, 0, 2, 3, 4, 5, 678)

test('signs exactly the token that the SFU and the clients expect', async () => {
  const signer = createTokenSigner(CREDENTIALS, NOW)
  const jwt = signer.participantToken(
    {
      room: 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc',
      identity: 'J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU',
      canPublish: true,
      canUpdateOwnMetadata: false,
    },
    3600,
  )
  const verified = await compactVerify(jwt, new TextEncoder().encode(CREDENTIALS.apiSecret))
  expect(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).toBe(
    '{"alg":"HS256","typ":"JWT"}',
  )
  expect(Buffer.from(verified.payload).toString()).toBe(
    '{"iss":"devkey","sub":"J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU","video":{' +
      '"room":"O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc","roomJoin":true,"roomCreate":false,' +
      '"canPublish":true,"canSubscribe":true,"canUpdateOwnMetadata":false},' +
      '"nbf":1767323045,"exp":1767326645}',
  )
})

test.each([
  ['a plain secret', 'secret', 'identity'],
  ['a secret longer than a block of the hash', 'x'.repeat(200), 'identity'],
  ['a secret and an identity beyond ASCII', 'Schlüssel🔑', '@zoë:example.com:Gerät🎧'],
])(
  'what is signed with %s is verified with it, and with no other',
  async (_, apiSecret, identity) => {
    const signer = createTokenSigner({ apiKey: 'devkey', apiSecret }, NOW)
    const participation = { room: 'room', identity, canPublish: true, canUpdateOwnMetadata: true }
    const jwt = signer.participantToken(participation, 3600)
    const verify = (secret: string) =>
      jwtVerify(jwt, new TextEncoder().encode(secret), { currentDate: new Date(NOW()) })
    expect((await verify(apiSecret)).payload.sub).toBe(identity)
    await expect(verify(`${apiSecret}x`)).rejects.toThrow('signature verification failed')
  },
)

test('grants an API token nothing but what is asked for', () => {
  const signer = createTokenSigner(CREDENTIALS, NOW)
  const jwt = signer.apiToken({ roomCreate: true }, 600)
  const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()
  expect(payload).toBe(
    '{"iss":"devkey","video":{"roomCreate":true},"nbf":1767323045,"exp":1767323645}',
  )
})
