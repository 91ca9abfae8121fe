// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError, type MlCapsuleErrorOptions } from '@mlcapsule/contracts'

export const clientErrorTable = defineErrorTable({
  CLIENT_ARGUMENT_INVALID: {
    kind: 'usage',
    meaning: 'An option or argument cannot be used.',
    remedy: 'Correct what the message names; --help shows examples.',
  },
  CLIENT_FILE_UNREADABLE: {
    kind: 'input',
    meaning: 'A file could not be read.',
    remedy: 'Check that the path is right and that you may read the file.',
  },
  CLIENT_FILE_INVALID: {
    kind: 'input',
    meaning: 'A file is not of the form that its place asks for, or is too large.',
    remedy: 'Give a file of the kind that the message names.',
  },
  CLIENT_FILE_NOT_WRITTEN: {
    kind: 'environment',
    meaning: 'A file could not be written; no part of it was left behind.',
    remedy: 'Check the free space and the permissions of the folder, then repeat.',
  },
  CLIENT_OUTPUT_EXISTS: {
    kind: 'input',
    meaning: 'The file to be written is already there.',
    remedy: 'Choose another name, or remove the file first.',
  },
  CLIENT_MEASUREMENT_UNKNOWN: {
    kind: 'refused',
    meaning:
      'A reference value is not about the enclave that was asked about, or not by the signer that was named.',
    remedy: 'Ask the provider for the reference value of this very build of the enclave.',
  },
  CLIENT_KEY_FILE_INVALID: {
    kind: 'input',
    meaning: 'A key file is damaged, or holds a key of another kind.',
    remedy: 'Give the right file. The customer key of a state directory can only be restored from a backup.',
  },
  CLIENT_INPUT_INVALID: {
    kind: 'input',
    meaning: "An input does not fit the model's signature. Nothing was charged.",
    remedy: 'Give what `mlcapsule inspect CAPSULE` shows: the names, dtypes and shapes of the inputs.',
  },
  CLIENT_IMAGE_INVALID: {
    kind: 'input',
    meaning: 'An image could not be decoded, or is larger than is accepted. Nothing was charged.',
    remedy: 'Give a PNG, JPEG, WebP, GIF, AVIF or TIFF image of at most 100 megapixels.',
  },
  CLIENT_PREPROCESSING_MISSING: {
    kind: 'input',
    meaning: 'The capsule does not say how an image becomes an input.',
    remedy:
      'Give the input as a tensor (.json, .npy), or ask the provider for a capsule packed with --preprocess.',
  },
  CLIENT_OUTPUT_NOT_CLASSES: {
    kind: 'input',
    meaning: "The model's first output is not a list of scores, one per class. Nothing was charged.",
    remedy: 'Ask for the outputs themselves: `run --outputs`, or `run()` of the SDK.',
  },
  CLIENT_MODEL_NOT_GENERATIVE: {
    kind: 'input',
    meaning: 'The model does not write text, or its header does not say which token is which character.',
    remedy: 'Ask it with `run`; or ask the provider for a capsule packed with one label per token.',
  },
  CLIENT_PROMPT_INVALID: {
    kind: 'input',
    meaning: 'The prompt is empty, or has a character that the model has no token for. Nothing was charged.',
    remedy: 'Write it with the characters that the labels of `mlcapsule inspect CAPSULE --json` list.',
  },
  CLIENT_QUERY_BLOCKED: {
    kind: 'refused',
    meaning: 'A defense of the model blocked a query, so that nothing can come after it. It was charged.',
    remedy: 'Begin again with another prompt; what was written so far stays valid.',
  },
  CLIENT_NOT_ACTIVATED: {
    kind: 'refused',
    meaning: 'The capsule has not been activated in this state directory.',
    remedy: 'Run `mlcapsule activate CAPSULE` first.',
  },
  CLIENT_ALREADY_ACTIVATED: {
    kind: 'refused',
    meaning:
      'The capsule is activated in this state directory already; another activation would drop its ledger.',
    remedy: 'Use what is left of the grant; or give --again, which forfeits it.',
  },
  CLIENT_STATE_UNSAFE: {
    kind: 'environment',
    meaning: 'The state directory can be read or changed by other users, or cannot be made or written.',
    remedy: 'Make it yours alone (chmod 700), or choose another with --state.',
  },
  CLIENT_STATEMENT_DISAGREES: {
    kind: 'refused',
    meaning: "A statement of the enclave does not tell what the client's receipts do.",
    remedy:
      'Do not send it. Ask the provider about this enclave build, and keep the state directory as evidence.',
  },
  CLIENT_SERVICE_UNREACHABLE: {
    kind: 'environment',
    meaning: "The provider's service did not answer.",
    remedy: 'Check the address and the network; or activate with files: --request-out, then --response.',
  },
  CLIENT_SERVICE_ANSWER_INVALID: {
    kind: 'environment',
    meaning: "The provider's service gave an answer that is not part of the protocol.",
    remedy: 'Check that the address is that of an MLCapsule service of a matching version.',
  },
  CLIENT_PUBLISHER_UNKNOWN: {
    kind: 'usage',
    meaning: 'No publisher key is pinned, so the capsule cannot be trusted.',
    remedy: 'Give the key that the provider handed to you: --publisher FILE.',
  },
  CLIENT_ENCLAVE_MISSING: {
    kind: 'environment',
    meaning: 'The enclave program is not where it is expected.',
    remedy: 'Build it with `npm run enclave:build`, or point to it with --enclave DIR.',
  },
})

export type ClientErrorCode = keyof typeof clientErrorTable

/** Something on the client's side of the boundary is wrong. */
export class ClientError extends MlCapsuleError<ClientErrorCode> {
  constructor(code: ClientErrorCode, detail: string, options?: MlCapsuleErrorOptions) {
    super(clientErrorTable, code, detail, options)
  }
}

/**
 * A refusal by the provider's service, under the service's own code. Its words are the service's: whoever shows them
 * escapes what could repaint a terminal.
 */
export class ServiceError extends MlCapsuleError {
  /** HTTP status code. */
  readonly status: number

  constructor(refusal: { code: string; message: string; remedy: string; field?: string; status: number }) {
    const { code, message, remedy, field, status } = refusal
    const kind = status >= 500 ? 'environment' : 'refused'
    super(
      { [code]: { kind, meaning: 'The service refused.', remedy } },
      code,
      message,
      field === undefined ? {} : { field },
    )
    this.status = status
  }
}
