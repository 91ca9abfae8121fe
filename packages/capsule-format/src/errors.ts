// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError, type MlCapsuleErrorOptions } from '@mlcapsule/contracts'

const getAgain = 'Get the capsule again from its publisher; this copy is damaged or was changed.'

export const capsuleErrorTable = defineErrorTable({
  CAPSULE_BAD_MAGIC: {
    kind: 'input',
    meaning: 'The bytes do not start as a capsule does.',
    remedy:
      'Give a .capsule file. If it is one, it was changed on the way, perhaps by a transfer in text mode.',
  },
  CAPSULE_VERSION_UNSUPPORTED: {
    kind: 'input',
    meaning: 'The capsule is of a format version that this program does not know.',
    remedy:
      'Use a newer release of MLCapsule, or ask the publisher for a capsule of the version that is named.',
  },
  CAPSULE_SUITE_UNSUPPORTED: {
    kind: 'input',
    meaning: 'The capsule uses a set of ciphers that this program does not know.',
    remedy:
      'Use a newer release of MLCapsule, or ask the publisher for a capsule of the suite that is named.',
  },
  CAPSULE_HEADER_TOO_LARGE: {
    kind: 'input',
    meaning: "The header's stated length is zero or beyond the limit.",
    remedy: getAgain,
  },
  CAPSULE_HEADER_MALFORMED: {
    kind: 'input',
    meaning: 'The header is not deterministic CBOR.',
    remedy: getAgain,
  },
  CAPSULE_HEADER_INVALID: {
    kind: 'input',
    meaning: 'A header field is missing, unknown, of the wrong type or out of its range.',
    remedy: getAgain,
  },
  CAPSULE_PUBLISHER_UNTRUSTED: {
    kind: 'refused',
    meaning: 'The capsule was published under a key that is not among the trusted ones.',
    remedy:
      'Check with the provider which publisher key is theirs, and add it only if it came over a trusted way.',
  },
  CAPSULE_SIGNATURE_INVALID: {
    kind: 'refused',
    meaning: "The publisher's signature over the header does not verify.",
    remedy: getAgain,
  },
  CAPSULE_TRUNCATED: {
    kind: 'input',
    meaning: 'The capsule ends too early.',
    remedy: 'Finish or repeat the download.',
  },
  CAPSULE_TRAILING_BYTES: {
    kind: 'input',
    meaning: 'There are bytes after the end of the capsule.',
    remedy: getAgain,
  },
  CAPSULE_TREE_MISMATCH: {
    kind: 'refused',
    meaning: 'The pages are not the ones that the publisher signed.',
    remedy: getAgain,
  },
  CAPSULE_KEY_MISMATCH: {
    kind: 'refused',
    meaning: 'The content key is not the key of this capsule.',
    remedy: 'Activate this capsule; a key of another packing, even of the same model, does not open it.',
  },
  CAPSULE_PAGE_INVALID: {
    kind: 'input',
    meaning: 'A page was asked for or given that does not have the place or size that the header states.',
    remedy: 'Ask for pages below the page count of the blob, and hand them over whole.',
  },
  CAPSULE_PROGRAM_MALFORMED: {
    kind: 'input',
    meaning: 'The opened program blob does not have the form that the format prescribes.',
    remedy: 'Pack the model again with a current release.',
  },
  CAPSULE_OPTIONS_INVALID: {
    kind: 'usage',
    meaning:
      'A capsule was to be written with a field that is missing, of the wrong type or out of its range.',
    remedy: 'Correct the field that the message names.',
  },
  CAPSULE_INPUT_SIZE_MISMATCH: {
    kind: 'input',
    meaning: 'The weights that were streamed do not have the size that was announced.',
    remedy: 'Announce the exact size in bytes, and keep the source unchanged while it is packed.',
  },
  CAPSULE_FILE_EXISTS: {
    kind: 'input',
    meaning: 'The file to be written exists already.',
    remedy: 'Choose another name, or ask for it to be overwritten.',
  },
  CAPSULE_WRITE_FAILED: {
    kind: 'environment',
    meaning: 'The capsule could not be written; no part of it was left behind.',
    remedy: 'Check the free space and the permissions of the folder, then repeat.',
  },
  CAPSULE_SOURCE_FAILED: {
    kind: 'environment',
    meaning: 'The capsule could not be read from where it lies.',
    remedy: 'Check the path or the address, the permissions and the network, then repeat.',
  },
  CAPSULE_SOURCE_CHANGED: {
    kind: 'environment',
    meaning: 'The capsule was replaced while it was being read.',
    remedy: 'Open it again.',
  },
  CAPSULE_RANGE_UNSUPPORTED: {
    kind: 'environment',
    meaning: 'The server does not serve parts of a file.',
    remedy: 'Use a server that answers range requests (RFC 9110 section 14), or download the file first.',
  },
})

export type CapsuleErrorCode = keyof typeof capsuleErrorTable

/** A capsule that is not one, is not whole, is not the publisher's, or could not be read or written. */
export class CapsuleFormatError extends MlCapsuleError<CapsuleErrorCode> {
  constructor(code: CapsuleErrorCode, detail: string, options?: MlCapsuleErrorOptions) {
    super(capsuleErrorTable, code, detail, options)
  }
}
