// SPDX-License-Identifier: Apache-2.0

import { equalBytes } from '@mlcapsule/crypto'
import { requireCollateral } from '../../collateral/collateral.ts'
import { verifyEcdsa } from '../../ecdsa/ecdsa.ts'
import { AttestationError } from '../../errors.ts'
import type { ExamineContext } from '../../evidence/verifier.ts'
import { type Certificate, invalidCertificate } from '../../x509/certificate.ts'
import { validatePath } from '../../x509/path.ts'
import { readPemChain } from '../../x509/pem.ts'
import { RevocationList } from '../../x509/revocation-list.ts'
import { inOrder } from './in-order.ts'
import type { PckChain } from './pck-chain.ts'
import { parseQeIdentity, type QeIdentity, qeIds } from './qe-identity.ts'
import type { Tee } from './quote.ts'
import { readSignedJson } from './signed-json.ts'
import { parseTcbInfo, type TcbInfoOf } from './tcb-info.ts'
import type { IntelTrustStore } from './trust-store.ts'

/** What Intel publishes about one platform, by the names under which it is asked for. */
export interface CollateralNames {
  /** JSON as served. */
  readonly tcbInfo: string
  /** PEM. */
  readonly tcbInfoIssuerChain: string
  /** JSON as served. */
  readonly qeIdentity: string
  /** PEM. */
  readonly qeIdentityIssuerChain: string
  /** DER. */
  readonly pckCrl: string
  /** DER. */
  readonly rootCrl: string
}

export function dcapCollateralNames(tee: Tee, { authority, extension }: PckChain): CollateralNames {
  const tcbInfo = `intel/${tee}/tcb/${extension.fmspc}`
  const qeIdentity = `intel/${tee}/qe-identity`
  return {
    tcbInfo,
    tcbInfoIssuerChain: `${tcbInfo}/issuer-chain`,
    qeIdentity,
    qeIdentityIssuerChain: `${qeIdentity}/issuer-chain`,
    pckCrl: `intel/pck-crl/${authority}`,
    rootCrl: 'intel/root-crl',
  }
}

export interface VerifiedCollateral<Platform extends Tee> {
  readonly tcbInfo: TcbInfoOf<Platform>
  readonly qeIdentity: QeIdentity
  /** The newest time at which any of it was issued. */
  readonly newestSignedAtMs: number
}

function invalid(detail: string): AttestationError {
  return new AttestationError('ATTESTATION_COLLATERAL_INVALID', detail, { field: 'collateral' })
}

/**
 * Checks the PCK certificate and all collateral of its platform: the chain and its revocation, then the TCB info, then the
 * identity of the quoting enclave.
 * @throws AttestationError `ATTESTATION_ROOT_UNKNOWN`, `ATTESTATION_CERTIFICATE_*`, `ATTESTATION_REVOCATION_UNKNOWN`,
 * `ATTESTATION_COLLATERAL_*`
 * @see Intel SGX DCAP Quote Verification Library, "Verification flow"
 */
export async function verifyPlatform<Platform extends Tee>(
  tee: Platform,
  pck: PckChain,
  { nowMs, trustStore, collateral }: ExamineContext<IntelTrustStore>,
): Promise<VerifiedCollateral<Platform>> {
  const anchors = trustStore.rootSpkiSha256s
  const names = dcapCollateralNames(tee, pck)
  const bytes = (name: keyof CollateralNames) => requireCollateral(collateral, names[name])
  const [tcbBytes, tcbChain] = [bytes('tcbInfo'), bytes('tcbInfoIssuerChain')]
  const [qeBytes, qeChain] = [bytes('qeIdentity'), bytes('qeIdentityIssuerChain')]
  const lists = [new RevocationList(bytes('rootCrl')), new RevocationList(bytes('pckCrl'))]
  const validate = (chain: readonly Certificate[]) =>
    validatePath({ chain, anchors, nowMs, revocation: { lists, covers: 'all' } })
  const signerOf = async (chainPem: Uint8Array) => {
    const chain = readSignerChain(chainPem, pck.certificates)
    await validate(chain)
    return chain[0]
  }
  const tcbSigner = signerOf(tcbChain)
  // As a rule, both chains are the same.
  const qeSigner = equalBytes(tcbChain, qeChain) ? tcbSigner : signerOf(qeChain)
  const [, tcbInfo, qeIdentity] = await inOrder([
    validate(pck.certificates),
    verifiedTcbInfo({ name: names.tcbInfo, bytes: tcbBytes, signer: tcbSigner, tee, nowMs }, pck),
    verifiedQeIdentity({ name: names.qeIdentity, bytes: qeBytes, signer: qeSigner, tee, nowMs }),
  ])
  const newestSignedAtMs = Math.max(
    ...lists.map(({ thisUpdateMs }) => thisUpdateMs),
    tcbInfo.issueDate,
    qeIdentity.issueDate,
  )
  return { tcbInfo, qeIdentity, newestSignedAtMs }
}

/** Only the one certificate that Intel made for it may sign tables, whatever else stands under the root. */
function readSignerChain(
  pem: Uint8Array,
  known: readonly Certificate[],
): readonly [Certificate, Certificate] {
  const [signer, root, ...more] = readPemChain(pem, known)
  if (signer?.commonName !== 'Intel SGX TCB Signing' || root === undefined || more.length > 0) {
    throw invalidCertificate('an issuer chain is not the TCB signing certificate and its root')
  }
  return [signer, root]
}

interface SignedTable<Platform extends Tee> {
  readonly name: string
  readonly bytes: Uint8Array
  /** Rejects where its chain is not accepted. */
  readonly signer: Promise<Certificate>
  readonly tee: Platform
  readonly nowMs: number
}

async function verifiedTcbInfo<Platform extends Tee>(
  table: SignedTable<Platform>,
  { extension }: PckChain,
): Promise<TcbInfoOf<Platform>> {
  const { name, tee, nowMs } = table
  const tcbInfo = parseTcbInfo(await signedValue(table, 'tcbInfo'), tee, name)
  assertTime(name, tcbInfo, nowMs)
  if (tcbInfo.fmspc !== extension.fmspc || tcbInfo.pceId !== extension.pceId) {
    const found = `FMSPC ${tcbInfo.fmspc} and PCEID ${tcbInfo.pceId}`
    throw invalid(`${name} is for ${found}, not ${extension.fmspc} and ${extension.pceId}`)
  }
  return tcbInfo
}

async function verifiedQeIdentity(table: SignedTable<Tee>): Promise<QeIdentity> {
  const { name, tee, nowMs } = table
  const identity = parseQeIdentity(await signedValue(table, 'enclaveIdentity'), name)
  assertTime(name, identity, nowMs)
  if (identity.id !== qeIds[tee]) throw invalid(`${name} is that of ${identity.id}, not of ${qeIds[tee]}`)
  return identity
}

async function signedValue({ name, bytes, signer }: SignedTable<Tee>, member: string): Promise<unknown> {
  const { spki } = await signer
  const { value, signature, signedBytes } = readSignedJson(bytes, member, name)
  if (await verifyEcdsa('P-256', { spki }, signature, signedBytes)) return value
  throw invalid(`${name} is not signed by its issuer`)
}

function assertTime(
  name: string,
  { issueDate, nextUpdate }: { readonly issueDate: number; readonly nextUpdate: number },
  nowMs: number,
): void {
  if (nowMs >= issueDate && nowMs <= nextUpdate) return
  const [from, until] = [new Date(issueDate).toISOString(), new Date(nextUpdate).toISOString()]
  throw new AttestationError('ATTESTATION_COLLATERAL_EXPIRED', `${name} holds from ${from} until ${until}`, {
    field: 'collateral',
  })
}
