/** What can be a member of a {@link LinkedList}, of one at a time. The list alone changes these. */
export interface Linked<T> {
  previous?: T | undefined
  next?: T | undefined
}

/**
 * A list whose members know their neighbours: adding and removing one makes no garbage, unlike a `Set`,
 * which is rebuilt every few changes. Go through it from {@link first} by `next`.
 */
export class LinkedList<T extends Linked<T>> {
  #first: T | undefined
  #last: T | undefined
  #size = 0

  /** The member that was added before all others. */
  get first(): T | undefined {
    return this.#first
  }

  get size(): number {
    return this.#size
  }

  /** Adds a member at the end. */
  add(member: T): void {
    member.previous = this.#last
    if (this.#last === undefined) this.#first = member
    else this.#last.next = member
    this.#last = member
    this.#size += 1
  }

  /** Removes a member; gives false when it is in no list. It must not be in another one. */
  remove(member: T): boolean {
    const { previous, next } = member
    if (previous === undefined && this.#first !== member) return false
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    member.previous = undefined
    member.next = undefined
    this.#size -= 1
    return true
  }
}
