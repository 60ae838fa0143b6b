import { expect, test } from 'bun:test'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTokenSigner } from '../../src/livekit/access-token.ts'
import { createRoomService } from '../../src/livekit/room-service.ts'
import { adapted, exampleText } from '../examples/tools.ts'
import { startProcess } from '../support/child-process.ts'
import { freePort } from '../support/free-port.ts'
import { untilAnswering } from '../support/readiness.ts'
import { run } from './installation/command.ts'
import { livekitInstallation, synapseInstallation } from './installation/versions.ts'
import { synapseConfig } from './support/synapse-config.ts'
import { createTemporaryDirectory } from './support/temporary-directory.ts'

const address = '127.0.0.1'
const SECRETS = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'] as const

/** Asks LiveKit for something with a key; it must be one that LiveKit knows. */
function askLiveKit(sfuUrl: string, apiKey: string, apiSecret: string): Promise<void> {
  const signer = createTokenSigner({ apiKey, apiSecret }, Date.now)
  return createRoomService({ sfuUrl, signer, now: Date.now }).check()
}

test('LiveKit starts with its example, and takes all keys of its key file', async () => {
  await using directory = await createTemporaryDirectory('e2e-examples')
  const port = freePort(address)
  const keyFile = join(directory.path, 'livekit_keys')
  const configFile = join(directory.path, 'livekit.yaml')
  const text = adapted(exampleText('livekit'), {
    'port: 7880': `port: ${port}\nbind_addresses: [${address}]`,
    'tcp_port: 7881': `tcp_port: ${freePort(address)}`,
    // Asks a server in the internet.
    'use_external_ip: true': 'use_external_ip: false',
    '/run/secrets/livekit_keys': keyFile,
  })
  await writeFile(configFile, text)
  await writeFile(keyFile, `matrix: ${SECRETS[0]}\nmatrix2: ${SECRETS[1]}\n`)
  await chmod(keyFile, 0o640)
  await using liveKit = startProcess({
    command: [livekitInstallation.executable, '--config', configFile],
    logFile: join(directory.path, 'livekit.log'),
  })
  const url = `http://${address}:${port}`
  await untilAnswering(liveKit, `${url}/`, 30_000)
  expect(liveKit.output()).toContain('"rtc.portICERange": [50100, 50200]')
  await askLiveKit(url, 'matrix', SECRETS[0])
  await askLiveKit(url, 'matrix2', SECRETS[1])
  await expect(askLiveKit(url, 'matrix', SECRETS[1])).rejects.toThrow()
})

test.each([
  ['server.listeners', "names=['client', 'openid']"],
  ['server.max_event_delay_duration', '1 day, 0:00:00'],
  ['ratelimiting.rc_delayed_event_mgmt', 'per_second=100, burst_count=500'],
])('Synapse reads %s from its example', async (key, expected) => {
  await using directory = await createTemporaryDirectory('e2e-examples')
  const base = join(directory.path, 'base.yaml')
  const part = join(directory.path, 'synapse.yaml')
  const { listeners, max_event_delay_duration, rc_delayed_event_mgmt, log_config, ...others } =
    synapseConfig({
      serverName: 'example.com',
      directory: directory.path,
      address,
      plainPort: 8008,
      tlsPort: 8448,
      registrationSecret: 'unused',
    })
  await writeFile(
    base,
    JSON.stringify({
      ...others,
      signing_key: 'ed25519 a_1 WWEgyvXpXpXpXpXpXpXpXpXpXpXpXpXpXpXpXpXpXpU',
    }),
  )
  await writeFile(part, exampleText('synapse'))
  const read = ['-m', 'synapse.config', 'read', key]
  const printed = await run([synapseInstallation.python, ...read, '-c', base, '-c', part])
  expect(printed).toContain(expected)
})
