import { expect, test } from 'bun:test'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { dependencies } from '../../package.json'
import { isPermitted } from '../../src/build/licences.ts'
import { compiledPackages } from '../../src/build/packages.ts'
import { billOfMaterials } from '../../src/build/sbom.ts'

const packages = await compiledPackages()

test('everything that is compiled in has a permitted licence', () => {
  expect(packages.filter(({ licence }) => !isPermitted(licence))).toEqual([])
})

test('the packages of the lock file that are compiled in are known, with their hashes', () => {
  const names = packages.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining([...Object.keys(dependencies), 'swagger-ui-dist']))
  expect(names).not.toContain('typescript')
  expect(packages.filter(({ sha512 }) => sha512?.length !== 128)).toEqual([])
})

test('the bill of materials is valid CycloneDX 1.6', async () => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6)
  expect(await validator.validate(billOfMaterials(packages, '1.4.5'))).toBeNull()
  expect(
    await validator.validate('{"bomFormat":"CycloneDX","specVersion":"1.6","x":1}'),
  ).not.toBeNull()
})

test('the bill of materials has nothing in it that changes from build to build', async () => {
  const text = billOfMaterials(packages, '1.4.5')
  expect(billOfMaterials(await compiledPackages(), '1.4.5')).toBe(text)
  expect(text).not.toMatch(/timestamp|serialNumber/)
  expect(text).not.toContain(process.cwd())
})

test('a package is named by its purl, licence and hash', () => {
  const sha512 = 'ab'.repeat(64)
  const bom = billOfMaterials(
    [{ name: '@scope/name', version: '1.0.0', licence: '(MIT AND ISC)', sha512 }],
    '1.4.5',
  )
  expect(JSON.parse(bom).components[1]).toEqual({
    type: 'library',
    'bom-ref': 'pkg:npm/%40scope/name@1.0.0',
    group: '@scope',
    name: 'name',
    version: '1.0.0',
    scope: 'required',
    hashes: [{ alg: 'SHA-512', content: sha512 }],
    licenses: [{ expression: 'MIT AND ISC' }],
    purl: 'pkg:npm/%40scope/name@1.0.0',
  })
})

test.each([
  ['MIT', true],
  ['(Apache-2.0 AND BSD-3-Clause)', true],
  ['GPL-3.0-only OR MIT', true],
  ['MIT AND GPL-3.0-only', false],
  ['MIT OR (MIT AND GPL-3.0-only)', true],
  ['GPL-3.0-only', false],
  ['SEE LICENSE IN LICENSE', false],
  ['UNLICENSED', false],
  ['', false],
])('the licence %p is permitted: %p', (licence, expected) => {
  expect(isPermitted(licence)).toBe(expected)
})
