// SPDX-License-Identifier: Apache-2.0
import { cryptoReady, fromHex, openKeyRelease, Secret, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { CapsuleFindings } from './probe/capsules.ts'
import { associatedData, releaseInfo, tokenPayload } from './probe/crypto.ts'
import { floatsFrom, type ModelFindings } from './probe/inference.ts'
import type { Findings } from './probe/probe.ts'
import { findChromium } from './support/chromium.ts'
import { cborAnswers, openssl } from './support/known-answers.ts'
import { keys, type Outcome, runEverywhere } from './support/run-everywhere.ts'
import { loadVectors } from './support/vectors.ts'

const executablePath = findChromium()
const reason = executablePath === undefined ? ' (skipped: no Chromium on this machine)' : ''
const vectors = loadVectors()

/** Without what is drawn anew in each realm. */
function comparable({ crypto, ...others }: Findings) {
  const { fresh: _, ...release } = crypto.release
  return { ...others, crypto: { ...crypto, release } }
}

describe.skipIf(executablePath === undefined)(`the portable packages in Chromium${reason}`, () => {
  let outcome: Outcome
  beforeAll(async () => {
    await cryptoReady()
    outcome = await runEverywhere(executablePath as string, vectors)
  }, 60_000)

  describe.each(['page', 'worker'] as const)('%s', (realm) => {
    const found = (): Findings => {
      const { findings, failure } = outcome.reports[realm]
      if (findings === undefined) throw new Error(`the probe failed: ${failure}`)
      return findings
    }

    test('runs under a strict content security policy, and nothing goes against it', () => {
      found()
      expect(outcome.reports[realm].hasDocument).toBe(realm === 'page')
      expect(outcome.reports[realm].violations).toEqual({ byPackages: [], byEval: ['script-src eval'] })
    })

    test('crypto: hashes, derives, signs and seals as OpenSSL does', () => {
      const { hashes, derived, signing, release, aead } = found().crypto
      const { message, signingSeed, releaseKey, pageKey, nonce } = keys
      const sha256 = openssl.hash('sha256', message)
      const labelHex = (label: string): string => {
        const name = `mlcapsule/v1/${label}`
        return toHex(Uint8Array.of(name.length)) + toHex(utf8Bytes(name))
      }
      expect(hashes).toEqual({
        sha256,
        sha256Async: sha256,
        sha256Stream: sha256,
        sha384: openssl.hash('sha384', message),
        sha512: openssl.hash('sha512', message),
        hmacSha256: openssl.hmacSha256(pageKey, message),
        labeled: openssl.hash('sha256', labelHex('page') + message),
      })
      expect(derived).toBe(openssl.hkdfSha256(pageKey, 'salt', `${labelHex('blob')}01`))
      expect(signing).toMatchObject({
        publicKey: openssl.publicKey('ed25519', signingSeed),
        signature: openssl.signEd25519(signingSeed, message),
        verifies: true,
        changedVerifies: false,
      })
      expect(release.publicKey).toBe(openssl.publicKey('x25519', releaseKey))
      expect(aead).toEqual({
        sealed: openssl.seal(pageKey, nonce, associatedData, message),
        opened: message,
        otherPlace: 'SEAL_OPEN_FAILED',
      })
    })

    test("crypto: reads Node's tokens and key releases, and Node reads its own", async () => {
      const { tokens, release } = found().crypto
      expect(tokens).toEqual({
        signed: outcome.given.crypto.token,
        payload: tokenPayload,
        otherType: 'JWS_TYPE_MISMATCH',
        otherKey: 'JWS_KEY_UNKNOWN',
      })
      expect(release).toMatchObject({
        opened: keys.message,
        otherInfo: 'SEAL_OPEN_FAILED',
        openedOwn: keys.message,
      })
      const key = Secret.fromBytes('x25519-private', fromHex(keys.releaseKey))
      const { enc, ciphertext } = release.fresh
      const opened = await openKeyRelease(key, fromHex(enc), releaseInfo, fromHex(ciphertext))
      expect(toHex(opened)).toBe(keys.message)
    })

    test('crypto: writes deterministic CBOR and refuses any other', () => {
      expect(found().crypto.cbor).toEqual({
        encoded: cborAnswers,
        encodedAgain: cborAnswers,
        refused: ['CBOR_NOT_DETERMINISTIC', 'CBOR_MALFORMED', 'CBOR_MALFORMED', 'CBOR_MALFORMED'],
      })
    })

    test('crypto: a secret prints as [secret], and clones to nothing', () => {
      expect(found().crypto.secret).toEqual({
        text: '[secret]',
        joined: 'key: [secret]',
        json: '{"secret":"[secret]"}',
        cloned: '{}',
        ownNames: [],
      })
    })

    test('capsule-format: every vector ends as it should, from a Blob and over HTTP ranges', () => {
      for (const { given: it, expected } of vectors) {
        for (const kind of it.sources) {
          const name = `${it.name} from ${kind}`
          const { released, ...steps } = found().capsules[name] as CapsuleFindings
          const { released: expectedReleased = released, ...expectedSteps } = expected
          expect(steps, name).toEqual(expectedSteps)
          expect(released, name).toEqual(expectedReleased)
        }
      }
      expect(Object.keys(found().capsules)).toContain('ciphertext-changed from ranges')
    })

    test('capsule-format: a capsule packed just now opens whole, and packing gives the bytes of Node', () => {
      for (const name of ['digits', 'tiny-cnn']) {
        for (const kind of ['blob', 'ranges']) {
          const opened = found().capsules[`${name} from ${kind}`]
          expect(opened).toMatchObject({ open: 'ok', tree: 'ok', key: 'ok', pages: 'ok', program: 'ok' })
        }
      }
      expect(found().packed).toEqual(outcome.node.packed)
    })

    test.each(['digits', 'tiny-cnn'])('inference-kernels: %s answers as in Node, bit for bit', (name) => {
      const { wasm, reference, otherShape } = found().models[name] as ModelFindings
      expect(wasm).toEqual(outcome.node.models[name]?.wasm)
      const batch = outcome.given.models.find((it) => it.name === name)?.input.shape[0] as number
      expect(wasm).toMatchObject({ isa: 'wasm-relaxed-simd', shape: [batch, 10] })
      const scores = [...floatsFrom(wasm.data)]
      const expected = floatsFrom(outcome.node.models[name]?.reference.data as string)
      expect(scores).toHaveLength(batch * 10)
      expect(scores.slice(0, 10).reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 5)
      expect(Math.max(...scores.map((it, at) => Math.abs(it - (expected[at] as number))))).toBeLessThan(1e-5)
      expect(reference.shape).toEqual([batch, 10])
      expect(otherShape).toBe('KERNEL_INPUT_SHAPE_MISMATCH')
    })

    test('defense-plugins: defenses change scores as in Node', () => {
      expect(found().defenses).toEqual({
        rounding: [0.1, 0.8, 0.1, 0.3].map(Math.fround),
        topK: [0, 0.75, 0, 0.25],
        labelOnly: [0, 1, 0, 0],
        badConfig: 'DEFENSE_CONFIG_INVALID',
      })
    })

    test('attestation: a platform behind X.509 certificates is verified, and what is wrong has the same codes', () => {
      const { root } = outcome.given.evidence
      expect(found().evidence).toEqual({
        verified: { platform: 'skeleton', tier: 'none', root, measurement: { measurement: '11'.repeat(32) } },
        collateralNames: [['skeleton/crl/1', 'skeleton/crl/2']],
        codes: {
          asGiven: 'ok',
          otherReportData: 'ATTESTATION_REPORT_DATA_MISMATCH',
          noReportData: 'ATTESTATION_REPORT_DATA_MISMATCH',
          reportChanged: 'ATTESTATION_SIGNATURE_INVALID',
          certificateChanged: 'ATTESTATION_CERTIFICATE_INVALID',
          otherRoot: 'ATTESTATION_ROOT_UNKNOWN',
          noCollateral: 'ATTESTATION_COLLATERAL_MISSING',
          revoked: 'ATTESTATION_CERTIFICATE_REVOKED',
          tooLate: 'ATTESTATION_CERTIFICATE_EXPIRED',
          cutShort: 'ATTESTATION_EVIDENCE_MALFORMED',
        },
      })
    })

    test('attestation: evidence of SGX, TDX, SEV-SNP and Nitro is verified, and only under the root that is trusted', () => {
      const { platforms } = outcome.given
      expect(platforms.map(({ platform }) => platform)).toEqual(['sgx', 'tdx', 'sev-snp', 'nitro'])
      for (const { platform, root } of platforms) {
        expect(found().platforms[platform]).toMatchObject({
          tier: platform,
          root,
          codes: {
            vendorRoot: 'ATTESTATION_ROOT_UNKNOWN',
            changed: expect.stringMatching(/^ATTESTATION_/),
            otherReportData: 'ATTESTATION_REPORT_DATA_MISMATCH',
          },
        })
      }
    })

    test('gives in all things what Node gives', () => {
      expect(comparable(found())).toEqual(comparable(outcome.node))
    })
  })

  test('capsules were served in parts, and the console shows no key', () => {
    expect(outcome.rangeCount).toBeGreaterThan(100)
    expect(outcome.consoleLines.filter((line) => line.includes('Secret'))).toHaveLength(2)
    const pageKeyText = [keys.pageKey, [...fromHex(keys.pageKey)].slice(0, 4).join()]
    expect(outcome.consoleLines.filter((line) => pageKeyText.some((text) => line.includes(text)))).toEqual([])
  })
})
