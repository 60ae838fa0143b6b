import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { firstBytes } from './first-bytes.ts'

const STATUS_LINE = /^HTTP\/1\.1 (\d{3}) /

function upgradeRequest({ host, pathname }: URL, jwt: string): string {
  const path = `${pathname.replace(/\/+$/, '')}/rtc?access_token=${jwt}&protocol=15&auto_subscribe=1`
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64')
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    '\r\n',
  ].join('\r\n')
}

function open({ protocol, hostname, port }: URL) {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol === 'http:') return connect({ host, port: Number(port || 80) })
  const name = isIP(host) === 0 ? { servername: host } : {}
  return connectTls({ host, port: Number(port || 443), ...name })
}

/**
 * Asks to join a LiveKit room as a client does, and hangs up at once. A `WebSocket` would not say with
 * which status it was refused.
 *
 * @param base - URL of the SFU, with `http` or `https`
 * @returns the HTTP status, 101 when the participant was let in; `undefined` without an answer
 */
export async function signallingStatus(
  base: string,
  jwt: string,
  timeoutMs: number,
): Promise<number | undefined> {
  const url = new URL(base)
  const request = upgradeRequest(url, jwt)
  const bytes = 'HTTP/1.1 101 '.length
  const answer = await firstBytes(open(url), { request, bytes, timeoutMs })
  const status = STATUS_LINE.exec(answer)?.[1]
  return status === undefined ? undefined : Number(status)
}
