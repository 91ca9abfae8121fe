// SPDX-License-Identifier: Apache-2.0
export { consistencyPath, inclusionPath, leafHash, logMaxCount, nodeHash, treeRoot } from './merkle.ts'
export {
  type CheckLogProofInput,
  checkLogProof,
  decodeLogProof,
  encodeLogProof,
  type LogProof,
  proofMaxSizeBytes,
} from './proof.ts'
export { signTreeHead, type TreeHead, treeHeadTyp, verifyTreeHead } from './tree-head.ts'
export { isExtension, isIncluded, type Tree } from './verify.ts'
