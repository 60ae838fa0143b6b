import { expect, test } from 'bun:test'
import { runScript } from '../support/script-process.ts'
import { until } from '../support/until.ts'

const SCRIPT = `
import { reportInternalErrors } from '#src/commands/internal-errors.ts'
import { createLogger } from '#src/log.ts'

const write = (line) => process.stdout.write(line)
reportInternalErrors(createLogger({ level: 'info', format: 'json', now: Date.now, write }))
Promise.reject(new TypeError('a secret that nobody caught'))
setTimeout(() => { throw new RangeError('another secret') }, 10)
setTimeout(() => process.stdout.write('still alive'), 100)
`

test('logs uncaught errors without their message, and keeps running', async () => {
  const script = runScript(SCRIPT)
  await until(() => script.output().includes('still alive'))
  expect(await script.exited).toBe(0)
  expect(script.output()).toContain('"message":"internal error: please report this line"')
  expect(script.output()).toContain('"cause":"TypeError"')
  expect(script.output()).toContain('"cause":"RangeError"')
  expect(script.output()).not.toContain('secret')
})
