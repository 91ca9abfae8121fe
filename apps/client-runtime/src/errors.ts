// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError, type MlCapsuleErrorOptions } from '@mlcapsule/contracts'

export const clientErrorTable = defineErrorTable({
  CLIENT_ARGUMENT_INVALID: {
    kind: 'usage',
    meaning: 'An option or argument of the command cannot be used.',
    remedy: 'Correct the option that the message names; --help shows examples.',
  },
  CLIENT_FILE_UNREADABLE: {
    kind: 'input',
    meaning: 'A file could not be read.',
    remedy: 'Check that the path is right and that you may read the file.',
  },
  CLIENT_INPUT_INVALID: {
    kind: 'input',
    meaning: "An input does not fit the model's signature.",
    remedy: 'Give what `mlcapsule doctor CAPSULE` shows: the names, dtypes and shapes of the inputs.',
  },
  CLIENT_IMAGE_INVALID: {
    kind: 'input',
    meaning: 'An image could not be decoded, or is larger than is accepted.',
    remedy: 'Give a PNG, JPEG, WebP, GIF or TIFF image of at most 100 megapixels.',
  },
  CLIENT_PREPROCESSING_MISSING: {
    kind: 'input',
    meaning: 'The capsule does not say how an image becomes an input.',
    remedy: 'Give the input as a tensor (.json), or ask the provider for a capsule packed with --preprocess.',
  },
  CLIENT_NOT_ACTIVATED: {
    kind: 'refused',
    meaning: 'The capsule has not been activated on this machine.',
    remedy: 'Run `mlcapsule activate CAPSULE` first.',
  },
  CLIENT_STATE_UNSAFE: {
    kind: 'environment',
    meaning: 'The state directory can be read or changed by other users, or cannot be written.',
    remedy: 'Make it yours alone (chmod 700), or choose another with --state.',
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
  CLIENT_SERVICE_REFUSED: {
    kind: 'refused',
    meaning: "The provider's service refused the request.",
    remedy: 'The message holds the code and the reason that the service gave; its error reference says what to do.',
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
