import { expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { membersPath, ROOM_ID, startEnforcementStage } from '../support/enforcement-stage.ts'
import { until } from '../support/until.ts'

const ALICE = '@alice:example.com'
const BOB = '@bob:example.com'
const LIMIT_MS = 6_000

async function startWithFile() {
  const directory = await mkdtemp(join(tmpdir(), 'test-membership-'))
  const env = { LIVEKIT_STATE_FILE: join(directory, 'state.sqlite') }
  return {
    stage: await startEnforcementStage({ env }),
    env,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

test.concurrent('after a restart the checks go on, for those who joined before and for old tokens', async () => {
  await using setup = await startWithFile()
  await using stage = setup.stage
  const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
  const late = await stage.admit('@late:example.com')
  await stage.join(alice)
  await stage.join(bob)
  await stage.app.close()
  stage.api.leave(ROOM_ID, BOB)
  stage.api.leave(ROOM_ID, '@late:example.com')

  const app = await stage.startReplica()
  await until(() => stage.removals().length > 0, LIMIT_MS)
  expect(stage.removals()).toEqual([bob.identity])
  await stage.join(late, app)
  await until(() => stage.removals().length > 1, LIMIT_MS)
  expect(stage.removals()).toEqual([bob.identity, late.identity])
})

test.concurrent('a check that was under way at the stop is done by the next process', async () => {
  await using setup = await startWithFile()
  await using stage = setup.stage
  const bob = await stage.admit(BOB)
  await stage.admit(ALICE)
  stage.homeserver.respond(membersPath(), { kind: 'hang' })
  stage.connect(bob)
  stage.api.leave(ROOM_ID, BOB)
  await until(() => stage.listings() === 1, LIMIT_MS)
  const startedAt = performance.now()
  await stage.app.close()
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  stage.homeserver.restore()
  await stage.startReplica()
  await until(() => stage.removals().length > 0, LIMIT_MS)
  expect(stage.app.log.filter(({ level }) => level === 'error')).toEqual([])
})
