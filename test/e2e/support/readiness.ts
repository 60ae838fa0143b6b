import type { ChildProcess } from './child-process.ts'

const attemptEveryMs = 50

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
  const exited = process.exited.then((code) => ({ code }))
  const deadline = Date.now() + withinMs
  while (Date.now() < deadline) {
    if (await answers(url)) return
    const end = await Promise.race([exited, Bun.sleep(attemptEveryMs)])
    if (end) throw new Error(`exited with code ${end.code} at start:\n${await process.output()}`)
  }
  throw new Error(`${url} did not answer within ${withinMs} ms:\n${await process.output()}`)
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
