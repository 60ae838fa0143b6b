import { createServer } from 'node:net'
import { HS_TOKEN } from '../support/member-stage.ts'
import { type Exchange, exchangeToken } from './exchange.ts'
import { type Stage, setStage } from './stage.ts'

const PREFERRED_PORT = 8080

/** The port that the demo listens on if it can; another one if that is taken. */
function choosePort(): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(PREFERRED_PORT, '127.0.0.1', () => server.close(() => resolve(PREFERRED_PORT)))
  })
}

/** Shows the service's log only once it is of interest: after the exchange, or on failure. */
function createLogView() {
  let held = ''
  let live = false
  return {
    add(text: string) {
      if (live) process.stdout.write(text)
      if (!live) held += text
    },
    show() {
      process.stdout.write(held)
      live = true
    },
    goLive() {
      live = true
    },
  }
}

function pretty(value: unknown): string {
  return JSON.stringify(value, undefined, 2)
}

function describe({ homeserver, sfu, service }: Stage, exchange: Exchange): string {
  return `
The service runs at ${service.url} (pid ${service.pid}), next to stand-ins for
  a Matrix homeserver  ${homeserver.serverName} (TLS)
  a LiveKit SFU        ${sfu.wsUrl}

POST ${exchange.url}
${pretty(JSON.parse(exchange.body))}

Answer
${pretty(exchange.answer)}

What the token says
${pretty(exchange.claims)}

Again:
${exchange.curl}

API page: ${service.url}/swagger#/Tokens/getToken
Its first example, "getToken", is the request above: one click on "Execute" gets a token. The others
work too. Those of "Application service" need "Authorize" first, with this homeserverToken:
${HS_TOKEN}
That of "sfuWebhook" is answered with 401, since only the SFU can sign it. Nothing is limited here, and the
"url" of the answers is an example that leads nowhere.
`
}

function signalled(): Promise<'signal'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve('signal'))
  })
}

async function main(args: readonly string[]): Promise<number> {
  const stopped = signalled()
  const log = createLogView()
  let stage: Stage | undefined
  try {
    stage = await setStage({ port: await choosePort(), onOutput: log.add })
    const exchange = await exchangeToken(stage)
    process.stdout.write(describe(stage, exchange))
    if (args.includes('--once')) {
      process.stdout.write(
        '\nThat was all. Without "--once" everything stays up for the API page.\n',
      )
      return 0
    }
    process.stdout.write('\nCtrl-C stops it. Below is the log of the service.\n\n')
    log.goLive()
    const end = await Promise.race([stopped, stage.service.exited])
    if (end === 'signal') return 0
    throw new Error(`The service exited by itself with code ${end}`)
  } catch (error) {
    log.show()
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  } finally {
    await stage?.close()
  }
}

process.exit(await main(process.argv.slice(2)))
