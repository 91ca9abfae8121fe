// SPDX-License-Identifier: Apache-2.0

/** Bounds that keep a hostile model from taking time or memory out of proportion. Exceeding one is `MODEL_TOO_LARGE`. */
export const modelLimits = {
  /** A tensor's payload of at least this size stays in the file; smaller ones are read with the graph. */
  payloadThresholdBytes: 4096,
  /** All that is left of the file once payloads are taken out. */
  skeletonSizeBytes: 32 * 1024 * 1024,
  /** Protobuf fields plus elements of packed integer fields. */
  elementCount: 2_000_000,
  messageDepth: 48,
  /** Objects and lists of a model.json within one another. */
  jsonDepth: 96,
  /** Files that one group of weights may be spread over. */
  shardCount: 1024,
  nodeCount: 200_000,
  /** Inputs of one node, and outputs: a program has no more steps, to make them or to read them. */
  nodeOperandCount: 16_384,
  /** Elements of one tensor, constant or computed. */
  tensorElementCount: 2 ** 32,
  /** A constant that must be held in memory whole, to be folded or transposed. */
  wholeConstantSizeBytes: 256 * 1024 * 1024,
  /** Constants that are computed one from another as they are read. */
  constantDepth: 16,
  rank: 8,
} as const
