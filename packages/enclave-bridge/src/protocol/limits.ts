// SPDX-License-Identifier: Apache-2.0

/** Every limit of the protocol. spec/bridge-protocol.md, section 6, lists the same figures. */
export const bridgeLimits = {
  /** A control message: room for a token of 64 KiB and what surrounds it. */
  controlMaxSizeBytes: 131_072,
  payloadMaxCount: 64,
  /** All payloads of one message together. */
  payloadsMaxSizeBytes: 268_435_456,
  tokenMaxSizeBytes: 65_536,
  /** Magic, length, header, signature. */
  capsulePrefixMaxSizeBytes: 1_048_576 + 12 + 64,
  tensorMaxCount: 64,
  tensorMaxRank: 8,
  tensorNameMaxLength: 256,
  dimensionMax: 2_147_483_647,
  recordMaxSizeBytes: 2_097_152,
  evidenceMaxSizeBytes: 32_768,
  manifestMaxSizeBytes: 65_536,
  anchorDescriptorMaxSizeBytes: 1_024,
  /** The largest page of a capsule, and its tag. */
  sealedPageMaxSizeBytes: 4_194_304 + 16,
  pagesPerCallMaxCount: 16,
  errorNumberMaxCount: 4,
  receiptMaxSizeBytes: 256,
  logEntryMaxCount: 32,
  /** Sequences that are open at once, and what all of them together may hold. */
  sequenceMaxCount: 16,
  sequencesMaxSizeBytes: 268_435_456,
  sequenceIdMax: 4_294_967_295,
  pluginMaxCount: 64,
  memoryBudgetMinSizeBytes: 1_048_576,
  memoryBudgetMaxSizeBytes: 1_099_511_627_776,
  /** Calls that may wait on the host's side. */
  queueMaxCount: 256,
  /** Events that one request may raise; more is a violation. */
  eventsPerRequestMaxCount: 4_096,
} as const
