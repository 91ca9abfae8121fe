// SPDX-License-Identifier: Apache-2.0
// For the tests of other packages.
export { chainNowMs, makeCrl } from './certificates.ts'
export {
  buildPreload,
  type EmulatedDevice,
  emulateGramine,
  emulateTsm,
  missingForPreload,
} from './devices/emulation.ts'
export { type Enrollable, makeEnrollable } from './enrollable.ts'
export { type MadeEvidence, makeEvidence } from './made-evidence.ts'
export { reportData, type SkeletonWorld, skeletonWorld } from './skeleton.ts'
