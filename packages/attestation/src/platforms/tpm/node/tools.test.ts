// SPDX-License-Identifier: Apache-2.0
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { concatBytes, cryptoReady, sha256, toHex } from '@mlcapsule/crypto'
import { codeOf, seeded } from '@mlcapsule/crypto/testing'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  attestBytes,
  makeAk,
  pcrValue,
  publicArea,
  quotedPcrs,
  type TestAk,
  tpm2b,
} from '../../../../test/tpm.ts'
import { tpmQualifyingData } from '../../../report/claims.ts'
import { parseTpmEvidence } from '../evidence.ts'
import { parsePublicArea } from '../public-area.ts'
import {
  activateCredential,
  answerOffer,
  createAttestationKey,
  readEkCertificate,
  requestEnrollment,
  tpmAttester,
} from './index.ts'

const reportData = new Uint8Array(64).fill(7)
const handle = 0x81010010
const failed = 'ATTESTATION_DEVICE_FAILED'

/**
 * Plays tpm2-tools: writes down what it is called with and where, and gives the files that lie beside it. Values of
 * registers may be others at each call.
 */
const script = `#!/bin/sh
here=$(dirname "$0")
echo "$1" >> "$here/calls"
pwd > "$here/folder"
case "$1" in
  readpublic)
    if [ -e "$here/public" ]; then cp "$here/public" public; else exit 1; fi ;;
  nvread) cp "$here/certificate" certificate ;;
  evictcontrol) cp "$here/new-public" "$here/public" ;;
  quote)
    count=$(grep -c quote "$here/calls")
    cp "$here/attest" attest
    cp "$here/signature" signature
    if [ -e "$here/values-$count" ]; then cp "$here/values-$count" values; else cp "$here/values" values; fi ;;
  activatecredential)
    echo "certinfodata:$(cat "$here/secret")"
    echo 'ERROR: the credential does not fit' >&2
    exit 1 ;;
esac
`

describe.skipIf(process.platform === 'win32')(
  'the attester of TPMs, beside a program that plays its tools',
  () => {
    const path = process.env.PATH
    let ak: TestAk
    let folder: string
    const put = (name: string, bytes: Uint8Array | string) => writeFileSync(join(folder, name), bytes)
    const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n')
    const values = concatBytes(...quotedPcrs.map(pcrValue))
    const attest = (changes: Parameters<typeof attestBytes>[0] = {}) =>
      attestBytes({ extraData: tpmQualifyingData(reportData), ...changes })

    beforeAll(async () => {
      await cryptoReady()
      ak = await makeAk()
    })
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'mlcapsule-tools-'))
      put('tpm2', script)
      chmodSync(join(folder, 'tpm2'), 0o700)
      put('public', tpm2b(ak.publicArea))
      put('attest', attest())
      put('signature', await ak.sign(attest()))
      put('values', values)
      process.env.PATH = `${folder}:${path}`
    })
    afterEach(() => {
      process.env.PATH = path
      rmSync(folder, { recursive: true })
    })
    const produce = () =>
      tpmAttester({ handle, pcrs: quotedPcrs, akCredential: 'credential' }).produce(reportData)

    test('gives what the tools gave, and leaves nothing behind', async () => {
      const evidence = parseTpmEvidence((await produce()).bytes)
      expect(evidence).toMatchObject({
        attest: attest(),
        akPublic: ak.publicArea,
        akCredential: 'credential',
      })
      expect([...(evidence.pcrs.get('sha256') ?? [])]).toEqual(quotedPcrs.map((pcr) => [pcr, pcrValue(pcr)]))
      expect(calls()).toEqual(['readpublic', 'quote', 'flushcontext'])
      expect(existsSync(readFileSync(join(folder, 'folder'), 'utf8').trim())).toBe(false)
    })

    test('asks anew where something was measured in between, three times at most', async () => {
      const before = concatBytes(seeded('before'), values.slice(32))
      put('values-1', before)
      put('values-2', before)
      expect(await codeOf(produce)).toBe('ok')
      expect(calls().filter((it) => it === 'quote')).toHaveLength(3)
      put('calls', '')
      put('values-3', before)
      expect(await codeOf(produce)).toBe('ATTESTATION_DEVICE_CONTENDED')
      expect(calls().filter((it) => it === 'quote')).toHaveLength(3)
    })

    test.each<[string, () => void]>([
      ['a quote that binds something else', () => put('attest', attest({ extraData: seeded('x') }))],
      ['bytes that are no quote', () => put('attest', new Uint8Array(40))],
      ['fewer values than were asked for', () => put('values', values.slice(32))],
      ['values of another bank', () => put('values', concatBytes(values, values.slice(0, 64)))],
      [
        'a public area with bytes behind it',
        () => put('public', concatBytes(tpm2b(ak.publicArea), Uint8Array.of(0))),
      ],
      ['a file without an end', () => put('attest', new Uint8Array(9000))],
      ['no file', () => rmSync(join(folder, 'signature'))],
    ])('refuses %s', async (_what, change) => {
      change()
      expect(await codeOf(produce)).toBe(failed)
    })

    test('#79 the secret that a tool prints reaches no error', async () => {
      const secret = toHex(sha256(seeded('secret')))
      put('secret', secret)
      const sealed = { idObject: new Uint8Array(68), encryptedSecret: new Uint8Array(256) }
      const error: unknown = await activateCredential(sealed, { handle, ek: 'rsa' }).catch(
        (it: unknown) => it,
      )
      expect(error).toMatchObject({ code: failed })
      expect(String(error)).toContain('the credential does not fit')
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret)
      expect(calls().slice(-4)).toEqual([
        'policysecret',
        'activatecredential',
        'flushcontext',
        'flushcontext',
      ])
    })

    const certificate = concatBytes(Uint8Array.of(0x30, 0x82, 0x01, 0x00), new Uint8Array(256).fill(7))
    test.each<[string, Uint8Array, Uint8Array]>([
      ['as it is', certificate, certificate],
      ['without the zeros behind it', concatBytes(certificate, new Uint8Array(700)), certificate],
      ['without the ones behind it', concatBytes(certificate, new Uint8Array(9).fill(0xff)), certificate],
      [
        'with what else is behind it',
        concatBytes(certificate, Uint8Array.of(0, 1)),
        concatBytes(certificate, Uint8Array.of(0, 1)),
      ],
      ['cut off, as it is', certificate.slice(0, 40), certificate.slice(0, 40)],
      ['where it is none, as it is', new Uint8Array(300), new Uint8Array(300)],
    ])('the certificate of an endorsement key is read %s', async (_what, stored, expected) => {
      put('certificate', stored)
      expect(await readEkCertificate('rsa')).toEqual(expected)
    })

    describe('a request for enrollment', () => {
      const asked = { handle, keyType: 'ecc', ek: 'rsa', intermediates: [Uint8Array.of(5)] } as const
      beforeEach(() => put('certificate', certificate))

      test('is about the key that is there', async () => {
        const { name } = parsePublicArea(ak.publicArea)
        expect(await requestEnrollment(asked)).toEqual({
          request: { akPublic: ak.publicArea, chain: [certificate, Uint8Array.of(5)] },
          akName: toHex(name),
          isKeyNew: false,
        })
        expect(calls()).not.toContain('createak')
        expect(await codeOf(() => requestEnrollment({ ...asked, keyType: 'rsa' }))).toBe(
          'ATTESTATION_CLAIMS_INVALID',
        )
      })

      test('makes the key where there is none, and none where the TPM has no certificate', async () => {
        rmSync(join(folder, 'public'))
        put('new-public', tpm2b(ak.publicArea))
        rmSync(join(folder, 'certificate'))
        expect(await codeOf(() => requestEnrollment(asked))).toBe(failed)
        expect(calls()).not.toContain('createak')
        put('certificate', certificate)
        expect(await requestEnrollment(asked)).toMatchObject({ isKeyNew: true })
        expect(calls()).toContain('evictcontrol')
      })

      test('#69 is not about a key that signs anything', async () => {
        put('public', tpm2b(publicArea('ecdsa', ak.jwk, { attributes: 0x0004_0072 })))
        expect(await codeOf(() => requestEnrollment(asked))).toBe('ATTESTATION_EVIDENCE_UNSUPPORTED')
      })

      test('an offer for another key is not opened', async () => {
        const sealed = { idObject: new Uint8Array(68), encryptedSecret: new Uint8Array(256) }
        const offer = { id: '00'.repeat(16), akName: `000b${'00'.repeat(32)}`, ek: 'rsa', sealed } as const
        expect(await codeOf(() => answerOffer(offer, { handle }))).toBe('ATTESTATION_ENDORSEMENT_MISMATCH')
        expect(calls()).not.toContain('activatecredential')
      })
    })

    test('no tools at all', async () => {
      process.env.PATH = join(folder, 'nowhere')
      expect(await codeOf(produce)).toBe('ATTESTATION_DEVICE_UNAVAILABLE')
      expect(await codeOf(() => createAttestationKey({ handle, keyType: 'ecc', ek: 'rsa' }))).toBe(
        'ATTESTATION_DEVICE_UNAVAILABLE',
      )
    })
  },
)
