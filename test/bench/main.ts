import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { benchDelegations } from './delegations/bench.ts'
import { fullDelegationPlan, quickDelegationPlan } from './delegations/plan.ts'
import { benchExchange } from './exchange.ts'
import { benchMembership } from './membership/bench.ts'
import { fullPlan, quickPlan } from './plan.ts'

const USAGE = 'bun run bench [exchange] [delegations] [membership] [--quick]\n'

/** What else runs on the machine takes from all that is measured. */
function describeMachine(): string {
  return `${availableParallelism()} processors, load average ${loadavg()[0]?.toFixed(2)}`
}

async function run(args: readonly string[], logFolder: string): Promise<void> {
  const isQuick = args.includes('--quick')
  const isChosen = (part: string) =>
    args.includes(part) || !args.some((arg) => !arg.startsWith('-'))
  const write = (text: string) => process.stdout.write(`${text}\n`)

  write(`Before: ${describeMachine()}`)
  if (isChosen('exchange')) {
    write(`\n# Token exchange\n\n${await benchExchange(isQuick ? quickPlan : fullPlan, logFolder)}`)
  }
  if (isChosen('delegations')) {
    const plan = isQuick ? quickDelegationPlan : fullDelegationPlan
    write(`\n# Delegated leave events\n\n${await benchDelegations(plan, logFolder)}`)
  }
  if (isChosen('membership')) {
    write(`\n# Membership\n\n${await benchMembership(isQuick, logFolder)}`)
  }
  write(`After: ${describeMachine()}`)
}

async function main(args: readonly string[]): Promise<number> {
  const known = ['exchange', 'delegations', 'membership', '--quick']
  if (args.some((arg) => !known.includes(arg))) {
    process.stderr.write(USAGE)
    return 2
  }
  const logFolder = await mkdtemp(join(tmpdir(), 'bench-'))
  try {
    await run(args, logFolder)
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  } finally {
    await rm(logFolder, { recursive: true, force: true })
  }
}

process.exit(await main(process.argv.slice(2)))
