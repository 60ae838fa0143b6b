import { afterEach, expect, jest, test } from 'bun:test'
import { Writable } from 'node:stream'
import { createLogOutput, HOLD_MS } from '../../src/log-output.ts'

afterEach(() => {
  jest.useRealTimers()
})

/** An output whose reader takes a chunk when it is told to. */
function openOutput(maxPendingBytes = 10) {
  const read: string[] = []
  const held: (() => void)[] = []
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      read.push(String(chunk))
      held.push(done)
    },
  })
  const output = createLogOutput({
    stream,
    maxPendingBytes,
    onResume: (dropped) => output.write(`<${dropped}>`, 'error'),
  })
  return {
    output,
    read,
    /** The reader takes one chunk. */
    async take(): Promise<void> {
      held.shift()?.()
      await new Promise(setImmediate)
    },
  }
}

test('lines come in order, each at once while the log is read', async () => {
  const { output, read, take } = openOutput()
  for (const line of ['aaaa', 'bbbb', 'cccc']) {
    output.write(line, 'warn')
    await take()
  }
  expect(read).toEqual(['aaaa', 'bbbb', 'cccc'])
})

test('what goes beyond the bound is dropped until all that waits is read, and told once', async () => {
  const { output, read, take } = openOutput()
  for (const line of ['aaaa', 'bbbb', 'cccc', 'd']) output.write(line, 'warn')
  await take()
  output.write('e', 'warn')
  await take()
  output.write('f', 'warn')
  await take()
  await take()
  expect(read).toEqual(['aaaa', 'bbbb', '<3>', 'f'])
})

test('the bound is one of bytes', async () => {
  const { output, read, take } = openOutput()
  for (const line of ['ééé', 'ééé', 'a']) output.write(line, 'warn')
  await take()
  expect(read).toEqual(['ééé', '<2>'])
})

test('flushing waits until all is read, the note about dropped lines included', async () => {
  const { output, read, take } = openOutput()
  for (const line of ['aaaa', 'bbbb', 'cccc']) output.write(line, 'warn')
  let flushed = false
  const flushing = output.flush(60_000, 60_000).then(() => {
    flushed = true
  })
  await take()
  await take()
  expect(flushed).toBe(false)
  await take()
  await flushing
  expect(read).toEqual(['aaaa', 'bbbb', '<1>'])
})

test('flushing gives up on a reader that stands still', async () => {
  const { output, read } = openOutput()
  await output.flush(60_000, 60_000)
  output.write('aaaa', 'warn')
  output.write('bbbb', 'warn')
  await output.flush(1, 60_000)
  expect(read).toEqual(['aaaa'])
})

test('lines of level debug and info are held back and written together', () => {
  jest.useFakeTimers()
  const { output, read } = openOutput()
  output.write('a', 'info')
  output.write('b', 'debug')
  jest.advanceTimersByTime(HOLD_MS - 1)
  expect(read).toEqual([])
  jest.advanceTimersByTime(1)
  expect(read).toEqual(['ab'])
})

test.each(['warn', 'error'] as const)(
  'a line of level %s is written at once, behind those before it',
  (level) => {
    const { output, read } = openOutput()
    output.write('a', 'info')
    output.write('b', level)
    expect(read).toEqual(['ab'])
  },
)

test('lines that are held back count towards the bound', async () => {
  const { output, read, take } = openOutput()
  for (const line of ['aaaa', 'bbbb', 'cccc']) output.write(line, 'info')
  output.release()
  await take()
  expect(read).toEqual(['aaaabbbb', '<1>'])
})

test('no more is held back than one write should take', () => {
  const { output, read } = openOutput(64 * 1024)
  const line = 'x'.repeat(1_024)
  for (let count = 0; count < 17; count += 1) output.write(line, 'info')
  expect(read).toEqual([line.repeat(16)])
  output.release()
})

test('flushing writes what is held back', async () => {
  const { output, read, take } = openOutput()
  output.write('a', 'info')
  const flushing = output.flush(60_000, 60_000)
  await take()
  await flushing
  expect(read).toEqual(['a'])
})

test('flushing ends at its limit, though the log is still read', async () => {
  const { output, read } = openOutput()
  output.write('aaaa', 'warn')
  output.write('bbbb', 'warn')
  await output.flush(60_000, 1)
  expect(read).toEqual(['aaaa'])
})
