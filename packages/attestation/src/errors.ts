// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError, type MlCapsuleErrorOptions } from '@mlcapsule/contracts'

export const attestationErrorTable = defineErrorTable({
  ATTESTATION_CLAIMS_INVALID: {
    kind: 'usage',
    meaning: 'A claim that evidence is to bind has the wrong size or form.',
    remedy: 'Give the value with the size that the message names; spec/evidence.md lists all claims.',
  },
  ATTESTATION_MANIFEST_INVALID: {
    kind: 'input',
    meaning: 'A manifest of what runs inside an enclave is not of the form that the specification gives.',
    remedy: 'Use the manifest that the build of the enclave wrote, unchanged.',
  },
  ATTESTATION_EVIDENCE_MALFORMED: {
    kind: 'input',
    meaning: "Evidence is not of its platform's format.",
    remedy: 'Send the evidence exactly as the enclave made it.',
  },
  ATTESTATION_EVIDENCE_UNSUPPORTED: {
    kind: 'input',
    meaning: 'Evidence is of a version, a key type or a form of its platform that is not verified here.',
    remedy: 'Make evidence of a form that docs/guides/attestation.md lists.',
  },
  ATTESTATION_CERTIFICATE_INVALID: {
    kind: 'refused',
    meaning: 'A certificate behind the evidence, or the chain that it stands in, is not valid.',
    remedy: "Fetch the platform's certificates anew; if it stays so, the evidence is forged.",
  },
  ATTESTATION_CERTIFICATE_EXPIRED: {
    kind: 'refused',
    meaning: 'A certificate behind the evidence does not hold yet, or no longer.',
    remedy: 'Check the clock of this machine; fetch newer certificates, or make new evidence.',
  },
  ATTESTATION_CERTIFICATE_REVOKED: {
    kind: 'refused',
    meaning: 'A certificate behind the evidence was revoked by its vendor.',
    remedy: 'Do not trust this platform. Ask its owner to renew its keys with the vendor.',
  },
  ATTESTATION_REVOCATION_UNKNOWN: {
    kind: 'refused',
    meaning:
      'Whether a certificate was revoked is not known: its list is missing, out of date or not genuine.',
    remedy: 'Fetch the lists of the vendor anew.',
  },
  ATTESTATION_COLLATERAL_MISSING: {
    kind: 'refused',
    meaning: "The verifier lacks something that the platform's vendor publishes.",
    remedy: 'Fetch the collateral that the message names, or import a bundle that holds it.',
  },
  ATTESTATION_COLLATERAL_UNAVAILABLE: {
    kind: 'environment',
    meaning: 'Collateral could not be fetched. That says nothing about what it would hold.',
    remedy:
      'Check the network and the address of the service, or import a bundle that was fetched elsewhere.',
  },
  ATTESTATION_FILES_UNUSABLE: {
    kind: 'environment',
    meaning:
      'Files that a cache of collateral or a log is kept in could not be read or written, or are damaged.',
    remedy: 'Check the path, its permissions and the disk, or restore the files from a backup.',
  },
  ATTESTATION_COLLATERAL_INVALID: {
    kind: 'refused',
    meaning: "Collateral is not of the vendor's form, not signed by it, or for another platform.",
    remedy: 'Fetch the collateral anew, unchanged, from the vendor or a cache of it.',
  },
  ATTESTATION_COLLATERAL_EXPIRED: {
    kind: 'refused',
    meaning: 'Collateral does not hold yet, no longer, or is older than asked for.',
    remedy: 'Check the clock of this machine, and fetch the collateral anew.',
  },
  ATTESTATION_ENDORSEMENT_MISMATCH: {
    kind: 'refused',
    meaning:
      'Parts of the evidence do not belong together: a key, a certificate or a report of another platform.',
    remedy: 'Send the evidence exactly as one platform made it.',
  },
  ATTESTATION_TCB_REVOKED: {
    kind: 'refused',
    meaning: "The vendor has revoked this state of the platform's firmware, or knows no such state.",
    remedy: 'Update the firmware of the machine and fetch the collateral anew.',
  },
  ATTESTATION_CLOCK_BEHIND: {
    kind: 'refused',
    meaning: 'The clock shows a time before one that was already seen.',
    remedy: 'Set the clock of this machine.',
  },
  ATTESTATION_DEVICE_UNAVAILABLE: {
    kind: 'environment',
    meaning: 'The device that makes evidence is not there, not open to this user, or of another platform.',
    remedy: 'Run the enclave on the platform that it was built for, with attestation switched on.',
  },
  ATTESTATION_DEVICE_FAILED: {
    kind: 'environment',
    meaning: 'The device that makes evidence refused, or gave something that is not the evidence asked for.',
    remedy: "Look into the platform's logs, and try again.",
  },
  ATTESTATION_DEVICE_CONTENDED: {
    kind: 'environment',
    meaning: 'Others changed what the device was asked each time before it answered.',
    remedy: 'Find out what else asks this device for evidence, and try again when it rests.',
  },
  ATTESTATION_ENROLLMENT_INVALID: {
    kind: 'input',
    meaning: 'A file by which a TPM is enrolled is not of its form, or is too large.',
    remedy: 'Give the request, offer or answer that the message asks for, unchanged.',
  },
  ATTESTATION_PLATFORM_UNKNOWN: {
    kind: 'refused',
    meaning: 'No verifier for this kind of evidence is in use here.',
    remedy: 'Run the enclave on a platform that the provider accepts, or add its verifier and trust store.',
  },
  ATTESTATION_ROOT_UNKNOWN: {
    kind: 'refused',
    meaning: 'Evidence is vouched for by a root that the trust store or the policy does not hold.',
    remedy: 'Check where the evidence comes from; add the root only if it was received over a trusted way.',
  },
  ATTESTATION_SIGNATURE_INVALID: {
    kind: 'refused',
    meaning: 'The signature over the evidence does not verify.',
    remedy: 'The evidence was changed or forged: make new evidence.',
  },
  ATTESTATION_REPORT_DATA_MISMATCH: {
    kind: 'refused',
    meaning: 'Evidence binds other keys, another capsule or another challenge than the request says.',
    remedy: 'Make new evidence for this very request; evidence cannot be used twice.',
  },
  ATTESTATION_MANIFEST_MISMATCH: {
    kind: 'refused',
    meaning: 'The manifest shown with the evidence is not the one that was measured.',
    remedy: 'Send the manifest that belongs to the enclave that is running.',
  },
  ATTESTATION_MEASUREMENT_UNKNOWN: {
    kind: 'refused',
    meaning: 'What was measured is not among the reference values of the policy.',
    remedy: 'Run a released enclave build, or have the provider add this measurement to the policy.',
  },
  ATTESTATION_PLATFORM_REFUSED: {
    kind: 'refused',
    meaning:
      'The policy has no section about this platform, or the platform is in a state that its section refuses.',
    remedy: 'Run the enclave as the policy asks for, or have the provider add the platform to the policy.',
  },
  ATTESTATION_REFERENCE_INVALID: {
    kind: 'refused',
    meaning: 'A reference value is not of its form, or not signed by one whom the policy names.',
    remedy: "Use the reference values of the enclave's publisher unchanged, and name its key in the policy.",
  },
  ATTESTATION_TIER_TOO_LOW: {
    kind: 'refused',
    meaning: 'The isolation that the evidence shows is less than the policy or the capsule asks for.',
    remedy:
      'Run the enclave on a platform of the tier asked for; a provider may name an entry in allowUnattested.',
  },
  ATTESTATION_DEBUG_ENABLED: {
    kind: 'refused',
    meaning: 'The enclave runs in debug mode, in which its memory can be read.',
    remedy: 'Launch the enclave with debugging off.',
  },
  ATTESTATION_TCB_REFUSED: {
    kind: 'refused',
    meaning: "The platform's firmware has a status that the policy does not accept.",
    remedy: 'Update the firmware of the machine, or have the provider accept this status in the policy.',
  },
  ATTESTATION_EVIDENCE_TOO_OLD: {
    kind: 'refused',
    meaning: 'Evidence is older than the policy allows.',
    remedy: 'Ask for a new challenge and make new evidence.',
  },
  ATTESTATION_RESULT_INVALID: {
    kind: 'refused',
    meaning:
      'An attestation result is not of its form, not by an issuer that is trusted here, or for another nonce.',
    remedy: 'Ask the verifier that you trust for a result over your own nonce.',
  },
  ATTESTATION_RESULT_EXPIRED: {
    kind: 'refused',
    meaning: 'An attestation result does not hold any more, or not yet.',
    remedy: 'Check the clock of this machine, and have the evidence appraised anew.',
  },
  TRANSPARENCY_HEAD_INVALID: {
    kind: 'refused',
    meaning:
      'The head of a log is not of its form, not signed by a log that is trusted here, or of another history.',
    remedy: "Use the log's heads unchanged, and get its key over another way than its proofs.",
  },
  TRANSPARENCY_PROOF_INVALID: {
    kind: 'refused',
    meaning: 'A proof does not show that an entry is in a log, or that the log still has all that it had.',
    remedy:
      'Ask for a proof for this very entry and the head that you know; if it stays so, the log shows two histories.',
  },
  TRANSPARENCY_ENTRY_UNKNOWN: {
    kind: 'input',
    meaning: 'A log does not hold this entry, or it is none that a log takes.',
    remedy: 'Append the token of the reference value first.',
  },
  POLICY_INVALID: {
    kind: 'input',
    meaning: 'A policy has a field that is unknown or has the wrong form.',
    remedy: 'Correct the field that the message names; spec/evidence.md lists all fields.',
  },
  POLICY_FIELD_MISSING: {
    kind: 'input',
    meaning: 'A policy leaves out a field.',
    remedy: 'Write the field; what is deliberately left unchecked is written "any".',
  },
  POLICY_SIMULATED_ROOT_REFUSED: {
    kind: 'refused',
    meaning:
      'The trust store of the simulated platform was given to a policy that accepts no unattested entry.',
    remedy:
      'Use a hardware platform. For development only, name the entry in allowUnattested: the owner of the machine can then read the model.',
  },
  CHALLENGE_MALFORMED: {
    kind: 'input',
    meaning: 'A challenge is signed but its claims are not of the form that the specification gives.',
    remedy: 'Ask the provider for a new challenge.',
  },
  CHALLENGE_EXPIRED: {
    kind: 'refused',
    meaning: 'The time in which the challenge could be answered has passed.',
    remedy: 'Ask the provider for a new challenge, and check the clock of this machine.',
  },
  CHALLENGE_NOT_YET_VALID: {
    kind: 'refused',
    meaning: 'The challenge was issued in the future of the clock of this machine.',
    remedy: 'Set the clock of this machine.',
  },
  CHALLENGE_SIGNER_UNKNOWN: {
    kind: 'refused',
    meaning: "The challenge is not signed by one of the capsule's authorities.",
    remedy: 'Use the challenge of the provider who packed this capsule.',
  },
  CHALLENGE_CAPSULE_MISMATCH: {
    kind: 'refused',
    meaning: 'The challenge is for another capsule.',
    remedy: 'Open the capsule that the challenge was issued for, or ask for a challenge for this one.',
  },
  ACTIVATION_REQUEST_MALFORMED: {
    kind: 'input',
    meaning: 'An activation request is not of the form that the specification gives.',
    remedy: 'Send the request exactly as the client made it.',
  },
  ACTIVATION_RESPONSE_MALFORMED: {
    kind: 'input',
    meaning: 'An activation response is not of the form that the specification gives.',
    remedy: 'Use the response exactly as the provider made it.',
  },
  ACTIVATION_RELEASE_INVALID: {
    kind: 'input',
    meaning: 'A key release opened, but does not hold the three keys that the specification lists.',
    remedy: 'Report it to the provider: its service and this enclave do not speak the same version.',
  },
  ACTIVATION_SIGNER_UNKNOWN: {
    kind: 'refused',
    meaning: "The activation response is not signed by one of the capsule's authorities.",
    remedy: 'Use the response of the provider who packed this capsule.',
  },
  ACTIVATION_BINDING_MISMATCH: {
    kind: 'refused',
    meaning:
      'Parts of an activation do not belong together: another challenge, capsule, customer or license.',
    remedy:
      'Start the activation again with a new challenge; use each file only with the enclave it was made for.',
  },
  ACTIVATION_REPLAYED: {
    kind: 'refused',
    meaning: 'The challenge has already been answered with another request.',
    remedy: 'Ask for a new challenge; each serves once.',
  },
  ACTIVATION_TOKEN_FILE_INVALID: {
    kind: 'input',
    meaning: 'A file that should hold one token holds something else, or too much.',
    remedy: 'Use the challenge, request or response file unchanged.',
  },
})

export type AttestationErrorCode = keyof typeof attestationErrorTable

/** Evidence, a policy or an activation message that was refused. */
export class AttestationError extends MlCapsuleError<AttestationErrorCode> {
  constructor(code: AttestationErrorCode, detail: string, options?: MlCapsuleErrorOptions) {
    super(attestationErrorTable, code, detail, options)
  }
}
