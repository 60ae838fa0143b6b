import { join } from 'node:path'
import { createAuthority } from '../support/certificates.ts'
import { freePort } from '../support/free-port.ts'
import { adapted, createFolder, exampleText, startTool } from './tools.ts'

/** Ports on loopback of what a proxy stands in front of. */
export interface Behind {
  /** The service. */
  readonly jwtPort: number
  /** Where the service has `/readyz`. */
  readonly metricsPort: number
  readonly liveKitPort: number
}

/** A proxy that runs with an example. */
export interface RunningProxy extends AsyncDisposable {
  /** Base URL; with `https`, by an authority that nobody knows. */
  readonly url: string
}

/** A configuration of nginx as a program of its own, with the example in it. */
export const NGINX_FILES = {
  'main.conf': `daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  include nginx.conf;
}
`,
}

/** The command of nginx for a folder with {@link NGINX_FILES}. */
export function nginxCommand(folder: string, ...args: readonly string[]): readonly string[] {
  return ['nginx', '-p', folder, '-c', join(folder, 'main.conf'), '-e', 'stderr', ...args]
}

/** The example for nginx with paths and ports of this machine; the certificate is in the files too. */
export async function nginxFiles(replacements: Readonly<Record<string, string>>) {
  await using authority = await createAuthority()
  const { certPem, keyPem } = await authority.issue({ dns: ['matrix-rtc.example.com'] })
  const text = adapted(exampleText('nginx'), {
    '/etc/ssl/matrix-rtc.example.com.pem': 'cert.pem',
    '/etc/ssl/matrix-rtc.example.com.key': 'key.pem',
    ...replacements,
  })
  return { ...NGINX_FILES, 'nginx.conf': text, 'cert.pem': certPem, 'key.pem': keyPem }
}

/** Starts nginx with the example. */
export async function startNginx({ jwtPort, liveKitPort }: Behind): Promise<RunningProxy> {
  const port = freePort('127.0.0.1')
  const files = await nginxFiles({
    'listen 443 ssl;': `listen 127.0.0.1:${port} ssl;`,
    'listen [::]:443 ssl;': '',
    '127.0.0.1:8080': `127.0.0.1:${jwtPort}`,
    '127.0.0.1:7880': `127.0.0.1:${liveKitPort}`,
  })
  return run(files, nginxCommand, `https://127.0.0.1:${port}`)
}

/** Starts Caddy with the example, without TLS: certificates would have to come from elsewhere. */
export async function startCaddy({
  jwtPort,
  metricsPort,
  liveKitPort,
}: Behind): Promise<RunningProxy> {
  const url = `http://127.0.0.1:${freePort('127.0.0.1')}`
  const text = adapted(exampleText('caddy'), {
    'matrix-rtc.example.com': url,
    'jwt-service:8080': `127.0.0.1:${jwtPort}`,
    'health_port 9090': `health_port ${metricsPort}`,
    'livekit:7880': `127.0.0.1:${liveKitPort}`,
  })
  const files = { Caddyfile: `{\n\tadmin off\n\tauto_https off\n}\n${text}` }
  return run(files, () => ['caddy', 'run', '--adapter', 'caddyfile', '--config', 'Caddyfile'], url)
}

async function run(
  files: Readonly<Record<string, string>>,
  command: (folder: string) => readonly string[],
  url: string,
): Promise<RunningProxy> {
  await using parts = new AsyncDisposableStack()
  const { path: folder } = parts.use(await createFolder(files))
  parts.use(await startTool({ command: command(folder), folder }, `${url}/livekit/jwt/healthz`))
  const owned = parts.move()
  return { url, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
