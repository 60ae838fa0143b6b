import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../e2e/installation/command.ts'
import { installOpenapiTypescript } from '../e2e/installation/openapi-typescript.ts'
import { openapiTypescriptInstallation } from '../e2e/installation/versions.ts'
import { startTestApp } from '../support/app.ts'

let directory: string

beforeAll(async () => {
  await installOpenapiTypescript()
  directory = await mkdtemp(join(tmpdir(), 'client-types-'))
}, 600_000)
afterAll(() => rm(directory, { recursive: true, force: true }))

/** The types that a client developer gets, without their comments. */
async function generatedTypes(): Promise<string> {
  await using app = await startTestApp()
  const document = await (await fetch(`${app.url}/swagger/json`)).text()
  const [file, output] = [join(directory, 'openapi.json'), join(directory, 'types.ts')]
  await Bun.write(file, document)
  await run([process.execPath, openapiTypescriptInstallation.program, file, '--output', output])
  return (await Bun.file(output).text()).replace(/^ *\/\*\*.*?\*\/\n/gms, '')
}

const SCHEMAS = `    schemas: {
        DelegateBody: {
            room_id: string;
            slot_id: string;
            openid_token: components["schemas"]["OpenIdToken"];
            member: components["schemas"]["Member"];
            delayed_event_id?: unknown;
            delay_id: string;
            delay_timeout: number;
            delay_cs_api_url?: unknown;
        };
        GetTokenBody: {
            room_id: string;
            slot_id: string;
            openid_token: components["schemas"]["OpenIdToken"];
            member: components["schemas"]["Member"];
            delayed_event_id?: unknown;
            delay_id?: string | null;
            delay_timeout?: number | null;
            delay_cs_api_url?: unknown;
        };
        LegacyBody: {
            room: string;
            room_id?: null;
            openid_token: components["schemas"]["OpenIdToken"];
            device_id?: string | null;
            delay_id?: string | null;
            delay_timeout?: number | null;
            delay_cs_api_url?: unknown;
        } & unknown;
        MatrixError: {
            errcode: "M_BAD_JSON" | "M_FORBIDDEN" | "M_INVALID_PARAM" | "M_LIMIT_EXCEEDED" | "M_MISSING_TOKEN" | "M_NOT_JSON" | "M_TOO_LARGE" | "M_UNAUTHORIZED" | "M_UNKNOWN" | "M_UNKNOWN_TOKEN" | "M_UNRECOGNIZED";
            error: string;
            retry_after_ms?: number;
        };
        Member: {
            id: string;
            claimed_user_id: string;
            claimed_device_id: string;
        };
        OpenIdToken: {
            access_token: string;
            token_type?: unknown;
            matrix_server_name: string;
            expires_in?: unknown;
        };
        TokenAnswer: {
            url: string;
            jwt: string;
        };
    };
`

test('client types that are generated from the OpenAPI document read as if written by hand', async () => {
  const types = await generatedTypes()
  expect(/^ {4}schemas: \{.*?^ {4}\};\n/ms.exec(types)?.[0]).toBe(SCHEMAS)
  const used = new Set(types.match(/(?<="application\/json": )components.*(?=;)/g))
  expect([...used].sort()).toEqual([
    'components["schemas"]["DelegateBody"]',
    'components["schemas"]["GetTokenBody"]',
    'components["schemas"]["LegacyBody"] | components["schemas"]["GetTokenBody"]',
    'components["schemas"]["MatrixError"]',
    'components["schemas"]["TokenAnswer"]',
  ])
}, 120_000)
