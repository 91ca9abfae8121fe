// SPDX-License-Identifier: Apache-2.0
import type { TfjsKernel } from '../kernel.ts'
import { alongAxisKernels } from './along-axis.ts'
import { blockKernels } from './blocks.ts'
import { boxKernels } from './boxes.ts'
import { conv2dKernels } from './conv2d.ts'
import { conv2dTransposeKernels } from './conv2d-transpose.ts'
import { detectionKernels } from './detection.ts'
import { einsumKernels } from './einsum.ts'
import { functionKernels } from './functions.ts'
import { gatheringKernels } from './gathering.ts'
import { makingKernels } from './making.ts'
import { matmulKernels } from './matmul.ts'
import { normalizationKernels } from './normalization.ts'
import { pairKernels } from './pairs.ts'
import { pool2dKernels } from './pool2d.ts'
import { reductionKernels } from './reductions.ts'
import { repeatKernels } from './repeats.ts'
import { resizeKernels } from './resize.ts'
import { scatteringKernels } from './scattering.ts'
import { selectKernels } from './select.ts'
import { sharingKernels } from './sharing.ts'
import { volumeKernels } from './volumes.ts'

/** All kernels that the backend has. */
export const tfjsKernels: readonly TfjsKernel[] = [
  ...sharingKernels,
  ...makingKernels,
  ...functionKernels,
  ...pairKernels,
  ...selectKernels,
  ...reductionKernels,
  ...alongAxisKernels,
  ...boxKernels,
  ...repeatKernels,
  ...blockKernels,
  ...gatheringKernels,
  ...scatteringKernels,
  ...matmulKernels,
  ...einsumKernels,
  ...conv2dKernels,
  ...conv2dTransposeKernels,
  ...pool2dKernels,
  ...volumeKernels,
  ...normalizationKernels,
  ...resizeKernels,
  ...detectionKernels,
]
