import { AnswerTooLarge } from './request-error.ts'

const UTF_8 = new TextDecoder()

/** The body of an answer, as it arrives. */
export class AnswerBody {
  readonly #maxBytes: number
  readonly #parts: Buffer[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * Refuses a part whose length is known before it arrives.
   *
   * @throws {AnswerTooLarge} when the body would become too large
   */
  expect(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) throw new AnswerTooLarge(this.#maxBytes)
  }

  /**
   * Adds what has arrived.
   *
   * @throws {AnswerTooLarge} when the body becomes too large
   */
  push(part: Buffer): void {
    this.expect(part.length)
    this.#bytes += part.length
    this.#parts.push(part)
  }

  /** The whole body, decoded as UTF-8. */
  text(): string {
    const [first] = this.#parts
    if (first === undefined) return ''
    return UTF_8.decode(this.#parts.length === 1 ? first : Buffer.concat(this.#parts))
  }
}
