import { version as ownVersion } from '../../package.json'
import { NOTES, RUNTIME_NOTE } from './licences.ts'
import type { CompiledPackage } from './packages.ts'

/** Package URL of a package of the npm registry. */
function purlOf({ name, version }: CompiledPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`
}

function licencesOf(licence: string): readonly object[] {
  if (licence === '') return []
  if (/[ ()]/.test(licence)) return [{ expression: licence.replace(/^\((.*)\)$/, '$1') }]
  return [{ license: { id: licence } }]
}

function componentOf(each: CompiledPackage): object {
  const purl = purlOf(each)
  const note = NOTES.get(each.name)
  const slash = each.name.indexOf('/')
  return {
    type: 'library',
    'bom-ref': purl,
    ...(slash < 0 ? {} : { group: each.name.slice(0, slash) }),
    name: each.name.slice(slash + 1),
    version: each.version,
    ...(note === undefined ? {} : { description: note }),
    scope: 'required',
    ...(each.sha512 === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: each.sha512 }] }),
    licenses: licencesOf(each.licence),
    purl,
  }
}

function runtimePurl(version: string): string {
  return `pkg:github/oven-sh/bun@bun-v${version}`
}

function runtimeComponent(version: string): object {
  const purl = runtimePurl(version)
  return {
    type: 'platform',
    'bom-ref': purl,
    name: 'bun',
    version,
    description: RUNTIME_NOTE,
    scope: 'required',
    licenses: [{ license: { id: 'MIT' } }],
    purl,
    externalReferences: [{ type: 'license', url: 'https://bun.com/docs/project/license' }],
  }
}

/**
 * The software bill of materials of the binary, as CycloneDX JSON: the packages that it holds files of,
 * and the runtime. It has neither a serial number nor a time, so that the same source gives the same
 * text. Hashes are those of the archives in the registry.
 *
 * @param runtimeVersion - of Bun
 * @see https://cyclonedx.org/docs/1.6/json/
 */
export function billOfMaterials(
  packages: readonly CompiledPackage[],
  runtimeVersion: string,
): string {
  const own = `jwt-service-ts@${ownVersion}`
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': own,
        name: 'jwt-service-ts',
        version: ownVersion,
      },
    },
    components: [runtimeComponent(runtimeVersion), ...packages.map(componentOf)],
    dependencies: [{ ref: own, dependsOn: [runtimePurl(runtimeVersion), ...packages.map(purlOf)] }],
  }
  return `${JSON.stringify(bom, undefined, 2)}\n`
}
