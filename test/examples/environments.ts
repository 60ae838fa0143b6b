import { exampleText } from './tools.ts'

/** Variables of the service, as an example sets them. */
export type Variables = Readonly<Record<string, string>>

interface ComposeFile {
  readonly services: Readonly<Record<string, { readonly environment?: Variables }>>
}

/** What the example for compose sets. */
export function composeVariables(): Variables {
  const { services } = Bun.YAML.parse(exampleText('compose')) as ComposeFile
  return services['jwt-service']?.environment ?? {}
}

interface Deployment {
  readonly spec: { readonly template: { readonly spec: { readonly containers: Container[] } } }
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[]
}

/** What the example for Kubernetes sets; `secret` stands for what comes from secrets. */
export function kubernetesVariables(secret: string): Variables {
  const [deployment] = Bun.YAML.parse(exampleText('kubernetes')) as [Deployment]
  const variables = deployment.spec.template.spec.containers.flatMap(({ env }) => env)
  return Object.fromEntries(variables.map(({ name, value = secret }) => [name, value]))
}

/** What the example for systemd sets. */
export function systemdVariables(): Variables {
  const lines = exampleText('systemd').matchAll(/^Environment=(\w+)=(.*)$/gm)
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]))
}
