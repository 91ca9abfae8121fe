// SPDX-License-Identifier: Apache-2.0

/** Versions of the protocol that this release speaks, newest first. */
export const bridgeVersions = [1] as const

export const entryNames = ['worker', 'process', 'gramine', 'vm'] as const

/** What an enclave can be in the midst of. */
export const enclaveStates = ['empty', 'loaded', 'activating', 'active', 'stopped'] as const
export type EnclaveState = (typeof enclaveStates)[number]

/** Sealed records that the host keeps for the enclave, each under a name of its own. */
export const recordSlots = ['pending', 'license', 'ledger'] as const
export type RecordSlot = (typeof recordSlots)[number]

export const blobNames = ['program', 'weights'] as const

/** What the enclave tells unasked: a code and up to four integers, never text. */
export const eventCodes = [
  'capsule-loaded',
  'weights-progress',
  'activated',
  'resumed',
  'block-opened',
  'closed',
] as const
export type EventCode = (typeof eventCodes)[number]

/** What became of a query. */
export const verdicts = ['pass', 'perturb', 'degrade', 'block'] as const
export type Verdict = (typeof verdicts)[number]

/** Names that an error may point at across the door. Any other name is left out. */
export const errorFields: ReadonlySet<string> = new Set([
  'anchor',
  'authority',
  'blob',
  'capsuleId',
  'challenge',
  'commit',
  'config',
  'count',
  'data',
  'defenses',
  'digest',
  'dtype',
  'evidence',
  'exp',
  'first',
  'grant',
  'header',
  'headerHash',
  'identityKey',
  'inputs',
  'kernels',
  'launch',
  'ledger',
  'license',
  'licenseHash',
  'manifest',
  'memoryBudgetSizeBytes',
  'minimumTier',
  'name',
  'nbf',
  'order',
  'outputs',
  'pages',
  'payloads',
  'pending',
  'program',
  'publisher',
  'purpose',
  'quota',
  'releaseKey',
  'response',
  'retryId',
  'sequence',
  'shape',
  'signature',
  'slot',
  'state',
  'symbols',
  'tariff',
  'tier',
  'units',
  'version',
  'versions',
  'weights',
])
