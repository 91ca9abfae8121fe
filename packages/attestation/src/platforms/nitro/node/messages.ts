// SPDX-License-Identifier: Apache-2.0
import { encodeCbor } from '@mlcapsule/crypto'
import { decode } from 'cborg'
import { deviceFailed } from '../../../devices/node/device-file.ts'

/**
 * What asks for an attestation document that holds these bytes as its `user_data`, and nothing else of the caller's.
 * @see AWS Nitro Enclaves NSM API, `Request::Attestation`
 */
export function attestationRequest(userData: Uint8Array): Uint8Array {
  return encodeCbor({ Attestation: { user_data: userData, nonce: null, public_key: null } })
}

/**
 * The document in an answer, as the module signed it.
 * @throws AttestationError `ATTESTATION_DEVICE_FAILED`, also where the module answers that it refuses
 * @see AWS Nitro Enclaves NSM API, `Response`
 */
export function documentOf(response: Uint8Array): Uint8Array<ArrayBuffer> {
  let answer: unknown
  try {
    answer = decode(response, { useMaps: true, rejectDuplicateMapKeys: true })
  } catch (cause) {
    deviceFailed('the answer of the Nitro security module is not CBOR', cause)
  }
  const attestation = answer instanceof Map && answer.size === 1 ? answer.get('Attestation') : undefined
  const document = attestation instanceof Map ? attestation.get('document') : undefined
  if (!(document instanceof Uint8Array) || document.length === 0)
    deviceFailed('the Nitro security module gave no document')
  return document.slice() as Uint8Array<ArrayBuffer>
}
