// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError, type MlCapsuleErrorOptions } from '@mlcapsule/contracts'

export const providerErrorTable = defineErrorTable({
  PROVIDER_OPTION_INVALID: {
    kind: 'usage',
    meaning: 'The command line has an unknown, missing or contradictory option or argument.',
    remedy: 'Run the command with --help: it lists the options with examples.',
  },
  PROVIDER_FILE_UNREADABLE: {
    kind: 'environment',
    meaning: 'A file could not be read or written.',
    remedy: 'Check the path and its permissions, and that the disk has room.',
  },
  PROVIDER_FILE_INVALID: {
    kind: 'input',
    meaning: 'A file is larger than, or not of, the form that its use calls for.',
    remedy: 'Give the kind of file that the message asks for.',
  },
  PROVIDER_OUTPUT_EXISTS: {
    kind: 'usage',
    meaning: 'A file that would be written is already there.',
    remedy: 'Choose another path, or remove the file if it is no longer needed.',
  },
  PROVIDER_KEY_FILE_EXISTS: {
    kind: 'usage',
    meaning: 'A key file is already there; keys are never overwritten.',
    remedy: 'Use the keys that exist, or make new ones in another folder.',
  },
  PROVIDER_KEY_FILE_INVALID: {
    kind: 'input',
    meaning: 'A file is not an intact key file, or holds a key for another purpose.',
    remedy: 'Give the key file that keygen wrote for this purpose, or restore it from your backup.',
  },
  PROVIDER_KEY_FILE_EXPOSED: {
    kind: 'environment',
    meaning: 'A private key file can be read by other users of this machine.',
    remedy: 'Restrict it with chmod 600, and consider whether the key has been copied.',
  },
  PROVIDER_CALIBRATION_INVALID: {
    kind: 'input',
    meaning:
      'A file of sample queries is not of the form that is asked for, or does not fit the inputs of the model.',
    remedy:
      'Give queries in JSON, each with nested arrays or { "shape", "data" } for every input of the model.',
  },
  PROVIDER_DEFENSE_UNKNOWN: {
    kind: 'usage',
    meaning: 'A defense was named that this build does not have.',
    remedy: 'Choose one of the defenses that the message lists.',
  },
  PROVIDER_PREPROCESSING_INVALID: {
    kind: 'input',
    meaning: 'A preprocessing description is neither a preset nor a valid description.',
    remedy: 'Use a preset that pack --help lists, or correct the field that the message names.',
  },
  PROVIDER_LABELS_INVALID: {
    kind: 'input',
    meaning: "A labels file does not fit the model's output.",
    remedy: 'Write one label per line, as many as the last output dimension has classes.',
  },
  PROVIDER_POLICY_INVALID: {
    kind: 'input',
    meaning: 'An attestation policy or a manifest is not plain YAML or JSON.',
    remedy:
      'Correct the line that the message names. Anchors, aliases, tags and repeated keys are not taken.',
  },
  PROVIDER_STORE_LOCKED: {
    kind: 'environment',
    meaning: 'Another process has the store open.',
    remedy: 'Stop that process, or let the running service do the work.',
  },
  PROVIDER_STORE_UNUSABLE: {
    kind: 'environment',
    meaning: 'The store folder is missing, of a newer version, or belongs to other keys.',
    remedy: 'Run keygen for a new store, or give the folder and the service key that belong together.',
  },
  PROVIDER_STORE_EXPOSED: {
    kind: 'environment',
    meaning: 'The store folder can be entered by other users of this machine, or belongs to one of them.',
    remedy: 'Make it yours alone (chmod 700), and consider whether keys or database have been copied.',
  },
  PROVIDER_TPM_ROOT_UNKNOWN: {
    kind: 'input',
    meaning: 'The store holds no root of a maker of TPMs with this key.',
    remedy: 'Run `tpm roots`: it lists the roots that are trusted.',
  },
  PROVIDER_TPM_FULL: {
    kind: 'environment',
    meaning: 'The store holds as many roots of makers of TPMs, or enrollments that wait, as it takes.',
    remedy: 'Take out roots with `tpm forget`, or wait until enrollments that were never answered run out.',
  },
  PROVIDER_ENROLLMENT_UNKNOWN: {
    kind: 'refused',
    meaning:
      'No enrollment waits for this answer: it has been answered before, or was offered by another store.',
    remedy: 'Make another offer with `tpm offer`: each is answered once.',
  },
  PROVIDER_ENROLLMENT_EXPIRED: {
    kind: 'refused',
    meaning: 'The answer to an offer has come too late.',
    remedy: 'Make another offer with `tpm offer`, and have it answered before it runs out.',
  },
  PROVIDER_CAPSULE_UNKNOWN: {
    kind: 'input',
    meaning: 'No capsule with this id was packed with this store.',
    remedy: 'Check the capsule id with inspect, and that this is the store that packed it.',
  },
  PROVIDER_CAPSULE_EXISTS: {
    kind: 'input',
    meaning: 'A capsule with this id is already registered.',
    remedy: 'Pack the model again: every packing draws a new id.',
  },
  PROVIDER_ORDER_UNKNOWN: {
    kind: 'input',
    meaning: 'There is no open order for this customer and capsule.',
    remedy: 'Ask the provider for an order, giving your customer key and the capsule id.',
  },
  PROVIDER_ORDER_SPENT: {
    kind: 'refused',
    meaning: 'All queries of the order have been granted, or the order has ended.',
    remedy: 'Create another order for the customer.',
  },
  PROVIDER_LICENSE_UNKNOWN: {
    kind: 'input',
    meaning: 'No license with this hash was issued by this store.',
    remedy: 'Use the store that issued the license, and receipts exactly as the client keeps them.',
  },
  PROVIDER_REQUEST_INVALID: {
    kind: 'input',
    meaning: 'A request to the service is not of the form that the service expects.',
    remedy: 'Correct the field that the message names.',
  },
  PROVIDER_REQUEST_TOO_LARGE: {
    kind: 'input',
    meaning: 'The body of a request is larger than the service accepts.',
    remedy: 'Send one token per request, of at most the size that the message gives.',
  },
  PROVIDER_ROUTE_UNKNOWN: {
    kind: 'input',
    meaning: 'The service has no such route or method.',
    remedy: 'Check the address of the service: clients need only its base URL.',
  },
  PROVIDER_LISTEN_FAILED: {
    kind: 'environment',
    meaning: 'The service could not listen on its address.',
    remedy: 'Choose another --port or --host, or stop the process that uses it.',
  },
  PROVIDER_INTERNAL: {
    kind: 'internal',
    meaning: 'The service failed in a way that it should not.',
    remedy: 'Look at the log of the service; nothing was granted.',
  },
})

export type ProviderErrorCode = keyof typeof providerErrorTable

/** A failure of the provider's tools or service. */
export class ProviderError extends MlCapsuleError<ProviderErrorCode> {
  constructor(code: ProviderErrorCode, detail: string, options?: MlCapsuleErrorOptions) {
    super(providerErrorTable, code, detail, options)
  }
}
