import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connected } from '../../src/delegation/life/record.ts'
import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import { startSilentListener } from '../support/dead-end.ts'
import { connected } from '../support/delegations.ts'
import { startHomeserver } from '../support/homeserver.ts'
import { startService } from '../support/service-process.ts'
import { until } from '../support/until.ts'
import { required, run, service } from './commands.ts'

let directory = ''
let path = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'test-state-'))
  path = join(directory, 'state.sqlite')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** A delegation whose restart stays due for the whole test. */
function due(): Connected {
  const now = Date.now()
  return connected({
    acceptedAt: now,
    connectedAt: now,
    restartAt: now - 1,
    checkAt: now + 600_000,
    deadlineAt: now + 600_000,
    delayMs: 600_000,
  })
}

async function write(delegation: Connected): Promise<void> {
  const store = new SqliteStore(path)
  await store.put(delegation)
  await store.close()
}

test('a process that finds its port taken does not touch due delegations', async () => {
  await using homeserver = await startHomeserver()
  await using occupier = await startSilentListener()
  const delegation = due()
  await write(delegation)
  const { code } = await run([], {
    ...required,
    LIVEKIT_JWT_BIND: `127.0.0.1:${occupier.port}`,
    LIVEKIT_STATE_FILE: path,
    LIVEKIT_CS_API_URL_OVERRIDES: `example.org=${homeserver.url}`,
  })
  expect(code).toBe(1)
  expect(homeserver.requests).toEqual([])
  const store = new SqliteStore(path)
  const { claimed } = await store.claimDue(Date.now(), 10, 10_000)
  expect(claimed.map((stored) => stored.delegation)).toEqual([delegation])
  await store.close()
})

test('a process that listens acts on delegations that were already due', async () => {
  await using homeserver = await startHomeserver()
  homeserver.scheduleDelayedEvent('delay-1')
  await write(due())
  await using running = await startService({
    command: service,
    env: {
      ...required,
      LIVEKIT_STATE_FILE: path,
      LIVEKIT_CS_API_URL_OVERRIDES: `example.org=${homeserver.url}`,
    },
  })
  await until(() => homeserver.delayedEventCalls.length > 0)
  expect(homeserver.delayedEventCalls.map(({ action }) => action)).toEqual(['restart'])
  await until(() => running.output().includes('"message":"listening"'))
})
