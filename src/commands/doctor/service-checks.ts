import { SFU_UNUSABLE, STORE_AWAY } from '../../app/readiness.ts'
import type { BindAddress } from '../../config/http-parsers.ts'
import { memberOf, parseJson } from '../../lib/json.ts'
import { type SfuCode, SfuError } from '../../livekit/sfu-error.ts'
import type { Trouble } from '../../trouble.ts'
import { reachableAt } from '../healthcheck.ts'
import type { Report, Step } from './report.ts'
import type { CheckedSfu } from './sfu-checks.ts'

/** What the checks of the running service need. */
export interface ServiceCheckParts {
  /** Its metrics listener; `undefined` if it has none. */
  readonly bind: BindAddress | undefined
  /** `undefined` if the SFU cannot be used. */
  readonly sfu: CheckedSfu | undefined
  readonly report: Report
  /** How long a webhook may take. */
  readonly webhookMs?: number | undefined
}

const TIMEOUT_MS = 3_000
const WEBHOOK_MS = 5_000
const POLL_MS = 200
const WEBHOOK_COUNT = /^jwt_service_webhooks_total(?:\{[^}]*\})? (\S+)$/gm
/** Webhooks that were not believed. */
const REFUSED_COUNT =
  /^jwt_service_requests_total\{(?=[^}]*route="\/sfu_webhook")(?=[^}]*outcome="M_UNAUTHORIZED")[^}]*\} (\S+)$/gm
/** What no other program says. */
const OWN_METRIC = 'jwt_service_build_info'
const REPLICAS = /^jwt_service_replicas (\S+)$/m

async function get(authority: string, path: string): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    return await (await fetch(`http://${authority}${path}`, { signal, proxy: '' })).text()
  } catch {
    return undefined
  }
}

/** Where the metrics listener answers. */
async function findListener(bind: BindAddress): Promise<string | undefined> {
  for (const host of reachableAt(bind)) {
    const authority = `${host}:${bind.port}`
    if ((await get(authority, '/healthz')) !== undefined) return authority
  }
  return undefined
}

/** Where the doctor has looked itself at what a reason is about, by how the reason begins. */
const EXAMINED_IN: readonly (readonly [beginning: string, step: Step])[] = [
  [SFU_UNUSABLE, 'sfu'],
  [STORE_AWAY, 'state'],
]

/** Whether a reason is about what has a finding of its own. */
function isReported(reason: unknown, { findings }: Report): boolean {
  const step = EXAMINED_IN.find(([beginning]) => String(reason).startsWith(beginning))?.[1]
  return findings.some((finding) => finding.step === step && finding.level === 'problem')
}

async function checkReadiness(authority: string, report: Report): Promise<void> {
  const body = parseJson((await get(authority, '/readyz')) ?? '')
  const status = memberOf(body, 'status')
  const reasons = memberOf(body, 'reasons')
  const found = Array.isArray(reasons) ? reasons.map(String).join('; ').slice(0, 500) : 'no reason'
  if (status === 'ready')
    return report.ok(
      'service',
      `the service runs at ${authority}: its store answers, its worker is up to date`,
    )
  if (status === 'degraded') {
    const told = Array.isArray(reasons) ? reasons : []
    const isTold = told.length > 0 && told.every((reason) => isReported(reason, report))
    if (isTold) return report.skipped('service', `it says the same: ${found}`)
    return report.warning('service', { code: 'service.degraded', found })
  }
  report.problem('service', { code: 'service.unready', found })
}

/** How many webhooks have arrived at the service, and how many of them were refused. */
interface WebhookCounts {
  readonly taken: number
  readonly refused: number
}

function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, [, count]) => sum + Number(count), 0)
}

async function webhooksAt(authority: string): Promise<WebhookCounts> {
  const text = (await get(authority, '/metrics')) ?? ''
  return { taken: sumOf(text, WEBHOOK_COUNT), refused: sumOf(text, REFUSED_COUNT) }
}

/** Has the SFU open and close a room, or says why it does not. */
async function provokeWebhook({
  rooms,
  unusedRoom,
}: CheckedSfu): Promise<Trouble<SfuCode> | undefined> {
  try {
    await rooms.createRoom(unusedRoom)
    await rooms.deleteRoom(unusedRoom, AbortSignal.timeout(TIMEOUT_MS))
    return undefined
  } catch (error) {
    if (error instanceof SfuError) return error.trouble
    throw error
  }
}

type Arrival = 'taken' | 'refused' | 'none'

async function arrival(
  authority: string,
  before: WebhookCounts,
  webhookMs: number,
): Promise<Arrival> {
  const end = performance.now() + webhookMs
  while (performance.now() < end) {
    const { taken, refused } = await webhooksAt(authority)
    if (taken > before.taken) return 'taken'
    if (refused > before.refused) return 'refused'
    await Bun.sleep(POLL_MS)
  }
  return 'none'
}

async function checkWebhooks(
  authority: string,
  sfu: CheckedSfu,
  { report, webhookMs = WEBHOOK_MS }: ServiceCheckParts,
): Promise<void> {
  report.progress('whether webhooks of the SFU arrive')
  const before = await webhooksAt(authority)
  const refusal = await provokeWebhook(sfu)
  if (refusal !== undefined) return report.problem('webhooks', refusal)
  const how = await arrival(authority, before, webhookMs)
  if (how === 'taken') {
    return report.ok(
      'webhooks',
      'the SFU has told the service of a room that was opened and closed',
    )
  }
  if (how === 'refused') {
    const found = 'they come, and are not signed with our key and secret'
    return report.problem('webhooks', { code: 'webhook.wrong-secret', found })
  }
  const replicas = Number(REPLICAS.exec((await get(authority, '/metrics')) ?? '')?.[1] ?? 1)
  const found = `none within ${webhookMs / 1_000} s of a room that was opened and closed`
  const trouble = { code: 'webhook.never-comes', found } as const
  // Another one may have got it.
  if (replicas > 1) report.warning('webhooks', trouble)
  else report.problem('webhooks', trouble)
}

/** Checks the service that runs beside the doctor, through its metrics listener. */
export async function checkService(parts: ServiceCheckParts): Promise<void> {
  const { bind, sfu, report } = parts
  if (bind === undefined) {
    const why = 'LIVEKIT_METRICS_BIND is not set, so the running service cannot be asked'
    report.skipped('service', why)
    return report.skipped('webhooks', why)
  }
  report.progress('the running service')
  const authority = await findListener(bind)
  if (authority === undefined) {
    const found = `no answer at ${reachableAt(bind)[0]}:${bind.port}`
    report.warning('service', { code: 'service.not-running', found })
    return report.skipped('webhooks', 'need the running service')
  }
  if (!(await get(authority, '/metrics'))?.includes(OWN_METRIC)) {
    report.warning('service', {
      code: 'service.another-program',
      found: `${authority} has no metrics of this service`,
    })
    return report.skipped('webhooks', 'need the running service')
  }
  await checkReadiness(authority, report)
  if (sfu === undefined) return report.skipped('webhooks', "need the SFU's API")
  await checkWebhooks(authority, sfu, parts)
}
