import { until } from '../../support/until.ts'
import type { ChildProcess } from './child-process.ts'

/**
 * Waits until a URL answers with success.
 *
 * @throws {Error} With the output of the process, when it exits first or `withinMs` passes.
 */
export async function untilAnswering(
  url: string,
  process: ChildProcess,
  withinMs: number,
): Promise<void> {
  let endedWith: number | undefined
  process.exited.then((code) => {
    endedWith = code
  })
  const answered = await until(
    async () => endedWith !== undefined || (await answers(url)),
    withinMs,
  ).catch(() => false)
  if (endedWith !== undefined) {
    throw new Error(`exited with code ${endedWith} at start:\n${await process.output()}`)
  }
  if (!answered) {
    throw new Error(`${url} did not answer within ${withinMs} ms:\n${await process.output()}`)
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}
