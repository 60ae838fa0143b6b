import type { Environment, ReadFile, SettingsReader } from './reader.ts'
import { guide } from './setting.ts'
import { fileMistake } from './setting-files.ts'

/** Variables that the runtime reads by itself, as far as operators want to set them. */
export const RUNTIME_GUIDES = [
  guide({
    name: 'NODE_EXTRA_CA_CERTS',
    defaultText: 'none',
    meaning: 'a PEM file of further trusted root certificates',
    details: `
A file of root certificates, in PEM, that are trusted beside those in the program: for
homeservers, an SFU or a Redis with certificates of your own authority. A file that cannot be read
is ignored, with a warning.`,
    example: '/etc/ssl/own-authority.pem',
  }),
  guide({
    name: 'HTTPS_PROXY',
    aliases: ['https_proxy'],
    defaultText: 'none',
    meaning: 'a proxy for https: requests to homeservers and the SFU',
    details: `
An HTTP proxy for requests to https: URLs of homeservers and of the SFU. It gets CONNECT requests:
those for homeservers that were discovered name the very address that was checked, the others a
host. Chunk extensions, trailers and interim answers of homeservers are then bounded by time
alone. The health check and Redis use no proxy.`,
    example: 'http://proxy.example.com:3128',
  }),
  guide({
    name: 'HTTP_PROXY',
    aliases: ['http_proxy'],
    defaultText: 'none',
    meaning: 'a proxy for http: requests to homeservers and the SFU',
    details: `
An HTTP proxy for requests to http: URLs: an SFU at http: or ws:, and overrides that begin with
http:. They go through the proxy as they are, tokens included, so exempt such hosts with NO_PROXY.`,
    example: 'http://proxy.example.com:3128',
  }),
  guide({
    name: 'NO_PROXY',
    aliases: ['no_proxy'],
    defaultText: 'none',
    meaning: 'hosts that are reached without HTTPS_PROXY and HTTP_PROXY, separated by commas',
    details: `
Hosts that are reached without the proxies of HTTPS_PROXY and HTTP_PROXY, separated by commas.`,
    example: 'synapse,livekit',
  }),
  guide({
    name: 'NO_COLOR',
    defaultText: 'none',
    meaning: 'any text turns the colours of a pretty log off',
    details: `
Turns the colours off that log lines have on a terminal (see LIVEKIT_LOG_FORMAT), whatever its
text is.`,
    example: '1',
  }),
]

/** Whether the runtime sends HTTPS requests through a proxy. */
export function usesHttpsProxy(env: Environment): boolean {
  return [env.HTTPS_PROXY, env.https_proxy].some((proxy) => (proxy ?? '') !== '')
}

/** Warns of variables of the runtime that weaken what is promised, or promise what is not there. */
export function checkRuntime(reader: SettingsReader, env: Environment, readFile: ReadFile): void {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    reader.warn(
      'NODE_TLS_REJECT_UNAUTHORIZED',
      'CERTIFICATES OF THE SFU AND OF REDIS ARE NOT CHECKED while it is "0"',
    )
  }
  if ((env.BUN_CONFIG_VERBOSE_FETCH ?? '') !== '') {
    reader.warn(
      'BUN_CONFIG_VERBOSE_FETCH',
      'TOKENS ARE PRINTED: every request to homeservers and to the SFU is; unset it',
    )
  }
  const extraRoots = env.NODE_EXTRA_CA_CERTS ?? ''
  if (extraRoots === '') return
  try {
    readFile(extraRoots)
  } catch (error) {
    const { wrong, expected } = fileMistake(error)
    reader.warn('NODE_EXTRA_CA_CERTS', `${wrong}, and is ignored; ${expected}`)
  }
}
