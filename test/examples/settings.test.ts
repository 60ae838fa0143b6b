import { describe, expect, test } from 'bun:test'
import { type Config, loadConfig } from '../../src/config.ts'
import { livekitInstallation } from '../e2e/installation/versions.ts'
import {
  composeVariables,
  kubernetesVariables,
  systemdVariables,
  type Variables,
} from './environments.ts'
import { exampleText } from './tools.ts'

const SECRET = '0123456789abcdef0123456789abcdef'

/** What LiveKit is told. */
const liveKit = Bun.YAML.parse(exampleText('livekit')) as {
  readonly port: number
  readonly key_file: string
  readonly room: { readonly auto_create: boolean }
  readonly webhook: { readonly api_key: string; readonly urls: readonly string[] }
}

/**
 * The settings that an example comes to.
 *
 * @throws {Error} when there is anything to complain of
 */
function quietly(variables: Variables): Config {
  const { config, problems, warnings } = loadConfig(variables, () => `matrix: ${SECRET}\n`)
  if (config === undefined || warnings.length > 0)
    throw new Error([...problems, ...warnings].join())
  return config
}

const examples: [string, Variables][] = [
  ['compose', composeVariables()],
  ['kubernetes', kubernetesVariables(SECRET)],
  ['systemd', systemdVariables()],
]

describe.each(examples)('the settings of the example %s', (_, variables) => {
  const config = quietly(variables)

  test('cause no problem and no warning', () => {
    expect(Object.keys(variables).length).toBeGreaterThan(5)
    expect(config.fullAccess).toEqual(new Set(['example.com']))
  })

  test('outlive a restart', () => {
    expect(config.state.kind).not.toBe('memory')
  })

  test('name the URL of LiveKit that the proxies have', () => {
    expect(config.liveKitUrl).toBe('wss://matrix-rtc.example.com/livekit/sfu')
    for (const proxy of ['caddy', 'nginx']) {
      expect(exampleText(proxy)).toMatch(/matrix-rtc\.example\.com[;\s][\s\S]*\/livekit\/sfu\//)
    }
  })
})

test('Kubernetes and compose give the service the time that it takes to stop', () => {
  const seconds = (text: string, key: string) => {
    return Number(new RegExp(`${key}: (\\d+)`).exec(text)?.[1])
  }
  const grace = ({ shutdownDelayMs, shutdownGraceMs }: Config) => {
    return (shutdownDelayMs + shutdownGraceMs) / 1000
  }
  expect(seconds(exampleText('compose'), 'stop_grace_period')).toBeGreaterThan(
    grace(quietly(composeVariables())),
  )
  expect(seconds(exampleText('kubernetes'), 'terminationGracePeriodSeconds')).toBeGreaterThan(
    grace(quietly(kubernetesVariables(SECRET))),
  )
})

test('LiveKit and the service have one key, and find each other', () => {
  const config = quietly(composeVariables())
  expect(config.credentials.apiKey).toBe(liveKit.webhook.api_key)
  expect(config.liveKitInternalUrl).toBe(`http://livekit:${liveKit.port}`)
  expect(liveKit.webhook.urls).toEqual([`http://jwt-service:${config.bind.port}/sfu_webhook`])
})

test('LiveKit and the service have key files of their own: only LiveKit takes one with two lines', () => {
  const { services, secrets } = Bun.YAML.parse(exampleText('compose')) as {
    services: Record<string, { secrets?: string[] }>
    secrets: Record<string, { file: string }>
  }
  const files = {
    livekit: liveKit.key_file,
    'jwt-service': composeVariables().LIVEKIT_KEY_FILE ?? '',
  }
  for (const [name, path] of Object.entries(files)) {
    const secret = path.replace('/run/secrets/', '')
    expect(services[name]?.secrets).toEqual([secret])
    expect(secrets[secret]?.file).toBe(`./${secret}`)
  }
  expect(files.livekit).not.toBe(files['jwt-service'])
})

test('LiveKit creates no rooms, and is the release that is tested with', () => {
  expect(liveKit.room.auto_create).toBe(false)
  const release = livekitInstallation.goPackage.split('@')[1]
  expect(exampleText('compose')).toContain(`image: livekit/livekit-server:${release}\n`)
})

test('Synapse has delayed events, and the listener that tells whose a token is', () => {
  const synapse = Bun.YAML.parse(exampleText('synapse')) as {
    listeners: { resources: { names: string[] }[] }[]
    max_event_delay_duration: string
    rc_delayed_event_mgmt: Record<string, number>
  }
  expect(synapse.listeners[0]?.resources[0]?.names).toContain('openid')
  expect(synapse.max_event_delay_duration).toBe('24h')
  expect(Object.keys(synapse.rc_delayed_event_mgmt)).toEqual(['per_second', 'burst_count'])
})

test('clients are told the path that the proxies have', () => {
  expect(JSON.parse(exampleText('well-known'))).toEqual({
    'm.homeserver': { base_url: 'https://matrix.example.com' },
    'org.matrix.msc4143.rtc_foci': [
      {
        type: 'livekit',
        livekit_service_url: 'https://matrix-rtc.example.com/livekit/jwt',
      },
    ],
  })
})
