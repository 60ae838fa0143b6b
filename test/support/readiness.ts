import type { ChildProcess } from './child-process.ts'
import { until } from './until.ts'

/**
 * Waits until a program is ready; one that is not gets killed.
 *
 * @throws {Error} with its output, when it ends first or `limitMs` passes
 */
export async function untilReady(
  child: Pick<ChildProcess, 'isRunning' | 'exited' | 'output' | 'kill'>,
  isReady: () => Promise<boolean>,
  limitMs: number,
): Promise<void> {
  let ready = false
  async function isDecided(): Promise<boolean> {
    ready = await isReady()
    return ready || !child.isRunning()
  }
  await until(isDecided, limitMs, 1).catch(() => undefined)
  if (ready) return
  const problem = child.isRunning()
    ? `not ready within ${limitMs} ms`
    : `exited with code ${await child.exited} before it was ready`
  await child.kill()
  throw new Error(`${problem}:\n${child.output()}`)
}

/** Whether a URL answers with success, by whatever certificate. */
async function answers(url: string): Promise<boolean> {
  try {
    const tls = { rejectUnauthorized: false }
    const response = await fetch(url, { tls, signal: AbortSignal.timeout(1_000) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

/** As {@link untilReady}, for a program that is ready when a URL answers with success. */
export function untilAnswering(child: ChildProcess, url: string, limitMs: number): Promise<void> {
  return untilReady(child, () => answers(url), limitMs)
}
