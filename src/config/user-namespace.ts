/** One position of a user ID that a pattern fixes: a character, or any one character. */
type Position = { readonly character: string } | 'any'

const TOKEN = /\\[\s\S]|\[\^?\]?(?:\\[\s\S]|[^\]\\])*\]|[\s\S]/g
const SPECIAL = new Set('^$*+?{}()|')

/** `undefined` for a piece that stands for more than one character, or for something else. */
function positionOf(token: string): Position | undefined {
  if (token === '.') return 'any'
  if (token.length === 1) return SPECIAL.has(token) ? undefined : { character: token }
  const [backslash, character = ''] = token
  return backslash === '\\' && /[^A-Za-z0-9]/.test(character) ? { character } : undefined
}

/** What a pattern demands at its end, as far back as each of its pieces stands for one character. */
function fixedEnd(tokens: readonly string[]): readonly Position[] {
  const positions = tokens.map(positionOf)
  return positions.slice(positions.lastIndexOf(undefined) + 1).filter((each) => each !== undefined)
}

/** Whether `text`, from `start` on, has what `positions` demand; before its beginning anything fits. */
function fitsAt(text: string, start: number, positions: readonly Position[]): boolean {
  return positions.every((position, index) => {
    const at = start + index
    return at < 0 || (at < text.length && (position === 'any' || position.character === text[at]))
  })
}

/**
 * Whether a namespace may hold users of a server. Its pattern is one of Python, and only the end of it is
 * looked at: `false` is sure, while `true` may mean that it cannot be told.
 *
 * @param pattern - such as `^@.*:example\.com$`, matched from the beginning of a user ID
 */
export function mayHoldUsersOf(serverName: string, pattern: string): boolean {
  const tokens: readonly string[] = pattern.match(TOKEN) ?? []
  // Alternatives and flags, such as the one to ignore case.
  if (tokens.includes('|') || pattern.includes('(?')) return true

  const isAnchored = ['$', '\\Z'].includes(tokens.at(-1) ?? '')
  const end = fixedEnd(isAnchored ? tokens.slice(0, -1) : tokens)
  const ending = `:${serverName}`
  if (isAnchored) return fitsAt(ending, ending.length - end.length, end)

  const colon = end.findIndex((position) => position !== 'any' && position.character === ':')
  if (colon < 0) return true
  // No localpart has a colon.
  const demanded = end.slice(colon)
  return [...ending].some((_, start) => fitsAt(ending, start, demanded))
}
