// SPDX-License-Identifier: Apache-2.0
import { concatBytes, decodeCbor, domain, encodeCbor } from '@mlcapsule/crypto'
import { AttestationError } from '../errors.ts'

/** Name of the platform in evidence, and of its attester and verifier. */
export const simulatedPlatform = 'simulated'

const maxSizeBytes = 512

/** What a simulated quote signs. */
export interface SimulatedBody {
  /** 48 bytes. */
  readonly manifestSha384: Uint8Array
  /** 64 bytes. */
  readonly reportData: Uint8Array
  readonly debug: boolean
}

export interface SimulatedQuote {
  readonly body: SimulatedBody
  /** The bytes that are signed, without the domain. */
  readonly bodyBytes: Uint8Array
  /** Ed25519 key of the software root, 32 bytes. */
  readonly root: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

function malformed(detail: string): never {
  throw new AttestationError('ATTESTATION_EVIDENCE_MALFORMED', detail, { field: 'evidence.bytes' })
}

function readMap(bytes: Uint8Array, keyCount: number): ReadonlyMap<unknown, unknown> {
  let value: unknown
  try {
    value = decodeCbor(bytes, { maxSizeBytes })
  } catch (cause) {
    throw new AttestationError('ATTESTATION_EVIDENCE_MALFORMED', 'not deterministic CBOR', {
      field: 'evidence.bytes',
      cause,
    })
  }
  if (!(value instanceof Map) || value.size !== keyCount)
    malformed(`expected a map with the keys 1 to ${keyCount}`)
  return value
}

function readBytes(map: ReadonlyMap<unknown, unknown>, key: number, sizeBytes?: number): Uint8Array {
  const value = map.get(key)
  if (!(value instanceof Uint8Array)) malformed(`key ${key}: expected bytes`)
  if (sizeBytes !== undefined && value.length !== sizeBytes)
    malformed(`key ${key}: expected ${sizeBytes} bytes`)
  return value
}

export function encodeBody(body: SimulatedBody): Uint8Array {
  const map = new Map<number, unknown>([
    [1, 1],
    [2, body.manifestSha384],
    [3, body.reportData],
    [4, body.debug],
  ])
  return encodeCbor(map)
}

/** D("simulated-quote") ‖ body: what the root signs. */
export function signedBytes(bodyBytes: Uint8Array): Uint8Array {
  return concatBytes(domain('simulated-quote'), bodyBytes)
}

export function encodeQuote(quote: Omit<SimulatedQuote, 'body'>): Uint8Array {
  const map = new Map<number, unknown>([
    [1, quote.bodyBytes],
    [2, quote.root],
    [3, quote.signature],
  ])
  return encodeCbor(map)
}

/** Reads a simulated quote. @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED` */
export function parseQuote(bytes: Uint8Array): SimulatedQuote {
  const outer = readMap(bytes, 3)
  const bodyBytes = readBytes(outer, 1)
  const body = readMap(bodyBytes, 4)
  if (body.get(1) !== 1) malformed('unknown version of the simulated quote')
  const debug = body.get(4)
  if (typeof debug !== 'boolean') malformed('key 4: expected a boolean')
  return {
    body: { manifestSha384: readBytes(body, 2, 48), reportData: readBytes(body, 3, 64), debug },
    bodyBytes,
    root: readBytes(outer, 2, 32),
    signature: readBytes(outer, 3, 64),
  }
}
