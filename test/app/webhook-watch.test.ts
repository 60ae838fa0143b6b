import { expect, test } from 'bun:test'
import { watchWebhooks } from '../../src/app/webhook-watch.ts'
import { remedyFor } from '../../src/catalogue/catalogue.ts'
import { createLogger } from '../../src/log.ts'
import { NOW, waiting } from '../support/delegations.ts'

const START = NOW - 60_000
const WARNING = {
  time: expect.any(String),
  level: 'warn',
  message: 'the SFU delivers no webhooks: leaves are noticed late',
  cause: '3 participants have come or left, and no webhook said so',
  code: 'webhook.never-comes',
  remedy:
    'Add the URL of this service with the path /sfu_webhook to "webhook.urls" of LiveKit\'s ' +
    'configuration, with "webhook.api_key" set to LIVEKIT_KEY; the SFU must be able to reach it.',
}

/** A watch since {@link START}, and what it logs. */
function watch(replicas: 'one' | 'several' = 'one') {
  const lines: unknown[] = []
  const logger = createLogger({
    level: 'debug',
    format: 'json',
    remedyFor,
    now: () => NOW,
    write: (line) => lines.push(JSON.parse(line)),
  })
  const webhooks = watchWebhooks(logger, START, replicas)
  return {
    lines,
    webhooks,
    /** Delegations accepted then change their state for these reasons. */
    see(causes: readonly string[], acceptedAt = START) {
      for (const cause of causes) webhooks.noteTransition(waiting({ acceptedAt }), { cause })
    },
  }
}

test('warns when three participants have come or left, and no webhook said so', () => {
  const { lines, see } = watch()
  see(['found present', 'confirmed absent'])
  expect(lines).toEqual([])
  see(['found present'])
  expect(lines).toEqual([WARNING])
})

test('counts leaves alone where another replica may get a webhook a moment later', () => {
  const { lines, see } = watch('several')
  see(Array.from({ length: 10 }, () => 'found present'))
  expect(lines).toEqual([])
  see(['confirmed absent', 'confirmed absent', 'confirmed absent'])
  expect(lines).toEqual([WARNING])
})

test('warns once', () => {
  const { lines, see } = watch()
  see(Array.from({ length: 10 }, () => 'found present'))
  expect(lines).toEqual([WARNING])
})

test('never warns once a webhook has come', () => {
  const { lines, webhooks, see } = watch()
  see(['found present', 'found present'])
  webhooks.noteWebhook()
  see(Array.from({ length: 10 }, () => 'confirmed absent'))
  expect(lines).toEqual([])
})

test('does not count what webhooks say nothing of', () => {
  const { lines, see } = watch()
  see(['accepted', 'sent', 'the wait ran out', 'out of time', 'participant_left'])
  expect(lines).toEqual([])
})

test('does not count those who were there before the start, when webhooks were missed', () => {
  const { lines, see } = watch()
  see(['found present', 'confirmed absent', 'confirmed absent'], START - 1)
  expect(lines).toEqual([])
})
