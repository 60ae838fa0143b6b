import { expect, test } from 'bun:test'
import { Writable } from 'node:stream'
import { createLogOutput } from '../../src/log-output.ts'

/** An output of 10 bytes, whose reader takes a chunk when it is told to. */
function openOutput() {
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
    maxPendingBytes: 10,
    onResume: (dropped) => output.write(`<${dropped}>`),
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
    output.write(line)
    await take()
  }
  expect(read).toEqual(['aaaa', 'bbbb', 'cccc'])
})

test('what goes beyond the bound is dropped until all that waits is read, and told once', async () => {
  const { output, read, take } = openOutput()
  for (const line of ['aaaa', 'bbbb', 'cccc', 'd']) output.write(line)
  await take()
  output.write('e')
  await take()
  output.write('f')
  await take()
  await take()
  expect(read).toEqual(['aaaa', 'bbbb', '<3>', 'f'])
})

test('the bound is one of bytes', async () => {
  const { output, read, take } = openOutput()
  for (const line of ['ééé', 'ééé', 'a']) output.write(line)
  await take()
  expect(read).toEqual(['ééé', '<2>'])
})

test('flushing waits until all is read, the note about dropped lines included', async () => {
  const { output, read, take } = openOutput()
  for (const line of ['aaaa', 'bbbb', 'cccc']) output.write(line)
  let flushed = false
  const flushing = output.flush(60_000).then(() => {
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
  await output.flush(60_000)
  output.write('aaaa')
  output.write('bbbb')
  await output.flush(1)
  expect(read).toEqual(['aaaa'])
})
