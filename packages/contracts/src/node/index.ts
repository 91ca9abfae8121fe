// SPDX-License-Identifier: Apache-2.0
export { type AddonBuild, type AddonToBuild, addonFolder, buildAddon } from './build-addon.ts'
export {
  createDurableFile,
  type DurableFile,
  type DurableFileOptions,
  writeFileDurably,
} from './durable-file.ts'
export { type FolderHolder, type FolderLock, lockFolder } from './folder-lock.ts'
export { privateFolderProblem } from './private-folder.ts'
export { readSmallFile } from './read-small-file.ts'
export { syncFolder } from './sync-folder.ts'
export { systemCode } from './system-code.ts'
