import { isIP } from 'node:net'
import { connect } from 'node:tls'

/** The certificate that a server shows, whether or not it is a good one. */
export interface ShownCertificate {
  /** Names that it is for, the first few. */
  readonly names: readonly string[]
  readonly issuer: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Where to look. */
export interface CertificatePlace {
  readonly address: string
  readonly port: number
  readonly tlsServerName: string
}

const MAX_NAMES = 5
const MAX_LENGTH = 80

function firstNames(subjectAltName = ''): readonly string[] {
  const names = subjectAltName.split(', ').map((name) => name.replace(/^(?:DNS|IP Address):/, ''))
  const few = names.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_LENGTH))
  return names.length > MAX_NAMES ? [...few, `${names.length - MAX_NAMES} more`] : few
}

/** Looks at the certificate of a server without believing it; `undefined` if it shows none. */
export function showCertificate(
  { address, port, tlsServerName }: CertificatePlace,
  timeoutMs: number,
): Promise<ShownCertificate | undefined> {
  return new Promise((resolve) => {
    const servername = isIP(tlsServerName) === 0 ? { servername: tlsServerName } : {}
    const socket = connect({ host: address, port, ...servername, rejectUnauthorized: false })
    const end = (certificate: ShownCertificate | undefined) => {
      socket.destroy()
      resolve(certificate)
    }
    socket.setTimeout(timeoutMs, () => end(undefined))
    socket.once('error', () => end(undefined))
    socket.once('close', () => end(undefined))
    socket.once('secureConnect', () => {
      const { subjectaltname, issuer, valid_to } = socket.getPeerCertificate()
      const expiresAt = Date.parse(valid_to)
      if (Number.isNaN(expiresAt)) return end(undefined)
      const { O: organisation, CN: name } = issuer
      const shown = [organisation, name].flat().find((part) => part !== undefined) ?? 'unknown'
      end({ names: firstNames(subjectaltname), issuer: shown.slice(0, MAX_LENGTH), expiresAt })
    })
  })
}

/** For people: names, issuer, and the day on which it expires. */
export function certificateText({ names, issuer, expiresAt }: ShownCertificate): string {
  const day = new Date(expiresAt).toISOString().slice(0, 10)
  return `certificate for ${names.join(', ')} by ${issuer}, valid until ${day}`
}
