// SPDX-License-Identifier: Apache-2.0
// A platform that exists to be read: docs/guides/adding-a-platform.md walks through it. It is not published.
export { type SkeletonDevice, skeletonAttester } from './attester.ts'
export {
  parseSkeletonEvidence,
  type SkeletonEvidence,
  type SkeletonReport,
  skeletonPlatform,
} from './layout.ts'
export { skeletonRules } from './rules.ts'
export { skeletonVerifier } from './verifier.ts'
export {
  type GenuineReport,
  type SkeletonContext,
  type SkeletonTrustStore,
  skeletonTrustStore,
  verifySkeletonReport,
} from './verify.ts'
