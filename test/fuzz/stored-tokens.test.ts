import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { toAdmissions } from '../../src/membership/store/redis-admissions.ts'
import { forAll } from './for-all.ts'
import { anyJson, moment, nearly, nearlyObject, someText } from './values.ts'

const members = {
  expiresAt: moment,
  matrixRoom: someText,
  room: someText,
  identity: someText,
  userId: someText,
}

test('a token is read as it was remembered', async () => {
  await forAll(fc.record(members), (admission) => {
    expect(toAdmissions(JSON.stringify(admission))).toEqual([admission])
  })
})

test('a damaged token is read as one that can be worked with, or not at all', async () => {
  const values = fc.oneof({ weight: 4, arbitrary: nearlyObject(members) }, anyJson)
  const texts = nearly(values.map((value) => JSON.stringify(value) ?? ''))
  const endless = fc.constant(
    '{"expiresAt":1e999,"matrixRoom":"!r:a.b","room":"r","identity":"i","userId":"@u:a.b"}',
  )
  await forAll(fc.oneof({ weight: 50, arbitrary: texts }, endless), (text) => {
    for (const admission of toAdmissions(text)) {
      expect(toAdmissions(JSON.stringify(admission))).toEqual([admission])
    }
  })
})
