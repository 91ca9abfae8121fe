// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import * as format from './index.ts'
import * as node from './node/index.ts'

test('the public surface', () => {
  expect(Object.keys(format).sort()).toMatchInlineSnapshot(`
    [
      "CapsuleFormatError",
      "CapsuleKeys",
      "blobNames",
      "blobOffsetBytes",
      "blobSource",
      "capsuleErrorTable",
      "capsuleFormatVersion",
      "capsuleLimits",
      "capsuleMagic",
      "capsuleSuite",
      "decodeProgramBlob",
      "defaultPageSizeBytes",
      "headerToJson",
      "httpRangeSource",
      "memoryCapsuleSink",
      "memorySource",
      "openCapsule",
      "parseHeader",
      "sealedPageSizeBytes",
      "writeCapsule",
    ]
  `)
  expect(Object.keys(node).sort()).toEqual(['fileCapsuleSink', 'fileSource'])
})
