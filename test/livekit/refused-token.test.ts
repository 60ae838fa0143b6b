import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createTokenSigner } from '../../src/livekit/access-token.ts'
import { createRoomService } from '../../src/livekit/room-service.ts'
import { SfuError } from '../../src/livekit/sfu-error.ts'
import { CREDENTIALS } from '../support/credentials.ts'
import { reply } from '../support/misbehaviour.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'

let sfu: Sfu
beforeAll(async () => {
  sfu = await startSfu(CREDENTIALS)
})
afterAll(() => sfu.close())

/** What a check of the SFU fails with, when its middleware refuses the token in plain text. */
async function failureWith(text: string) {
  const plain = { 'content-type': 'text/plain; charset=utf-8' }
  sfu.respond('ListRooms', reply(401, text, plain))
  const signer = createTokenSigner(CREDENTIALS, Date.now)
  const rooms = createRoomService({ sfuUrl: sfu.wsUrl, signer, now: Date.now })
  const error: unknown = await rooms.check().catch((thrown: unknown) => thrown)
  if (!(error instanceof SfuError)) throw new Error('the check did not fail')
  return error
}

// As LiveKit 1.13.5 has them.
test.each([
  ['invalid API key: devkey', ': it does not know the API key'],
  [
    'invalid token: eyJh.eyJ2.sig, error: go-jose/go-jose: error in cryptographic primitive',
    ': it knows the API key, but the secret or the clock differs',
  ],
  ['go away', ''],
])('tells why LiveKit refuses a token: %s', async (text, meaning) => {
  const { twirpCode, trouble } = await failureWith(text)
  expect(twirpCode).toBe('unauthenticated')
  expect(trouble).toEqual({
    code: 'sfu.wrong-credentials',
    found: `status 401 at ${sfu.url}/twirp/livekit.RoomService/ListRooms${meaning}`,
  })
})
