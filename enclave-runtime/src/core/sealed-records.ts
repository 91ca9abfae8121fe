// SPDX-License-Identifier: Apache-2.0
import {
  type AeadProvider,
  CryptoError,
  concatBytes,
  deriveSubkey,
  domain,
  expose,
  hkdfExtract,
  openAead,
  Secret,
  type SecretKind,
  sealAead,
  utf8Bytes,
  wipe,
} from '@mlcapsule/crypto'
import { BridgeError, bridgeLimits } from '@mlcapsule/enclave-bridge/protocol'
import type { Platform } from './platform.ts'

/** What an activation by files leaves behind until its response comes. */
export interface PendingState {
  readonly releaseKey: Secret<'x25519-private'>
  readonly identity: Secret<'ed25519-private'>
  /** The anchor's value at that time: once it has moved on, the response has been opened. */
  readonly anchorValue: Uint8Array
  readonly challenge: string
}

/** What an activated enclave starts from again. */
export interface LicenseState {
  readonly identity: Secret<'ed25519-private'>
  readonly contentKey: Secret<'content-key'>
  readonly defenseSeed: Secret<'defense-seed'>
  readonly stateKey: Secret<'state-key'>
  /** The anchor's value before the ledger was made: as long as it stands, there is no ledger yet. */
  readonly anchorValue: Uint8Array
  readonly license: string
}

/** The capsule that a record belongs to, and the platform that seals it. */
export interface SealContext {
  readonly platform: Platform
  readonly headerHash: Uint8Array
}

const saltSizeBytes = 32
const partSizeBytes = 32
const nonce = new Uint8Array(12)

// A record is fixed-size parts followed by a token, laid out by hand: an encoder would keep copies of the keys.
const kinds = {
  pending: { number: 1, secrets: ['x25519-private', 'ed25519-private'] },
  license: { number: 2, secrets: ['ed25519-private', 'content-key', 'defense-seed', 'state-key'] },
} as const satisfies Record<string, { number: number; secrets: readonly SecretKind[] }>
type RecordKind = keyof typeof kinds

interface RecordParts {
  readonly secrets: readonly Secret[]
  readonly anchorValue: Uint8Array
  readonly token: string
}

async function sealing(kind: RecordKind, { platform, headerHash }: SealContext, salt: Uint8Array) {
  const platformKey = await platform.sealKey()
  const prk = hkdfExtract(headerHash, platformKey)
  wipe(platformKey)
  const key = deriveSubkey(prk, 'session-record', salt, 'record-key')
  wipe(prk)
  const associatedData = concatBytes(domain('session-record'), Uint8Array.of(kinds[kind].number), headerHash)
  const provider: { provider?: AeadProvider } = platform.aead === undefined ? {} : { provider: platform.aead }
  return { key, nonce, associatedData, ...provider }
}

async function seal(kind: RecordKind, context: SealContext, parts: RecordParts): Promise<Uint8Array> {
  const secrets = parts.secrets.map((it) => expose(it, it.kind))
  const plaintext = concatBytes(...secrets, parts.anchorValue, utf8Bytes(parts.token))
  const salt = context.platform.random(saltSizeBytes)
  const input = await sealing(kind, context, salt)
  try {
    return concatBytes(salt, await sealAead({ ...input, plaintext }))
  } finally {
    wipe(plaintext)
    wipe(input.key)
  }
}

function invalid(cause?: unknown): BridgeError {
  return new BridgeError('ENCLAVE_RECORD_INVALID', 'the record was not sealed here for this capsule', {
    cause,
  })
}

async function open(kind: RecordKind, context: SealContext, record: Uint8Array): Promise<RecordParts> {
  const { secrets: secretKinds } = kinds[kind]
  const headSizeBytes = (secretKinds.length + 1) * partSizeBytes
  const maxSizeBytes = saltSizeBytes + headSizeBytes + bridgeLimits.tokenMaxSizeBytes + 16
  if (record.length < saltSizeBytes + headSizeBytes + 16 || record.length > maxSizeBytes) throw invalid()
  const input = await sealing(kind, context, record.slice(0, saltSizeBytes))
  let plaintext: Uint8Array
  try {
    plaintext = await openAead({ ...input, sealed: record.slice(saltSizeBytes) })
  } catch (cause) {
    throw cause instanceof CryptoError ? invalid(cause) : cause
  } finally {
    wipe(input.key)
  }
  const part = (index: number) => plaintext.slice(index * partSizeBytes, (index + 1) * partSizeBytes)
  const secrets = secretKinds.map((it, index) => {
    const bytes = part(index)
    const secret: Secret = Secret.fromBytes(it, bytes)
    wipe(bytes)
    return secret
  })
  const anchorValue = part(secretKinds.length)
  const token = new TextDecoder().decode(plaintext.subarray(headSizeBytes))
  wipe(plaintext)
  return { secrets, anchorValue, token }
}

export async function sealPending(context: SealContext, state: PendingState): Promise<Uint8Array> {
  const secrets = [state.releaseKey, state.identity]
  return await seal('pending', context, { secrets, anchorValue: state.anchorValue, token: state.challenge })
}

/** @throws BridgeError `ENCLAVE_RECORD_INVALID` */
export async function openPending(context: SealContext, record: Uint8Array): Promise<PendingState> {
  const { secrets, anchorValue, token } = await open('pending', context, record)
  const [releaseKey, identity] = secrets as [Secret<'x25519-private'>, Secret<'ed25519-private'>]
  return { releaseKey, identity, anchorValue, challenge: token }
}

export async function sealLicense(context: SealContext, state: LicenseState): Promise<Uint8Array> {
  const secrets = [state.identity, state.contentKey, state.defenseSeed, state.stateKey]
  return await seal('license', context, { secrets, anchorValue: state.anchorValue, token: state.license })
}

/** @throws BridgeError `ENCLAVE_RECORD_INVALID` */
export async function openLicense(context: SealContext, record: Uint8Array): Promise<LicenseState> {
  const { secrets, anchorValue, token } = await open('license', context, record)
  const [identity, contentKey, defenseSeed, stateKey] = secrets as [
    Secret<'ed25519-private'>,
    Secret<'content-key'>,
    Secret<'defense-seed'>,
    Secret<'state-key'>,
  ]
  return { identity, contentKey, defenseSeed, stateKey, anchorValue, license: token }
}
