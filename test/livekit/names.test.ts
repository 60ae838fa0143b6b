import { expect, test } from 'bun:test'
import { identityOf, LEGACY_SLOT_ID, liveKitRoom } from '../../src/livekit/names.ts'

test('names the LiveKit room by the hash of room ID and slot ID', () => {
  expect(liveKitRoom('!roomid:example.com', 'slot1234')).toBe(
    'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc',
  )
})

test('names the LiveKit room of a legacy request by the slot that it means', () => {
  expect(LEGACY_SLOT_ID).toBe('m.call#ROOM')
  expect(liveKitRoom('!room:example.com', LEGACY_SLOT_ID)).toBe(
    'krj2dgxw2K6EOm9he4GfQJ6JsSVWfJ8a7BkyjZcSmxs',
  )
})

test('derives the identity of a member from user ID, device ID and member ID', () => {
  const device = { form: 'member', deviceId: 'DEVICE123', memberId: 'memberABC' } as const
  expect(identityOf('@alice:example.com', device)).toBe(
    'J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU',
  )
})

test('leaves the identity of a legacy request in plain text', () => {
  const device = { form: 'legacy', deviceId: 'DEVICE123' } as const
  expect(identityOf('@alice:example.com', device)).toBe('@alice:example.com:DEVICE123')
})

test('hashes characters that JSON encoders like to escape as they are', () => {
  expect(liveKitRoom('!<&>:é.example\u2028', 'a"b\\c\n')).toBe(
    'Jj4h5Pqv4JZfXjvuFCglYBtRTMpZYFVP6rEe6Rya5X8',
  )
})
