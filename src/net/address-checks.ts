import { type AddressPolicy, denyingNetwork, type Network } from './networks.ts'

const MAX_REMEMBERED = 10_000

/**
 * Checks addresses against policies. The verdict on an address is asked for with every request and
 * never changes: it is remembered.
 */
export class AddressChecks {
  readonly #verdicts = new WeakMap<AddressPolicy, Map<string, Network | undefined>>()

  /** The network because of which `address` may not be connected to, or `undefined` when it may. */
  denyingNetwork(address: string, policy: AddressPolicy): Network | undefined {
    const verdicts = this.#verdictsBy(policy)
    if (verdicts.has(address)) return verdicts.get(address)
    const verdict = denyingNetwork(address, policy)
    if (verdicts.size >= MAX_REMEMBERED) verdicts.clear()
    verdicts.set(address, verdict)
    return verdict
  }

  #verdictsBy(policy: AddressPolicy): Map<string, Network | undefined> {
    const known = this.#verdicts.get(policy)
    if (known !== undefined) return known
    const verdicts = new Map<string, Network | undefined>()
    this.#verdicts.set(policy, verdicts)
    return verdicts
  }
}
