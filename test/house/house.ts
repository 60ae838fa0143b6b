/** Files and folders of `src` that belong together, by the paths that they are found at. */
export interface Room {
  readonly name: string
  /** Files, and folders with a slash at the end; the longest that fits a file decides. */
  readonly paths: readonly string[]
  readonly holds: string
}

/**
 * The rooms of `src` from the top to the bottom. A room may import those below its own line, never
 * those above, and neither those on its line.
 */
export const HOUSE: readonly (readonly Room[])[] = [
  [{ name: 'main', paths: ['main.ts'], holds: 'picks the command' }],
  [
    {
      name: 'commands',
      paths: ['commands/'],
      holds: 'one file or folder for each command; the log of the process',
    },
  ],
  [
    {
      name: 'catalogue',
      paths: ['catalogue/'],
      holds: 'everything that can go wrong, and what helps',
    },
  ],
  [
    {
      name: 'app',
      paths: ['app.ts', 'app/'],
      holds: 'puts the parts together; nothing else constructs them',
    },
  ],
  [
    {
      name: 'config',
      paths: ['config.ts', 'config/'],
      holds: 'settings: one table that reads, explains and lists them',
    },
  ],
  [{ name: 'routes', paths: ['routes/'], holds: 'the endpoints and their models' }],
  [
    {
      name: 'http',
      paths: ['http/'],
      holds: 'what all endpoints share: errors, bodies, CORS, request log',
    },
  ],
  [
    {
      name: 'exchange',
      paths: ['exchange/'],
      holds: 'who gets which token, and the takeover of leave events',
    },
  ],
  [
    {
      name: 'membership',
      paths: ['membership/'],
      holds: 'application-service mode: who may get in, and who has to go',
    },
  ],
  [
    {
      name: 'membership/store',
      paths: ['membership/store/'],
      holds: 'the tokens handed out: SQLite and Redis',
    },
  ],
  [{ name: 'delegation', paths: ['delegation/'], holds: 'what the rest sees of delegations' }],
  [{ name: 'delegation/work', paths: ['delegation/work/'], holds: 'the worker and its needs' }],
  [
    {
      name: 'delegation/store',
      paths: ['delegation/store/'],
      holds: 'where records are kept: SQLite and Redis',
    },
  ],
  [
    {
      name: 'delegation/life',
      paths: ['delegation/life/'],
      holds: 'pure: the record, what happens to it, what comes of it',
    },
  ],
  [
    {
      name: 'matrix',
      paths: ['matrix/'],
      holds: 'server names, discovery, OpenID tokens, client API',
    },
    { name: 'livekit', paths: ['livekit/'], holds: 'names, tokens, room service, webhooks' },
  ],
  [{ name: 'net', paths: ['net/'], holds: 'connecting safely: addresses, DNS, bounded requests' }],
  [{ name: 'lib', paths: ['lib/'], holds: 'what has no home of its own: JSON, budgets' }],
  [
    {
      name: 'log',
      paths: [
        'log.ts',
        'log-output.ts',
        'metrics.ts',
        'metric-labels.ts',
        'prometheus.ts',
        'process-metrics.ts',
        'trouble.ts',
        'visible-text.ts',
      ],
      holds: 'what the operator sees: log lines, metrics, troubles',
    },
  ],
  [{ name: 'build', paths: ['build/'], holds: 'the binary and the files of the image' }],
]

interface Place {
  readonly room: Room
  /** 0 at the top. */
  readonly line: number
}

/** Where a file of `src` belongs; `undefined` when no room has it. */
export function placeOf(path: string): Place | undefined {
  const places = HOUSE.flatMap((rooms, line) => {
    return rooms.flatMap((room) => room.paths.map((prefix) => ({ room, line, prefix })))
  })
  return places
    .filter(({ prefix }) => (prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix))
    .toSorted((a, b) => b.prefix.length - a.prefix.length)[0]
}

/**
 * What is wrong with an import and what to do; `undefined` when it is allowed.
 *
 * @param importer - path below `src`
 * @param imported - path below `src`
 */
export function wrongImport(importer: string, imported: string): string | undefined {
  const from = placeOf(importer)
  const to = placeOf(imported)
  for (const [path, place] of [
    [importer, from],
    [imported, to],
  ] as const) {
    if (place === undefined) return `src/${path} is in no room: give it one in test/house/house.ts`
  }
  if (from === undefined || to === undefined || from.room === to.room) return undefined
  const says = `src/${importer} imports src/${imported}`
  if (from.room.name === 'build' || to.room.name === 'build') {
    return `${says}, but "build" and the service do not know each other: what both need belongs in neither`
  }
  if (to.line > from.line) return undefined
  if (to.line === from.line) {
    const below = (HOUSE[from.line + 1] ?? []).map(({ name }) => `"${name}"`).join(' or ')
    return (
      `${says}, but "${from.room.name}" and "${to.room.name}" do not know each other: ` +
      `what both need belongs in ${below} or below, what joins them above both`
    )
  }
  return (
    `${says}, but "${to.room.name}" is above "${from.room.name}": ` +
    `what "${from.room.name}" needs of it belongs in "${from.room.name}" or below, ` +
    'or is handed down as a value'
  )
}

const MAX_PLACE = 40

/** The rooms as the README shows them, a line each. */
export function drawing(): string {
  const rows = HOUSE.flat().map(({ paths, holds }) => {
    const [first = '', ...others] = paths
    return { place: [`src/${first}`, ...others].join(', '), holds }
  })
  const isLong = (place: string) => place.length > MAX_PLACE
  const width = Math.max(...rows.map(({ place }) => (isLong(place) ? 0 : place.length)))
  // The longest stand on a line of their own, so that the others need not be that wide.
  const line = (place: string, holds: string) => `${place.padEnd(width)}  ${holds}`
  return rows
    .map(({ place, holds }) =>
      isLong(place) ? `${place}\n${line('', holds)}` : line(place, holds),
    )
    .join('\n')
}
