import { expect, test } from 'bun:test'
import { startService } from '../support/service-process.ts'
import { openUnreadPipe, type UnreadPipe } from '../support/unread-pipe.ts'
import { logLines, required, service } from './commands.ts'

/** Bytes that the service keeps of an unread log, plus those in a Linux pipe. */
const MOST_BYTES = 1024 * 1024 + 64 * 1024
const DROPPED = 'log lines were dropped: nobody read them'

async function startWith(pipe: UnreadPipe) {
  const options = { command: service, env: required, descriptor: pipe.writeEnd }
  const running = await startService(options)
  pipe.closeWriteEnd()

  async function send(id: number): Promise<void> {
    const headers = { 'X-Request-Id': `${id}-${'x'.repeat(100)}` }
    const response = await fetch(`${running.url}/get_token`, { method: 'POST', body: '{', headers })
    expect(response.status).toBe(400)
  }

  return {
    ...running,
    /** Sends requests one after another; the IDs say which. */
    async sendAll(from: number, to: number): Promise<void> {
      for (let id = from; id < to; id += 50) {
        await Promise.all(Array.from({ length: Math.min(50, to - id) }, (_, n) => send(id + n)))
      }
    },
  }
}

/** Reads until the text contains this, or to the end; the pauses make a slow reader. */
async function readUntil(pipe: UnreadPipe, part: string | undefined, pauseMs = 1): Promise<string> {
  let text = ''
  while (part === undefined || !text.includes(part)) {
    const read = pipe.readNow()
    if (read === undefined) return text
    text += read
    if (read === '' || pauseMs > 1) await Bun.sleep(pauseMs)
  }
  return text
}

test('keeps little of an unread log, and counts dropped lines', async () => {
  using pipe = openUnreadPipe()
  const running = await startWith(pipe)
  await running.sendAll(0, 6_000)
  const unread = await readUntil(pipe, DROPPED)
  expect(Buffer.byteLength(unread)).toBeLessThan(MOST_BYTES)
  expect(Buffer.byteLength(unread)).toBeGreaterThan(1024 * 1024)

  await running.sendAll(6_000, 6_010)
  running.signal('SIGTERM')
  const rest = await readUntil(pipe, undefined)
  expect(await running.exited).toBe(0)

  const lines = logLines(unread + rest)
  const gaps = lines.filter(({ message }) => message === DROPPED)
  const requests = lines.filter(({ message }) => message === 'request')
  expect(gaps).toEqual([
    { time: expect.any(String), level: 'error', message: DROPPED, dropped: expect.any(Number) },
  ])
  expect(requests.length + Number(gaps[0]?.dropped)).toBe(6_010)
  expect(requests.length).toBeGreaterThan(2_500)
  const times = lines.map(({ time }) => String(time))
  expect(times).toEqual(times.toSorted())
  expect(lines.at(-1)?.message).toBe('stopped')
  // The line of the last request is written after its answer, so perhaps after the signal.
  const others = lines.map(({ message }) => message).filter((message) => message !== 'request')
  expect(others.slice(-2)).toEqual(['shutting down', 'stopped'])
})

test('waits at exit for a slow reader of the log', async () => {
  using pipe = openUnreadPipe()
  const running = await startWith(pipe)
  await running.sendAll(0, 1_000)
  running.signal('SIGTERM')
  const lines = logLines(await readUntil(pipe, undefined, 50))
  expect(await running.exited).toBe(0)
  expect(lines.filter(({ message }) => message === 'request')).toHaveLength(1_000)
  expect(lines.at(-1)?.message).toBe('stopped')
})

test('an unread log does not block the exit', async () => {
  using pipe = openUnreadPipe()
  const running = await startWith(pipe)
  await running.sendAll(0, 1_000)
  running.signal('SIGTERM')
  expect(await running.exited).toBe(0)
})
