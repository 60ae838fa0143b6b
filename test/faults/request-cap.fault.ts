import { expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { startStage, stopCalmly } from './support/stage.ts'

setDefaultTimeout(60_000)

// Only the compiled binary raises the cap, so this runs with the faults alone.
const VARIABLE = 'BUN_CONFIG_MAX_HTTP_REQUESTS'

/** What a process was started with, last of all. */
function capOf(pid: number): string | undefined {
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  return environment.find((entry) => entry.startsWith(`${VARIABLE}=`))?.slice(VARIABLE.length + 1)
}

test.each([
  ['not set', {}, '1024'],
  ['empty', { [VARIABLE]: '' }, '1024'],
  ["the operator's own", { [VARIABLE]: '300' }, '300'],
])('raises the cap on requests in the same process, unless it is set: %s', async (_, env, cap) => {
  await using stage = await startStage()
  const service = await stage.start(env)
  expect(capOf(service.pid)).toBe(cap)
  await stopCalmly(service)
  expect(service.output().split('"message":"listening"')).toHaveLength(2)
})
