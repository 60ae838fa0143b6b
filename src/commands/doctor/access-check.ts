import { distance } from 'fastest-levenshtein'
import type { Config } from '../../config.ts'
import { accessOf } from '../../exchange/access.ts'
import type { Report } from './report.ts'

const MAX_DISTANCE = 2
/** Of short names, many are near to others. */
const LETTERS_PER_TYPO = 6

/** The listed name that this one was probably meant by. */
function misspeltIn(serverName: string, listed: Iterable<string>): string | undefined {
  // "matrix.org" is a name of its own.
  const bare = (name: string) => name.toLowerCase().replace(/^(?:www|matrix)\.(?=.*\.)|:\d+$/g, '')
  const most = Math.min(MAX_DISTANCE, Math.floor(serverName.length / LETTERS_PER_TYPO))
  return [...listed].find((name) => distance(bare(name), bare(serverName)) <= most)
}

/** How a server name stands to the list of full access. */
export type Listing = 'fits' | 'misspelt'

/** Says what users of a homeserver may do. */
export function checkAccess(serverName: string, config: Config, report: Report): Listing {
  if (serverName === config.applicationService?.serverName) {
    report.ok('access', `through ${serverName}, whoever is joined to the Matrix room gets in`)
  }
  const { level } = accessOf(serverName, config)
  if (level === 'full') {
    report.ok(
      'access',
      `users of ${serverName} with OpenID tokens have full access: they may start calls`,
    )
    return 'fits'
  }
  const { fullAccess } = config
  const similar = fullAccess === '*' ? undefined : misspeltIn(serverName, fullAccess)
  const found = `users of ${serverName} with OpenID tokens are restricted: they cannot start calls`
  if (similar === undefined) {
    report.ok('access', found)
    return 'fits'
  }
  report.problem('access', {
    code: 'access.name-misspelt',
    found: `${found}; LIVEKIT_FULL_ACCESS_HOMESERVERS has ${similar}`,
    subject: serverName,
  })
  return 'misspelt'
}
