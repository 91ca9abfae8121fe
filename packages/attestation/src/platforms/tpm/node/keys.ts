// SPDX-License-Identifier: Apache-2.0
import { concatBytes, uint32Bytes } from '@mlcapsule/crypto'
import { deviceFailed } from '../../../devices/node/device-file.ts'
import { AttestationError } from '../../../errors.ts'
import type { EkProtection } from '../endorsement-key.ts'
import type { SealedCredential } from '../make-credential.ts'
import { readSized, toSized, tpmReader } from '../sized.ts'
import { type TpmCommands, type TpmOptions, withTpm } from './tools.ts'

/** Keys of the default templates that tpm2-tools make again from the TPM's own seed. */
export type EkKind = EkProtection['kind']

interface EkTemplate {
  /** NV index of the maker's certificate. */
  readonly certificateIndex: string
  readonly algorithm: string
  /** Whether the key asks for a policy session; if not, its password is empty. */
  readonly hasPolicy: boolean
}

/** @see TCG EK Credential Profile for TPM Family 2.0, §2.2.1.4 and §2.2.1.5 (NV indices), annex B (templates L-1, L-2, H-3) */
const ekTemplates: Readonly<Record<EkKind, EkTemplate>> = {
  rsa: { certificateIndex: '0x1c00002', algorithm: 'rsa', hasPolicy: true },
  'P-256': { certificateIndex: '0x1c0000a', algorithm: 'ecc', hasPolicy: true },
  'P-384': { certificateIndex: '0x1c00016', algorithm: 'ecc384', hasPolicy: false },
}

/** Persistent handles of the owner (TCG Registry of Reserved TPM 2.0 Handles). */
const [handleMin, handleMax] = [0x8100_0000, 0x817f_ffff]

/** @throws AttestationError `ATTESTATION_CLAIMS_INVALID` for what is no persistent handle of the owner */
export function handleText(handle: number): string {
  if (Number.isInteger(handle) && handle >= handleMin && handle <= handleMax)
    return `0x${handle.toString(16)}`
  const detail = `handle: expected 0x81000000 to 0x817fffff, got 0x${handle.toString(16)}`
  throw new AttestationError('ATTESTATION_CLAIMS_INVALID', detail, { field: 'handle' })
}

/**
 * The certificate of the endorsement key that the maker has put into the TPM.
 * @returns DER; not checked here
 * @throws AttestationError as `withTpm` does
 */
export async function readEkCertificate(kind: EkKind, options: TpmOptions = {}): Promise<Uint8Array> {
  return await withTpm(options, async ({ run, read }) => {
    await run('nvread', ekTemplates[kind].certificateIndex, '--output', 'certificate')
    return withoutPadding(await read('certificate'))
  })
}

/** Makers fill an index that is larger than its certificate with zeros or ones. What is no DER stays as it is. */
function withoutPadding(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  const isLongForm = bytes[0] === 0x30 && bytes[1] === 0x82
  const sizeBytes = isLongForm ? 4 + 256 * (bytes[2] ?? 0) + (bytes[3] ?? 0) : bytes.length
  const padding = bytes.subarray(sizeBytes)
  const isFilled = [0x00, 0xff].some((fill) => padding.every((it) => it === fill))
  return isFilled ? bytes.slice(0, sizeBytes) : bytes
}

export interface CreateAttestationKeyOptions extends TpmOptions {
  /** Where the key stays: a persistent handle of the owner, 0x81000000 to 0x817fffff, that is free. */
  readonly handle: number
  /** RSA 2048 with PKCS #1 v1.5, or P-256 with ECDSA. */
  readonly keyType: 'rsa' | 'ecc'
  /** The endorsement key that it is to be enrolled with. */
  readonly ek: EkKind
}

/**
 * Makes an attestation key: fixed to this TPM, made inside it, restricted to what the TPM itself has made up.
 * @returns TPMT_PUBLIC
 * @throws AttestationError as `withTpm` does
 */
export async function createAttestationKey(options: CreateAttestationKeyOptions): Promise<Uint8Array> {
  const handle = handleText(options.handle)
  const scheme = options.keyType === 'rsa' ? 'rsassa' : 'ecdsa'
  return await withTpm(options, async (commands) => {
    const { run } = commands
    await loadEk(commands, options.ek)
    const key = [
      '--key-algorithm',
      options.keyType,
      '--hash-algorithm',
      'sha256',
      '--signing-algorithm',
      scheme,
    ]
    await run('createak', '--ek-context', 'ek', '--ak-context', 'ak', ...key)
    await run('flushcontext', '--transient-object')
    await run('evictcontrol', '--hierarchy', 'o', '--object-context', 'ak', handle)
    await run('flushcontext', '--transient-object')
    return await readPublic(commands, handle)
  })
}

/** Where a command takes a context, the TPM holds what it loaded beside it until that is flushed. */
async function loadEk({ run }: TpmCommands, ek: EkKind): Promise<void> {
  await run(
    'createek',
    '--ek-context',
    'ek',
    '--key-algorithm',
    ekTemplates[ek].algorithm,
    '--public',
    'ek-public',
  )
  await run('flushcontext', '--transient-object')
}

/** @returns TPMT_PUBLIC of a key that stays in the TPM */
export async function readPublic({ run, read }: TpmCommands, handle: string): Promise<Uint8Array> {
  await run('readpublic', '--object-context', handle, '--format', 'tss', '--output', 'public')
  const reader = tpmReader(await read('public'), 'TPM2B_PUBLIC', 'ATTESTATION_DEVICE_FAILED')
  const area = readSized(reader, 1024, 'the public area')
  reader.end()
  return area
}

/**
 * Reads the public area of the key at a handle.
 * @returns TPMT_PUBLIC; not checked here
 * @throws AttestationError as `withTpm` does; `ATTESTATION_DEVICE_FAILED` also where there is none
 */
export async function readAttestationKey(
  options: TpmOptions & { readonly handle: number },
): Promise<Uint8Array> {
  const handle = handleText(options.handle)
  return await withTpm(options, (commands) => readPublic(commands, handle))
}

export interface ActivateCredentialOptions extends TpmOptions {
  /** Of the attestation key. */
  readonly handle: number
  readonly ek: EkKind
}

/**
 * Opens what an authority has sealed for the endorsement key and this attestation key: the TPM's half of enrollment.
 * @returns the answer for the authority. It is a secret until it is given.
 * @throws AttestationError as `withTpm` does; `ATTESTATION_DEVICE_FAILED` also where it was sealed for other keys
 */
export async function activateCredential(
  sealed: SealedCredential,
  options: ActivateCredentialOptions,
): Promise<Uint8Array> {
  const handle = handleText(options.handle)
  return await withTpm(options, async (commands) => {
    const { run, read, write } = commands
    await write('credential', credentialFile(sealed))
    await loadEk(commands, options.ek)
    const keys = ['--credentialedkey-context', handle, '--credentialkey-context', 'ek']
    const activate = [
      'activatecredential',
      ...keys,
      '--credential-blob',
      'credential',
      '--certinfo-data',
      'answer',
    ] as const
    if (ekTemplates[options.ek].hasPolicy) await withEkPolicy(commands, activate)
    else await run(...activate)
    const answer = await read('answer')
    if (answer.length === 0) deviceFailed('the credential that was opened is empty')
    return answer
  })
}

/** The policy of the older templates: whoever may administer the endorsement hierarchy may use the key. */
async function withEkPolicy({ run }: TpmCommands, command: readonly [string, ...string[]]): Promise<void> {
  await run('startauthsession', '--policy-session', '--session', 'session')
  try {
    await run('policysecret', '--session', 'session', '--object-context', 'endorsement')
    await run(...command, '--credentialkey-auth', 'session:session')
  } finally {
    await run('flushcontext', 'session')
  }
}

/** What tpm2-tools call a credential: a magic number, a version, TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET. */
function credentialFile({ idObject, encryptedSecret }: SealedCredential): Uint8Array {
  return concatBytes(uint32Bytes(0xbadcc0de), uint32Bytes(1), toSized(idObject), toSized(encryptedSecret))
}
