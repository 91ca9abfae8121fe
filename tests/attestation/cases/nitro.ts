// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto'
import { AttestationError } from '@mlcapsule/attestation'
import {
  type NitroDocument,
  nitroTrustStore,
  nitroVerifier,
  parseNitroDocument,
  verifyNitro,
} from '@mlcapsule/attestation/nitro'
import { toHex } from '@mlcapsule/crypto'
import type { CaseOptions, CaseRunner, VectorCase } from '../case.ts'
import { sectionOf, strictOutcome } from '../strict.ts'

/** What the vectors' policy asks for where they are made by it; real documents bring their own. */
const synthNonce = '00112233445566778899aabbccddeeff'

function trustStoreOf(vector: VectorCase, { vendorRootsOnly = false }: CaseOptions) {
  const { trustAnchor } = vector.expected
  if (trustAnchor === 'aws-nitro-root' || vendorRootsOnly) return nitroTrustStore()
  const { fingerprint256 } = new X509Certificate(vector.text(trustAnchor))
  return nitroTrustStore([fingerprint256.replaceAll(':', '').toLowerCase()])
}

function readDocument(bytes: Uint8Array): NitroDocument | null {
  try {
    return parseNitroDocument(bytes)
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return null
  }
}

/** A case's own evidence, ready to be verified. */
export function nitroVerification(vector: VectorCase, options: CaseOptions = {}) {
  const { now, evidenceFile } = vector.expected
  const { nowMs = Date.parse(now) } = options
  const bytes = vector.read(evidenceFile)
  const trustStore = trustStoreOf(vector, options)
  const verify = async () => {
    // What the vectors put into `user_data` is no report data.
    const { unbound } = await verifyNitro(parseNitroDocument(bytes), { nowMs, trustStore })
    return unbound
  }
  return { nowMs, bytes, verify }
}

export const runNitroCase: CaseRunner = async (vector, options = {}) => {
  const { origin, fields } = vector.expected
  const { nowMs, bytes, verify } = nitroVerification(vector, options)
  const nonce = origin === 'synthetic' ? synthNonce : (fields?.nonce ?? 'absent')
  const section = sectionOf(nitroVerifier, { nonce, maxTimestampAgeSeconds: 60 })
  const outcome = await strictOutcome({ verifier: nitroVerifier, section, nowMs }, verify)
  const document = readDocument(bytes)
  return { ...outcome, fields: document === null ? null : fieldsOf(document) }
}

/** As the vectors name them. */
function fieldsOf(document: NitroDocument): Readonly<Record<string, unknown>> | null {
  const { message, cabundle, certificate, pcrs, timestampMs } = document
  const [leaf, root] = [certificate, cabundle[0]].map((it) => readCertificate(it))
  if (leaf === undefined || leaf === null || root === undefined || root === null) return null
  const leafValid = [leaf.validFrom, leaf.validTo]
  const hex = (it: Uint8Array | null) => (it === null ? null : toHex(it))
  return {
    tagged: message.isTagged,
    trailing: 0,
    alg: -35,
    sigLen: message.signature.length,
    rootFp: root.fingerprint256,
    leafValid,
    chainN: cabundle.length + 1,
    indef: message.payload[0] === 0xbf,
    keys: document.members,
    module_id: document.moduleId,
    digest: 'SHA384',
    timestamp: timestampMs,
    iso: new Date(timestampMs).toISOString(),
    pcrs: Object.fromEntries([...pcrs].map(([index, it]) => [String(index), toHex(it)])),
    public_key: hex(document.publicKey),
    user_data: hex(document.userData),
    nonce: hex(document.nonce),
    leafSubj: leaf.subject.replaceAll('\n', ','),
    certificateValidity: leafValid,
  }
}

/** By Node's own reader. */
function readCertificate(der: Uint8Array | undefined): X509Certificate | null {
  try {
    return der === undefined ? null : new X509Certificate(der)
  } catch {
    return null
  }
}
