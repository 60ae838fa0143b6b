import { expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { createTokenSigner } from '../../src/livekit/access-token.ts'
import { CREDENTIALS } from '../support/credentials.ts'

const NOW = () => Date.UTC(2026, 0, 2, 3, 4, 5, 678)

test('signs exactly the token that the SFU and the clients expect', async () => {
  const signer = await createTokenSigner(CREDENTIALS, NOW)
  const jwt = await signer.participantToken(
    {
      room: 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc',
      identity: 'J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU',
      canPublish: true,
      canUpdateOwnMetadata: false,
    },
    3600,
  )
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  expect(Buffer.from(header, 'base64url').toString()).toBe('{"alg":"HS256","typ":"JWT"}')
  expect(Buffer.from(payload, 'base64url').toString()).toBe(
    '{"iss":"devkey","sub":"J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU","video":{' +
      '"room":"O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc","roomJoin":true,"roomCreate":false,' +
      '"canPublish":true,"canSubscribe":true,"canUpdateOwnMetadata":false},' +
      '"nbf":1767323045,"exp":1767326645}',
  )
  const expected = createHmac('sha256', CREDENTIALS.apiSecret).update(`${header}.${payload}`)
  expect(signature).toBe(expected.digest('base64url'))
})

test('grants an API token nothing but what is asked for', async () => {
  const signer = await createTokenSigner(CREDENTIALS, NOW)
  const jwt = await signer.apiToken({ roomCreate: true }, 600)
  const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()
  expect(payload).toBe(
    '{"iss":"devkey","video":{"roomCreate":true},"nbf":1767323045,"exp":1767323645}',
  )
})
