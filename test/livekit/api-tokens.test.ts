import { expect, test } from 'bun:test'
import { createApiTokens } from '../../src/livekit/api-tokens.ts'

const NOW = 1_000_000_000
const MINUTE_MS = 60_000

function setTokens() {
  const state = { now: NOW, signed: 0 }
  const signer = {
    participantToken: () => 'not asked for',
    apiToken(grant: object) {
      state.signed += 1
      return `${JSON.stringify(grant)} ${state.signed}`
    },
  }
  return { state, tokens: createApiTokens(signer, () => state.now) }
}

test('a token is for one purpose and one room, and used again for 5 min', () => {
  const { state, tokens } = setTokens()
  for (const minutes of [0, 1, 5]) {
    state.now = NOW + minutes * MINUTE_MS
    expect(tokens.roomCreation()).toBe('{"roomCreate":true} 1')
    expect(tokens.roomAdmin('a')).toBe('{"roomAdmin":true,"room":"a"} 2')
    expect(tokens.roomAdmin('b')).toBe('{"roomAdmin":true,"room":"b"} 3')
  }
  state.now += 1
  expect(tokens.roomAdmin('b')).toBe('{"roomAdmin":true,"room":"b"} 4')
  expect(tokens.roomCreation()).toBe('{"roomCreate":true} 5')
})

test('a clock that is set back makes tokens new', () => {
  const { state, tokens } = setTokens()
  tokens.roomAdmin('a')
  state.now -= 5 * MINUTE_MS + 1
  expect(tokens.roomAdmin('a')).toBe('{"roomAdmin":true,"room":"a"} 2')
})

test('no more than 2,000 rooms are held', () => {
  const { state, tokens } = setTokens()
  for (let room = 0; room <= 2_000; room += 1) tokens.roomAdmin(`${room}`)
  expect(state.signed).toBe(2_001)
  expect(tokens.roomAdmin('2000')).toBe('{"roomAdmin":true,"room":"2000"} 2001')
  expect(tokens.roomAdmin('0')).toBe('{"roomAdmin":true,"room":"0"} 2002')
})
