import { expect, test } from 'bun:test'
import { cacheLifetimeMs } from '../../src/net/cache-lifetime.ts'

const NOW = Date.UTC(2030, 0, 1)
const BOUNDS = { defaultMs: 86_400_000, maxMs: 172_800_000 }

for (const [headers, lifetimeMs] of [
  [{}, 86_400_000],
  [{ 'cache-control': '' }, 86_400_000],
  [{ 'cache-control': 'public' }, 86_400_000],
  [{ 'cache-control': 'max-age=600' }, 600_000],
  [{ 'cache-control': 'public, MAX-AGE=600, immutable' }, 600_000],
  [{ 'cache-control': 'max-age="600"' }, 600_000],
  [{ 'cache-control': 's-maxage=5, max-age=600' }, 600_000],
  [{ 'cache-control': 's-maxage=5' }, 86_400_000],
  [{ 'cache-control': 'max-age=0' }, 0],
  [{ 'cache-control': 'max-age=172801' }, 172_800_000],
  [{ 'cache-control': 'max-age=999999999999999999' }, 172_800_000],
  [{ 'cache-control': 'max-age=-1' }, 86_400_000],
  [{ 'cache-control': 'max-age=soon' }, 86_400_000],
  [{ 'cache-control': 'no-store' }, 0],
  [{ 'cache-control': 'no-cache, max-age=600' }, 0],
  [{ 'cache-control': 'max-age=600, no-store' }, 0],
  [{ 'cache-control': 'x-no-storey, max-age=600' }, 600_000],
  [{ expires: 'Tue, 01 Jan 2030 00:10:00 GMT' }, 600_000],
  [{ expires: 'Mon, 31 Dec 2029 23:00:00 GMT' }, 0],
  [{ expires: 'Wed, 01 Jan 2031 00:00:00 GMT' }, 172_800_000],
  [{ expires: '0' }, 0],
  [{ expires: 'nonsense' }, 0],
  [{ 'cache-control': 'max-age=60', expires: 'Tue, 01 Jan 2030 00:10:00 GMT' }, 60_000],
] as const) {
  test(`an answer with ${JSON.stringify(headers)} may be used for ${lifetimeMs} ms`, () => {
    expect(cacheLifetimeMs(new Headers(headers), NOW, BOUNDS)).toBe(lifetimeMs)
  })
}
