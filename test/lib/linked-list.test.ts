import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Linked, LinkedList } from '../../src/lib/linked-list.ts'

interface Member extends Linked<Member> {
  readonly name: number
}

function namesOf({ first }: LinkedList<Member>): number[] {
  const names: number[] = []
  for (let member = first; member !== undefined; member = member.next) names.push(member.name)
  return names
}

test('holds what a set holds, in the same order, whatever is added and removed', () => {
  const changes = fc.array(fc.tuple(fc.boolean(), fc.nat(5)), { maxLength: 60 })
  fc.assert(
    fc.property(changes, (steps) => {
      const members = Array.from({ length: 6 }, (_, name): Member => ({ name }))
      const list = new LinkedList<Member>()
      const set = new Set<number>()
      for (const [isAddition, name] of steps) {
        const member = members[name] as Member
        if (!isAddition) expect(list.remove(member)).toBe(set.delete(name))
        else if (!set.has(name)) {
          list.add(member)
          set.add(name)
        }
        expect(namesOf(list)).toEqual([...set])
        expect(list.size).toBe(set.size)
      }
    }),
  )
})
