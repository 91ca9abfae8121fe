// SPDX-License-Identifier: Apache-2.0
import { toBase64Url } from '@mlcapsule/crypto'
import type { CapsuleHeader } from './types.ts'

/** A header as JSON can hold it: the same fields, bytes as base64url. */
export function headerToJson({ coreBytes: _core, ...header }: CapsuleHeader) {
  const { capsuleId, publisher, commit, root, ...rest } = header
  return {
    ...rest,
    capsuleId: toBase64Url(capsuleId),
    publisher: { thumbprint: publisher.thumbprint, publicKey: toBase64Url(publisher.publicKey) },
    commit: toBase64Url(commit),
    root: toBase64Url(root),
  }
}
