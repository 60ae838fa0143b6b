import { metricsBind, networkList, rateLimit } from './parsers.ts'
import { setting } from './reader.ts'

/** Settings about limits, and about the listener for whoever runs the service. */
export const OPERATION_SETTINGS = {
  rateLimit: setting({
    name: 'LIVEKIT_RATE_LIMIT',
    defaultText: 'on (an address: 50/1000; a user: 2/20)',
    meaning:
      'requests a second and burst of an address, such as "10/50"; "on" for the default, "off" for no ' +
      'limit of any kind',
    parse: rateLimit,
  }),
  trustedProxies: setting({
    name: 'LIVEKIT_TRUSTED_PROXIES',
    defaultText: 'loopback and private networks',
    meaning: 'networks whose X-Forwarded-For is believed, separated by commas; "none" for none',
    parse: networkList,
  }),
  metricsBind: setting({
    name: 'LIVEKIT_METRICS_BIND',
    defaultText: 'off',
    meaning:
      'a listener of its own for /metrics (Prometheus) and /readyz, such as ":9090"; never public; "off" ' +
      'for none',
    parse: metricsBind,
  }),
}
