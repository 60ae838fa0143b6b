import { expect } from 'bun:test'
import type { Sfu } from '../../support/sfu.ts'
import { until } from '../../support/until.ts'
import { type Caller, createCaller, type Reachable } from './caller.ts'
import type { Stage } from './stage.ts'

/** A client that has handed over its leave event and is known to be connected. */
export async function connectedCaller(
  stage: Stage & { readonly sfu: Sfu },
  service: Reachable,
  delayMs: number,
): Promise<Caller> {
  const caller = createCaller({ home: stage, sfu: stage.sfu, delayMs })
  expect((await caller.delegate(service)).status).toBe(200)
  expect((await caller.join(service)).status).toBe(200)
  await until(() => stage.events.restarts(caller.delayId).length > 0)
  return caller
}
