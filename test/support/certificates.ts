import 'reflect-metadata'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'

/** A certificate with its private key, both PEM. */
export interface Certificate {
  readonly certPem: string
  readonly keyPem: string
}

/** What a certificate is valid for: DNS names (wildcards allowed), IP literals, and until when. */
export interface CertificateNames {
  readonly dns?: readonly string[]
  /** IPv4 or IPv6, without brackets. */
  readonly ip?: readonly string[]
  /** Defaults to a day from now; a time in the past makes an expired certificate. */
  readonly notAfter?: Date
}

/** A certificate authority that only tests trust. */
export interface Authority {
  readonly caPem: string
  /** Path of a file that holds {@link caPem}, for `NODE_EXTRA_CA_CERTS`. */
  readonly caFile: string
  /** The same names give the same certificate again. */
  issue(names: CertificateNames): Promise<Certificate>
  /** Removes the temporary directory of {@link caFile}. */
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 86_400_000

function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

function validity(notAfter = new Date(Date.now() + dayMs)) {
  return { notBefore: new Date(Math.min(Date.now(), notAfter.getTime()) - dayMs), notAfter }
}

async function selfSign(keys: CryptoKeyPair): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test authority',
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
}

async function issueCertificate(
  ca: x509.X509Certificate,
  caKeys: CryptoKeyPair,
  names: CertificateNames,
): Promise<Certificate> {
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=Test server',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    ...validity(names.notAfter),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...(names.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
        ...(names.ip ?? []).map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  })
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    certPem: certificate.toString('pem'),
    keyPem: x509.PemConverter.encode(key, 'PRIVATE KEY'),
  }
}

/** Makes a new authority (ECDSA P-256); every call makes another that does not trust the rest. */
export async function createAuthority(): Promise<Authority> {
  const keys = await generateKeys()
  const ca = await selfSign(keys)
  const caPem = ca.toString('pem')
  const directory = await mkdtemp(join(tmpdir(), 'test-authority-'))
  const caFile = join(directory, 'ca.pem')
  await writeFile(caFile, caPem)

  const issued = new Map<string, Promise<Certificate>>()
  const dispose = () => rm(directory, { recursive: true, force: true })
  return {
    caPem,
    caFile,
    issue(names) {
      const key = JSON.stringify([names.dns, names.ip, names.notAfter])
      const known = issued.get(key) ?? issueCertificate(ca, keys, names)
      issued.set(key, known)
      return known
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}
