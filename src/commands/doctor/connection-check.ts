import type { CauseCode } from '../../catalogue/catalogue.ts'
import { memberOf, parseJson, textMember } from '../../lib/json.ts'
import type { Discovered } from '../../matrix/discovery.ts'
import { exchangeTrouble, matrixErrorCode } from '../../matrix/exchange-trouble.ts'
import { targetOf } from '../../matrix/server-name.ts'
import type { Answer } from '../../net/bounded-fetch.ts'
import { isRequestFailure } from '../../net/request-failure.ts'
import type { Target } from '../../net/target-client.ts'
import type { Trouble } from '../../trouble.ts'
import { attempt, type Get, isAnswer } from './asking.ts'
import { certificateText, showCertificate } from './certificate.ts'
import { permittedAddresses, type ServerCheckParts } from './homeserver-clients.ts'
import { type FederationProblem, hostOf } from './same-problem.ts'
import { lookUpWellKnown } from './well-known-check.ts'

/** Path of the endpoint that tells which software answers. */
export const VERSION_PATH = '/_matrix/federation/v1/version'
const FORTNIGHT_MS = 14 * 24 * 60 * 60 * 1_000
const LOOK_TIMEOUT_MS = 5_000

/** Name and version of the software that answered; `undefined` if it is no federation API. */
export function softwareIn({ status, body }: Answer): string | undefined {
  if (status !== 200) return undefined
  const server = memberOf(parseJson(body), 'server')
  const name = textMember(server, 'name')
  return name && `${name} ${textMember(server, 'version') ?? ''}`.trim().slice(0, 80)
}

/** Whether the federation API answers on the port of browsers instead of its own. */
async function answersOn443({ name, clients, tuning }: ServerCheckParts): Promise<boolean> {
  const target = targetOf({ ...name, port: tuning.wellKnownPort ?? 443 }, 443)
  const call = { method: 'GET', path: VERSION_PATH } as const
  const outcome = await attempt(
    'federation',
    clients.inTime((signal) => clients.client.request([target], call, clients.policy, signal)),
  )
  return isAnswer(outcome) && softwareIn(outcome) !== undefined
}

const CERTIFICATE_CODES: readonly string[] = [
  'federation.certificate-expired',
  'federation.certificate-not-yet-valid',
  'federation.certificate-for-another-name',
  'federation.certificate-untrusted',
]

async function certificateOf({ clients }: ServerCheckParts, { host, port, tlsServerName }: Target) {
  const [address] = await permittedAddresses(clients, host)
  if (address === undefined) return undefined
  return showCertificate({ address, port, tlsServerName }, LOOK_TIMEOUT_MS)
}

/** Says more about a connection that failed. */
async function explained(
  parts: ServerCheckParts,
  targets: readonly Target[],
  trouble: Trouble<CauseCode>,
  isDelegated: boolean,
): Promise<Trouble<CauseCode>> {
  const [target] = targets
  if (target !== undefined && CERTIFICATE_CODES.includes(trouble.code)) {
    const shown = await certificateOf(parts, target)
    if (shown === undefined) return trouble
    return { ...trouble, found: `${trouble.found}; it shows a ${certificateText(shown)}` }
  }
  const isClosed = ['federation.refused', 'federation.timeout'].includes(trouble.code)
  if (!isClosed || isDelegated || parts.name.port !== undefined) return trouble
  if (!(await answersOn443(parts))) return trouble
  return { code: 'federation.only-on-443', found: trouble.found, subject: parts.name.text }
}

/** Reports the certificate of a connection that succeeded. */
async function reportConnection(
  parts: ServerCheckParts,
  [target]: readonly Target[],
  peer = '',
): Promise<void> {
  const { report, now } = parts
  const shown = target && (await certificateOf(parts, target))
  if (shown === undefined) return report.ok('connection', peer)
  const found = `${peer}, ${certificateText(shown)}`
  if (shown.expiresAt - now() > FORTNIGHT_MS) return report.ok('connection', found)
  report.warning('connection', { code: 'federation.certificate-expires-soon', found })
}

/** Where the homeserver is, or why that was not found out in time. */
async function discover({
  name,
  clients,
}: ServerCheckParts): Promise<Discovered | Trouble<CauseCode>> {
  try {
    return await clients.inTime((signal) => {
      return clients.discovery.discover(name, clients.policy, signal)
    })
  } catch (error) {
    if (isRequestFailure(error)) return exchangeTrouble('federation', error, ['at the discovery'])
    throw error
  }
}

/** Reports where the look-up has led to; what is denied, or has no address, is the connection's problem. */
async function reportAddresses(
  { clients, report }: ServerCheckParts,
  targets: readonly Target[],
): Promise<void> {
  const places = await Promise.all(
    targets.map(async ({ host, port, tlsServerName }) => {
      const addresses = await permittedAddresses(clients, host)
      const how = host === tlsServerName ? '' : 'by SRV record '
      return addresses.length === 0 ? [] : `${how}${host} port ${port}: ${addresses.join(', ')}`
    }),
  )
  const found = places.flat()
  if (found.length > 0) report.ok('addresses', found.join('; '))
}

/** A way to ask the homeserver, and where that leads. */
export interface Connection {
  readonly hosts: readonly string[]
  readonly get: Get
  /** What is wrong with its well-known document, as long as what answers is no Matrix server either. */
  readonly doubt: Trouble<CauseCode> | undefined
}

function isMatrix(answer: Answer): boolean {
  return softwareIn(answer) !== undefined || matrixErrorCode(answer) !== undefined
}

/** Finds the homeserver as the service does; gives a way to ask it, or the problem that was reported. */
export async function connectTo(parts: ServerCheckParts): Promise<Connection | FederationProblem> {
  const { name, clients, config, report } = parts
  const override = config.federationOverrides.get(name.text)
  const call = (path: string) => ({ method: 'GET', path }) as const
  if (override !== undefined) {
    report.skipped('well-known', `LIVEKIT_FEDERATION_URL_OVERRIDES leads to ${override}`)
    const direct: Get = (path) =>
      clients.inTime((signal) => clients.direct(override, call(path), signal))
    return { hosts: [hostOf(override)], get: direct, doubt: undefined }
  }
  const wellKnown = await lookUpWellKnown(parts)
  const discovered = await discover(parts)
  if ('code' in discovered) {
    report.problem('connection', discovered)
    return { code: discovered.code, hosts: [name.host] }
  }
  const { targets, notes } = discovered
  const hosts = targets.flatMap(({ host, tlsServerName }) => [host, tlsServerName])
  if (wellKnown.kind !== 'bad') await reportAddresses(parts, targets)
  const get: Get = (path) =>
    clients.inTime((signal) => {
      return clients.client.request(targets, call(path), clients.policy, signal)
    })
  const first = await attempt('federation', get(VERSION_PATH))
  const trouble = wellKnown.kind === 'bad' ? wellKnown.trouble : undefined
  if (isAnswer(first)) {
    const doubt = isMatrix(first) ? undefined : trouble
    if (trouble !== undefined && doubt === undefined) report.warning('well-known', trouble)
    await reportConnection(parts, targets, first.peer)
    return { hosts, get, doubt }
  }
  if (trouble !== undefined) {
    report.problem('well-known', trouble)
    report.skipped('connection', 'needs /.well-known/matrix/server')
    return { code: trouble.code, hosts }
  }
  const isDelegated = wellKnown.kind === 'delegated'
  const noted = { ...first, found: [first.found, ...notes].join('; ') }
  const known = await explained(parts, targets, noted, isDelegated)
  report.problem('connection', known)
  return { code: known.code, hosts }
}
