// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  amdFetcher,
  amdKdsUrl,
  intelFetcher,
  intelPcsUrl,
  intelRootCrlUrl,
  vendorFetcher,
} from '@mlcapsule/attestation/collateral'
import { describe, expect, test } from 'vitest'
import { missing, sharedDir } from '../support/shared.ts'

const skipped = missing('attestation-vectors')

/** Where the certificates of a vendor's file say that lists of revoked certificates are, in any of them. */
function namedBy(file: string): readonly string[] {
  const pem = readFileSync(join(sharedDir, 'attestation-vectors', 'trust-anchors', file), 'utf8')
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END/g)]
  return blocks.flatMap(([, body = '']) => urlsIn(Buffer.from(body, 'base64')))
}

/** A URL among general names: its tag (6, of the context), its length in one byte, its text. */
function urlsIn(der: Buffer): readonly string[] {
  return [...der.toString('latin1').matchAll(/\x86(.)https:/gs)].map((found) => {
    const at = found.index + 2
    return der.toString('latin1', at, at + (found[1] as string).charCodeAt(0))
  })
}

async function addressOf(name: string): Promise<string> {
  const asked: string[] = []
  const fetch = async (input: unknown) => {
    asked.push(String(input))
    return new Response(Uint8Array.of(0x30, 0x00))
  }
  const fetcher = vendorFetcher({
    intel: intelFetcher({
      baseUrl: intelPcsUrl,
      rootCrlUrl: intelRootCrlUrl,
      fetch: fetch as typeof globalThis.fetch,
    }),
    amd: amdFetcher({ baseUrl: amdKdsUrl, fetch: fetch as typeof globalThis.fetch }),
  })
  await fetcher.fetch(name)
  return asked.join()
}

describe.skipIf(skipped !== null)(`addresses of lists of revoked certificates ${skipped ?? ''}`, () => {
  test.each([
    ['intel/root-crl', 'intel-sgx-root-ca.pem'],
    ['amd/crl/vcek/Milan', 'amd-ask-ark-milan.pem'],
    ['amd/crl/vcek/Genoa', 'amd-ask-ark-genoa.pem'],
    ['amd/crl/vcek/Turin', 'amd-ask-ark-turin-vcek.pem'],
    ['amd/crl/vlek/Milan', 'amd-ask-ark-milan-vlek.pem'],
    ['amd/crl/vlek/Genoa', 'amd-ask-ark-genoa-vlek.pem'],
    ['amd/crl/vlek/Turin', 'amd-ask-ark-turin-vlek.pem'],
  ])("%s is fetched from where the vendor's own certificates say", async (name, file) => {
    expect(namedBy(file)).toContain(await addressOf(name))
  })
})
