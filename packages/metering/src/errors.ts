// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError, type MlCapsuleErrorOptions } from '@mlcapsule/contracts'

export const meteringErrorTable = defineErrorTable({
  LICENSE_MALFORMED: {
    kind: 'input',
    meaning: 'A license is signed but its claims are not of the form that the specification gives.',
    remedy: 'Ask the provider for a new license.',
  },
  LICENSE_SIGNER_UNKNOWN: {
    kind: 'refused',
    meaning: 'A license is not signed by one of the keys that may sign licenses here.',
    remedy: 'Use the license of the provider who packed this capsule.',
  },
  LICENSE_BINDING_MISMATCH: {
    kind: 'refused',
    meaning: 'A license is for another enclave, anchor, build or model.',
    remedy: 'Activate this enclave to get a license of its own; the message names what differs.',
  },
  LICENSE_EXPIRED: {
    kind: 'refused',
    meaning: 'The license has ended.',
    remedy: 'Ask the provider to renew the license.',
  },
  LICENSE_NOT_YET_VALID: {
    kind: 'refused',
    meaning: 'The license starts in the future.',
    remedy: 'Wait until its start, or set the clock of this machine if it is wrong.',
  },
  LICENSE_CLOCK_SET_BACK: {
    kind: 'refused',
    meaning: 'The clock of this machine shows a time before one that is proven to have passed.',
    remedy: 'Set the clock of this machine.',
  },
  LICENSE_QUOTA_EXHAUSTED: {
    kind: 'refused',
    meaning: 'The license has fewer units left than the query costs.',
    remedy: 'Ask the provider for a further license; nothing was charged for this query.',
  },
  LICENSE_LEASE_EXHAUSTED: {
    kind: 'refused',
    meaning: 'As many queries were made as may be made without the provider.',
    remedy: 'Send a usage statement to the provider and activate again.',
  },
  LEDGER_RECORD_MISSING: {
    kind: 'refused',
    meaning: 'The sealed record of the ledger is gone.',
    remedy: 'Restore the state directory; where that is not possible, activate again.',
  },
  LEDGER_RECORD_INVALID: {
    kind: 'refused',
    meaning: 'The sealed record does not open, or does not hold a ledger.',
    remedy: 'Restore the record that this enclave wrote last, unchanged.',
  },
  LEDGER_ROLLED_BACK: {
    kind: 'refused',
    meaning: 'The sealed record is not the one that the anchor names: an older one was put in its place.',
    remedy:
      'Restore the latest record. Where it is lost, ask the provider: the units of this ledger count as spent.',
  },
  LEDGER_FORKED: {
    kind: 'refused',
    meaning: 'Something else has moved the anchor: two enclaves were run on one ledger.',
    remedy: 'Run one enclave per ledger. Ask the provider: the units of this ledger count as spent.',
  },
  LEDGER_STOPPED: {
    kind: 'refused',
    meaning: 'The ledger has stopped after an error and serves no more in this process.',
    remedy: 'Restart the enclave; the message names the error that came first.',
  },
  LEDGER_CLOSED: {
    kind: 'usage',
    meaning: 'The ledger has been closed.',
    remedy: 'Start the enclave again to make queries.',
  },
  LEDGER_BUSY: {
    kind: 'usage',
    meaning: 'The ledger was used while another query or a change of block was under way.',
    remedy: 'Make one query at a time, and settle or cancel it before the next call.',
  },
  LEDGER_ADVANCE_REQUIRED: {
    kind: 'usage',
    meaning: 'The open block has no room for the query.',
    remedy: 'Await advance() first; needsAdvance() says when.',
  },
  LEDGER_QUERY_TOO_LARGE: {
    kind: 'input',
    meaning: 'One query costs more than a block may hold.',
    remedy: 'Split the batch; the message names the most that one query may cost.',
  },
  LEDGER_RESERVATION_INVALID: {
    kind: 'usage',
    meaning: 'A query was settled or cancelled that is not the open one, or for more than it reserved.',
    remedy: 'Settle the reservation that reserve() returned, once.',
  },
  LEDGER_STATE_TOO_LARGE: {
    kind: 'input',
    meaning: 'The state of the defenses is larger than a record may hold.',
    remedy: 'Use defenses with a bounded state; the message names the limit.',
  },
  LEDGER_STATEMENT_NOT_DUE: {
    kind: 'refused',
    meaning: 'A usage statement was asked for before as many queries were made as the license prescribes.',
    remedy: 'Close the ledger to get a statement now, or wait until it is due.',
  },
  LEDGER_STORE_FAILED: {
    kind: 'environment',
    meaning: 'The sealed record could not be read or written.',
    remedy: 'Check the state directory: free space, permissions, and that no other process uses it.',
  },
  LEDGER_ANCHOR_FAILED: {
    kind: 'environment',
    meaning: 'The anchor could not be read or moved.',
    remedy: 'Check the anchor of this machine, then restart the enclave.',
  },
  RECEIPT_MALFORMED: {
    kind: 'input',
    meaning: 'A receipt or the closing of a block is not of the form that the specification gives.',
    remedy: 'Use the receipts exactly as the enclave made them.',
  },
  RECEIPT_LOG_MALFORMED: {
    kind: 'input',
    meaning: 'A file of receipts holds a line that is neither a receipt nor the closing of a block.',
    remedy: 'Use the file as it was written; the message names the line.',
  },
  RECEIPT_LICENSE_MISMATCH: {
    kind: 'refused',
    meaning: 'A receipt belongs to another license or ledger.',
    remedy: 'Check receipts together with the license that they were made under.',
  },
  RECEIPT_CHAIN_BROKEN: {
    kind: 'refused',
    meaning: 'Receipts are missing, changed, repeated or out of order.',
    remedy: 'Use the complete file of receipts; the message names the first one that does not fit.',
  },
  TOKEN_STATEMENT_MALFORMED: {
    kind: 'input',
    meaning: 'A usage statement is not of the one form that is allowed to leave the enclave.',
    remedy: 'Send the statement exactly as the enclave made it.',
  },
  TOKEN_STATEMENT_MISMATCH: {
    kind: 'refused',
    meaning: 'A usage statement belongs to another license or ledger.',
    remedy: 'Check the statement together with the license that it was made under.',
  },
  TOKEN_STATEMENT_DISCONTINUOUS: {
    kind: 'refused',
    meaning: 'A usage statement does not continue the one before it.',
    remedy: 'Bring the statements in order, each once; the message names what does not fit.',
  },
  TOKEN_SIGNER_UNKNOWN: {
    kind: 'refused',
    meaning: "A token is not signed by the license's enclave.",
    remedy: 'Check where the token comes from.',
  },
})

export type MeteringErrorCode = keyof typeof meteringErrorTable

/** A license, ledger, receipt or statement that was refused. */
export class MeteringError extends MlCapsuleError<MeteringErrorCode> {
  constructor(code: MeteringErrorCode, detail: string, options?: MlCapsuleErrorOptions) {
    super(meteringErrorTable, code, detail, options)
  }
}
