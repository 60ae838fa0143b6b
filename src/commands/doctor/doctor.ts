import { readFileSync } from 'node:fs'
import type { Tuning } from '../../app/options.ts'
import type { Environment } from '../../config/reader.ts'
import { type Config, loadConfig } from '../../config.ts'
import { parseServerName } from '../../matrix/server-name.ts'
import type { CommandOutput } from '../registration.ts'
import { checkAccess } from './access-check.ts'
import {
  DOCTOR_HELP,
  type DoctorArguments,
  readDoctorArguments,
  TOKEN_FROM_INPUT,
} from './arguments.ts'
import { checkClientApi } from './client-api-checks.ts'
import { createClocks } from './clock-skew.ts'
import { checkConfiguration } from './configuration-check.ts'
import { checkFederation } from './federation-checks.ts'
import { guarded } from './guarded.ts'
import {
  createHomeserverClients,
  permittedAddresses,
  type ServerCheckParts,
} from './homeserver-clients.ts'
import { jsonText, summaryText, textOutput } from './output.ts'
import { checkOwnHomeserver } from './own-homeserver-checks.ts'
import { createReport, type Report } from './report.ts'
import { checkService } from './service-checks.ts'
import { checkSfu } from './sfu-checks.ts'
import { checkState } from './state-checks.ts'
import { checkTransports } from './transport-checks.ts'

/** How the doctor works; tests change it. */
export interface DoctorOptions {
  readonly version: string
  readonly isTerminal: boolean
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly tuning?: Tuning
  /** How long a webhook may take, in milliseconds. */
  readonly webhookMs?: number
  /** All of standard input. */
  readonly readInput?: () => Promise<string>
}

const EXIT_OK = 0
const EXIT_PROBLEMS = 1
const EXIT_NOT_RUN = 2

/** Completes the arguments by a token from standard input, where that is asked for. */
async function withToken(
  asked: DoctorArguments,
  { readInput = () => Bun.stdin.text() }: DoctorOptions,
): Promise<DoctorArguments> {
  if (asked.token !== TOKEN_FROM_INPUT) return asked
  return { ...asked, token: (await readInput()).trim() }
}

const OF_HOMESERVER = ['federation', 'client-api', 'transports'] as const

/** Whether the host of a server name, or what is to be asked instead, has an address that is not denied. */
async function canBeAsked({ name, config, clients }: ServerCheckParts): Promise<boolean> {
  if (config.federationOverrides.has(name.text)) return true
  return (await permittedAddresses(clients, name.host)).length > 0
}

/** Checks everything about one homeserver; gives the base URL of its client API, if that can be used. */
async function checkHomeserver(
  parts: ServerCheckParts,
  { token, user }: DoctorArguments,
): Promise<string | undefined> {
  const { name, config, report } = parts
  const listing = await guarded('access', report, () => checkAccess(name.text, config, report))
  // A name that was mistyped leads nowhere; one that is not in the list may be denied its addresses.
  if (listing === 'misspelt' && !(await canBeAsked(parts))) {
    for (const step of OF_HOMESERVER) report.skipped(step, 'needs the right name: see "access"')
    return undefined
  }
  const problem = await guarded('federation', report, () => checkFederation(parts, { token, user }))
  const found = await guarded('client-api', report, () => checkClientApi(parts, problem))
  if (found?.baseUrl === undefined) {
    report.skipped('transports', 'need /.well-known/matrix/client')
    return undefined
  }
  await guarded('transports', report, () => checkTransports(parts, found, { token, user }))
  return found.isUsable ? found.baseUrl : undefined
}

async function checkAll(
  config: Config,
  report: Report,
  asked: DoctorArguments,
  options: DoctorOptions,
): Promise<void> {
  const { now = Date.now, tuning = {} } = options
  const clocks = createClocks()
  const sfu = await guarded('sfu', report, () => {
    return checkSfu({ config, report, clocks, now, timeoutMs: tuning.sfuTimeoutMs })
  })
  const { applicationService: mode, metricsBind: bind } = config
  const name = parseServerName(asked.serverName ?? mode?.serverName ?? '')
  if (name !== undefined) {
    const clients = createHomeserverClients(name.text, config, now, tuning)
    const parts = { name, clients, config, report, clocks, now, tuning }
    const baseUrl = await checkHomeserver(parts, asked)
    if (mode?.serverName === name.text) {
      const own = { mode, clients, report }
      await guarded('homeserver', report, () => checkOwnHomeserver(own, baseUrl))
    }
  } else {
    report.skipped(
      'federation',
      'no homeserver was named: add its server name, such as example.com',
    )
  }
  await guarded('state', report, () => checkState(config, { report, clocks, now }))
  const { webhookMs } = options
  await guarded('service', report, () => checkService({ bind, sfu, report, webhookMs }))
}

/**
 * The `doctor` command: looks at everything that the service depends on, with the service's own
 * environment and means, and says what is wrong and what helps.
 *
 * @param args - what follows the command
 * @returns the exit code: 0 without problems (warnings allowed), 1 with some, 2 for wrong arguments
 */
export async function doctor(
  args: readonly string[],
  env: Environment,
  output: CommandOutput,
  options: DoctorOptions,
): Promise<number> {
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    output.out(DOCTOR_HELP)
    return EXIT_OK
  }
  const given = readDoctorArguments(args)
  if (typeof given === 'string') {
    output.err(`${given}\n`)
    return EXIT_NOT_RUN
  }
  const asked = await withToken(given, options)
  const text = textOutput(output, options.isTerminal)
  const silent = { onFinding: () => {}, onProgress: () => {} }
  const loaded = loadConfig(env, (path) => readFileSync(path, 'utf8'))
  const report = createReport(asked.json ? silent : text, [
    asked.token,
    loaded.config?.applicationService?.asToken,
  ])
  const config = checkConfiguration(loaded, report)
  if (config !== undefined) await checkAll(config, report, asked, options)
  const { findings } = report
  output.out(asked.json ? jsonText(findings, options.version) : summaryText(findings))
  return findings.some(({ level }) => level === 'problem') ? EXIT_PROBLEMS : EXIT_OK
}
