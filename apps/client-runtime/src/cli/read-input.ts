// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path'
import { readSmallFile } from '../node/files.ts'
import type { Inputs } from '../sdk/inputs.ts'
import type { MlCapsule } from '../sdk/ml-capsule.ts'
import { tensorFromNpy } from '../sdk/npy.ts'
import { tensorsFromJson } from '../sdk/tensor-json.ts'

const fileMaxSizeBytes = 268_435_456

/**
 * Inputs of one query from a file: tensors from `.json` and `.npy`, an image from any other.
 * @throws ClientError `CLIENT_FILE_*`, `CLIENT_INPUT_INVALID`, `CLIENT_IMAGE_INVALID`, `CLIENT_PREPROCESSING_MISSING`
 */
export async function readInputs(path: string, model: MlCapsule): Promise<Inputs> {
  const bytes = await readSmallFile(path, fileMaxSizeBytes)
  switch (extname(path).toLowerCase()) {
    case '.json':
      return tensorsFromJson(new TextDecoder().decode(bytes), model.header.inputs)
    case '.npy':
      return tensorFromNpy(bytes)
    default:
      return await model.imageTensor(bytes)
  }
}
