// SPDX-License-Identifier: Apache-2.0

/** Every limit of the format. The specification (spec/capsule-format.md, section 8) lists the same figures. */
export const capsuleLimits = {
  headerMaxSizeBytes: 1_048_576,
  pageMinSizeBytes: 4_096,
  pageMaxSizeBytes: 4_194_304,
  programMinPaddedSizeBytes: 65_536,
  programMaxPaddedSizeBytes: 67_108_864,
  weightsMaxPaddedSizeBytes: 1_099_511_627_776,
  modelIdMaxLength: 64,
  nameMaxSizeBytes: 256,
  dimensionNameMaxSizeBytes: 64,
  dimensionMax: 2_147_483_647,
  tensorMaxCount: 64,
  labelMaxCount: 65_536,
  labelMaxSizeBytes: 256,
  authorityMaxCount: 8,
  urlMaxSizeBytes: 2_048,
  versionMax: 4_294_967_295,
  imageSideMax: 16_384,
  nanoMax: 1_000_000_000_000_000,
  defenseMaxCount: 8,
  defenseNameMaxLength: 64,
} as const

/** 1 MiB. */
export const defaultPageSizeBytes = 1_048_576

/** Format version that this package writes and reads. */
export const capsuleFormatVersion = 1

/** Suite 1: AES-256-GCM, HKDF-SHA256, SHA-256, Ed25519. */
export const capsuleSuite = 1

/**
 * First eight bytes of a capsule. A high bit, both line endings and an end-of-file mark, so that a transfer that
 * touches text is noticed at once.
 */
export const capsuleMagic: Readonly<Uint8Array> = Uint8Array.of(
  0x89,
  0x4d,
  0x4c,
  0x43,
  0x0d,
  0x0a,
  0x1a,
  0x0a,
)

/** Magic and header length. */
export const lengthPrefixSizeBytes = 12
