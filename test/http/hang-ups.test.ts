import { expect, test } from 'bun:test'
import { HangUps } from '../../src/http/hang-ups.ts'
import { withDeadline } from '../../src/lib/deadline.ts'
import { until } from '../support/until.ts'

const REASON = new Error('hung up')
const forever = () => new Promise<never>(() => {})

/** A request, its client, and how often the runtime was asked for the signal. */
function requestOf() {
  const client = new AbortController()
  const request = new Request('http://localhost/get_token', { method: 'POST' })
  let asked = 0
  Object.defineProperty(request, 'signal', {
    get() {
      asked += 1
      return client.signal
    },
  })
  return { client, request, asked: () => asked }
}

test('ends what is under way when the client hangs up', async () => {
  const { client, request } = requestOf()
  const work = withDeadline(10_000, new HangUps().of(request), forever)
  await Bun.sleep(200)
  client.abort(REASON)
  await expect(work).rejects.toThrow(REASON)
})

test('ends what is begun after the client has hung up', async () => {
  const { client, request } = requestOf()
  client.abort(REASON)
  const work = withDeadline(10_000, new HangUps().of(request), forever)
  await expect(work).rejects.toThrow(REASON)
})

test('notices it for all that wait, and for those that come later', async () => {
  const hangUps = new HangUps()
  const requests = Array.from({ length: 100 }, requestOf)
  const work = requests.map(async ({ request }, index) => {
    await Bun.sleep(index * 2)
    return withDeadline(10_000, hangUps.of(request), forever)
  })
  for (const { client } of requests) client.abort(REASON)
  const outcomes = await Promise.allSettled(work)
  expect(outcomes.map(({ status }) => status)).toEqual(requests.map(() => 'rejected'))
})

test('a second wait of one request is ended too', async () => {
  const { client, request } = requestOf()
  const hangUp = new HangUps().of(request)
  expect(await withDeadline(10_000, hangUp, async () => 'done')).toBe('done')
  const work = withDeadline(10_000, hangUp, forever)
  client.abort(REASON)
  await expect(work).rejects.toThrow(REASON)
  await expect(withDeadline(10_000, hangUp, forever)).rejects.toThrow(REASON)
})

test('does not ask the runtime about a request that is answered in time', async () => {
  const hangUps = new HangUps()
  const quick = requestOf()
  const slow = requestOf()
  const waiting = withDeadline(200, hangUps.of(slow.request), forever).catch(() => 'late')
  expect(await withDeadline(10_000, hangUps.of(quick.request), async () => 'done')).toBe('done')
  await until(() => slow.asked() > 0)
  expect(await waiting).toBe('late')
  expect([quick.asked(), slow.asked()]).toEqual([0, 1])
})

test('is noticed at once by what needs a signal of the platform', () => {
  const { client, request } = requestOf()
  const signal = new HangUps().of(request).toAbortSignal()
  client.abort(REASON)
  expect([signal.aborted, signal.reason]).toEqual([true, REASON])
})
