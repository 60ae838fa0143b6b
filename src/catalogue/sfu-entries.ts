import type { WebhookWatchCode } from '../app/webhook-watch.ts'
import type { SfuCode } from '../livekit/sfu-error.ts'
import type { WebhookCode } from '../livekit/webhook.ts'
import type { Entry } from './entry.ts'

const ADDRESS = 'LIVEKIT_INTERNAL_URL (where it is not set: LIVEKIT_URL)'
/** A URL that is right for clients must not be "corrected". */
const SPLIT =
  'If clients reach LIVEKIT_URL, leave it, and set LIVEKIT_INTERNAL_URL to where this service reaches LiveKit'
const KEY_PAIR =
  'LIVEKIT_KEY and LIVEKIT_SECRET, or the line in LIVEKIT_KEY_FILE, must be a pair under "keys" or in the ' +
  '"key_file" of LiveKit\'s configuration'
const TRUST = 'NODE_EXTRA_CA_CERTS can name a PEM file with the root that signed it'

/** Calls of the SFU's API, and webhooks from it. */
export const SFU_ENTRIES: Readonly<Record<SfuCode | WebhookCode | WebhookWatchCode, Entry>> = {
  'sfu.refused': {
    sentence: "Nothing listens at the address of the SFU's API.",
    remedy: `Start LiveKit. ${SPLIT}; otherwise correct host and port.`,
  },
  'sfu.closed': {
    sentence: 'The SFU, or a proxy before it, closed the connection without an answer.',
    remedy: `Check scheme and port of ${ADDRESS}: "ws" and "http" are for a port without TLS.`,
  },
  'sfu.unreachable': {
    sentence: 'There is no route to the SFU.',
    remedy: `${SPLIT}; otherwise check network and firewall.`,
  },
  'sfu.timeout': {
    sentence: 'The SFU did not answer in time.',
    remedy: `${SPLIT} (a container behind NAT); otherwise check firewall and load.`,
  },
  'sfu.no-address': {
    sentence: 'The host name of the SFU has no address.',
    remedy: `${SPLIT}; otherwise correct the host, which the name servers of a container must know.`,
  },
  'sfu.dns-failed': {
    sentence: "The name server did not answer the question for the SFU's address.",
    remedy: 'Check the name servers in /etc/resolv.conf of this machine or container.',
  },
  'sfu.certificate-expired': {
    sentence: "The SFU's certificate has expired.",
    remedy: 'Renew it, and have the proxy before the SFU load the new one; check the clock here.',
  },
  'sfu.certificate-not-yet-valid': {
    sentence: "The SFU's certificate is not valid yet.",
    remedy: 'Set the clock of this machine, and of the one that issued the certificate.',
  },
  'sfu.certificate-for-another-name': {
    sentence: "The SFU's certificate is for another name.",
    remedy: `${SPLIT} (inside your network, without TLS); otherwise it needs a certificate for the host.`,
  },
  'sfu.certificate-untrusted': {
    sentence: "The SFU's certificate is not signed by an authority that is trusted here.",
    remedy: `Serve the whole chain, or trust the authority: ${TRUST}.`,
  },
  'sfu.tls-failed': {
    sentence: 'The SFU, or a proxy before it, and this service could not agree on TLS.',
    remedy: `Check scheme and port of ${ADDRESS}: "ws" and "http" are for a port without TLS.`,
  },
  'sfu.needs-tls': {
    sentence: "What answers at the SFU's address asks for TLS.",
    remedy: `Begin ${ADDRESS} with "wss", and check the port.`,
  },
  'sfu.malformed-answer': {
    sentence: "What answers at the SFU's address does not speak HTTP.",
    remedy: `Check scheme and port of ${ADDRESS}: the API has the same port as the WebSocket.`,
  },
  'sfu.connection-failed': {
    sentence: 'The connection to the SFU failed.',
    remedy: `Check scheme, host and port of ${ADDRESS}.`,
  },
  'sfu.busy': {
    sentence: 'Too many rooms are being created at a time.',
    remedy: 'The SFU answers slowly: check its load.',
  },
  'sfu.unavailable': {
    sentence: 'The SFU, or a proxy before it, cannot serve requests now.',
    remedy: "Check LiveKit's log; if a proxy answers, whether LiveKit runs behind it.",
  },
  'sfu.wrong-path': {
    sentence: "What answers at the SFU's address is not LiveKit's API.",
    remedy: `Check host and path prefix of ${ADDRESS}; a proxy must pass on the path "/twirp" too.`,
  },
  'sfu.wrong-credentials': {
    sentence: 'The SFU does not accept the API key and secret.',
    remedy: `${KEY_PAIR}; if they are, compare the clocks.`,
  },
  'sfu.call-refused': {
    sentence: 'The SFU refused a call of its API.',
    remedy: "Look for the call in LiveKit's log; a limit there, or its version, may be the reason.",
  },
  'sfu.bad-answer': {
    sentence: "The SFU's answer cannot be understood, or is about something else.",
    remedy: `Check whether LiveKit itself answers at ${ADDRESS}, and not a cache before it.`,
  },
  'webhook.unsigned': {
    sentence: 'A webhook came without a token.',
    remedy:
      'The SFU signs its webhooks: somebody else sent it, or a proxy removes the "Authorization" header.',
  },
  'webhook.wrong-secret': {
    sentence: 'A webhook is signed with another secret.',
    remedy: `${KEY_PAIR}, and "webhook.api_key" there that key.`,
  },
  'webhook.wrong-key': {
    sentence: 'A webhook is signed with another API key.',
    remedy: `${KEY_PAIR}, and "webhook.api_key" there that key.`,
  },
  'webhook.expired': {
    sentence: 'The token of a webhook has expired.',
    remedy: 'Compare the clocks of this machine and of the SFU.',
  },
  'webhook.malformed': {
    sentence: 'A webhook is not what its token says.',
    remedy: 'Nothing between the SFU and this service may change the body of a request.',
  },
  'webhook.never-comes': {
    sentence: 'The SFU delivers no webhooks, so leaves are noticed late.',
    remedy:
      'Add the URL of this service with the path /sfu_webhook to "webhook.urls" of LiveKit\'s ' +
      'configuration, with "webhook.api_key" set to LIVEKIT_KEY; the SFU must be able to reach it.',
  },
}
