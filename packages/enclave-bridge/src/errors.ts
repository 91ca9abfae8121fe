// SPDX-License-Identifier: Apache-2.0
import {
  defineErrorTable,
  type ErrorTable,
  MlCapsuleError,
  type MlCapsuleErrorOptions,
} from '@mlcapsule/contracts'

/** `BRIDGE_*`: the door and its transports. `ENCLAVE_*`: what the program behind the door refuses. */
export const bridgeErrorTable = defineErrorTable({
  BRIDGE_PROTOCOL_VIOLATION: {
    kind: 'internal',
    meaning:
      'The other side of the door sent something that the protocol does not allow; the door is closed.',
    remedy: 'Use an enclave and a host of the same release; if they are, one of the two was tampered with.',
  },
  BRIDGE_VERSION_UNSUPPORTED: {
    kind: 'environment',
    meaning: 'Host and enclave share no version of the bridge protocol.',
    remedy: 'Update the older of the two.',
  },
  BRIDGE_LIMIT_EXCEEDED: {
    kind: 'input',
    meaning: 'A message, or a field of it, is larger than the protocol allows.',
    remedy: 'Make it smaller; spec/bridge-protocol.md lists the limits.',
  },
  BRIDGE_MESSAGE_INVALID: {
    kind: 'usage',
    meaning: 'A message to be sent does not have the form that the protocol gives it.',
    remedy: 'Give the field the form that the message names.',
  },
  BRIDGE_CLOSED: {
    kind: 'usage',
    meaning: 'The door is closed.',
    remedy: 'Launch the enclave again.',
  },
  BRIDGE_QUEUE_FULL: {
    kind: 'environment',
    meaning: 'More calls wait for the enclave than its queue holds.',
    remedy: 'Wait for answers before asking for more, or launch another enclave.',
  },
  BRIDGE_TIMEOUT: {
    kind: 'environment',
    meaning:
      'The enclave did not answer in the time that the caller gave it. A query it works on is still charged.',
    remedy: 'Give it more time, or end the enclave and resume.',
  },
  BRIDGE_ABORTED: {
    kind: 'usage',
    meaning: 'The caller gave the call up. A query that had reached the enclave is still charged.',
    remedy: 'Call again; with the same retry id, a query that was answered meanwhile is not charged twice.',
  },
  BRIDGE_CALL_FAILED: {
    kind: 'environment',
    meaning: 'The host could not do what the enclave asked it for: read pages, read or write a record.',
    remedy: 'See the cause: the capsule file or the state directory is missing, full or damaged.',
  },
  BRIDGE_LAUNCH_FAILED: {
    kind: 'environment',
    meaning: 'The enclave did not start.',
    remedy: 'Run the tool\'s "doctor" command; it shows which entries this machine can start.',
  },
  BRIDGE_BUNDLE_MISMATCH: {
    kind: 'refused',
    meaning: 'A file of the enclave does not have the digest that its manifest gives.',
    remedy: 'Install or build the enclave again: its files were changed after the build.',
  },
  BRIDGE_BUNDLE_INVALID: {
    kind: 'input',
    meaning: 'The folder does not hold a built enclave with a valid manifest.',
    remedy: 'Run "npm run enclave:build", or give the folder of an installed enclave.',
  },
  BRIDGE_OPTION_INVALID: {
    kind: 'usage',
    meaning: 'An option of the launch is not supported, or contradicts another.',
    remedy: 'Choose one of the values that the message lists.',
  },
  BRIDGE_STATE_UNUSABLE: {
    kind: 'environment',
    meaning: 'The state directory cannot be used: it is not a private folder, or a file in it is malformed.',
    remedy: 'Give a folder of your own, with no access for others; never edit what is in it.',
  },
  ENCLAVE_DIED: {
    kind: 'environment',
    meaning: 'The enclave ended while it was needed.',
    remedy: 'Launch it again and resume: at most one block of paid queries is lost.',
  },
  ENCLAVE_BUSY: {
    kind: 'usage',
    meaning: 'A request came while another one was being served: an enclave has one lane.',
    remedy: 'Wait for the answer; the handle of the enclave queues calls by itself.',
  },
  ENCLAVE_STATE_INVALID: {
    kind: 'usage',
    meaning: 'The enclave is not in the state that the request needs.',
    remedy: 'Load a capsule first, then activate or resume, then ask.',
  },
  ENCLAVE_STOPPED: {
    kind: 'refused',
    meaning: 'The enclave has stopped for good after an earlier fault or its close, and has wiped its keys.',
    remedy: 'Launch it again and resume.',
  },
  ENCLAVE_INPUT_INVALID: {
    kind: 'input',
    meaning: 'An input tensor is missing, unknown, or not of the dtype and shape that the capsule declares.',
    remedy: 'Give every input that the capsule lists, with its dtype and shape. Nothing was charged.',
  },
  ENCLAVE_INPUT_NOT_FINITE: {
    kind: 'input',
    meaning: 'An input tensor holds NaN or infinity.',
    remedy: 'Give finite numbers. Nothing was charged.',
  },
  ENCLAVE_RETRY_MISMATCH: {
    kind: 'usage',
    meaning: 'A retry id came again with other inputs.',
    remedy: 'Use a new random retry id for every new query.',
  },
  ENCLAVE_SEQUENCE_UNSUPPORTED: {
    kind: 'input',
    meaning: 'A sequence was to be opened, but the model keeps nothing from one query to the next.',
    remedy: 'Ask without a sequence, or have the capsule packed with its states.',
  },
  ENCLAVE_SEQUENCE_UNKNOWN: {
    kind: 'usage',
    meaning: 'A query names a sequence that is not open: it was closed, or the enclave was started anew.',
    remedy: 'Open a new sequence and send the whole prompt again. Nothing was charged.',
  },
  ENCLAVE_SEQUENCE_STEP_MISMATCH: {
    kind: 'usage',
    meaning: 'A query is not the next one of its sequence: another one was answered that the client gave up.',
    remedy: 'Repeat a query with its retry id, or open a new sequence. Nothing was charged.',
  },
  ENCLAVE_SEQUENCE_LIMIT_EXCEEDED: {
    kind: 'input',
    meaning: 'More sequences are open, or hold more bytes together, than an enclave keeps.',
    remedy: 'Close sequences that are done, or keep them shorter. Nothing was charged.',
  },
  ENCLAVE_CAPSULE_UNSUITABLE: {
    kind: 'refused',
    meaning: 'The capsule and this enclave do not fit each other.',
    remedy: 'Use the enclave release and the kernels that the publisher names for this capsule.',
  },
  ENCLAVE_BUDGET_TOO_SMALL: {
    kind: 'environment',
    meaning:
      'The memory budget does not hold what the model needs for one query. The figure is the least budget, in bytes.',
    remedy: 'Give the enclave at least that budget, or none.',
  },
  ENCLAVE_PAGE_INVALID: {
    kind: 'input',
    meaning: 'The host delivered pages of another number or size than asked for.',
    remedy: 'Check the capsule file with "inspect --verify".',
  },
  ENCLAVE_RECORD_INVALID: {
    kind: 'refused',
    meaning: 'A sealed record is missing, or was not made by this enclave on this platform.',
    remedy: 'Restore the state directory of this enclave, or activate anew.',
  },
  ENCLAVE_DEFENSE_UNKNOWN: {
    kind: 'refused',
    meaning: 'The capsule asks for a defense, or a version of one, that this enclave does not have.',
    remedy: 'Use an enclave build that lists the defense.',
  },
  ENCLAVE_INTERNAL: {
    kind: 'internal',
    meaning: 'The enclave met an error that it does not describe, so as not to leak what it works on.',
    remedy: 'Report it with the steps that led to it.',
  },
})

export type BridgeErrorCode = keyof typeof bridgeErrorTable

export interface BridgeErrorOptions extends MlCapsuleErrorOptions {
  /** Up to four non-negative integers that may cross the door with the code: an index, what was expected, what came. */
  readonly numbers?: readonly number[]
}

/** A refusal by the door, a transport or the enclave's own program. */
export class BridgeError extends MlCapsuleError<BridgeErrorCode> {
  readonly numbers: readonly number[]

  constructor(code: BridgeErrorCode, detail: string, options: BridgeErrorOptions = {}) {
    super(bridgeErrorTable, code, detail, options)
    this.numbers = options.numbers ?? []
  }
}

/** An error of any package, thrown inside the enclave and put into words again on the host's side. */
export class EnclaveError extends MlCapsuleError {
  readonly numbers: readonly number[]

  constructor(
    table: ErrorTable,
    code: string,
    detail: string,
    options: MlCapsuleErrorOptions & { readonly numbers: readonly number[] },
  ) {
    super(table, code, detail, options)
    this.numbers = options.numbers
  }
}
