// SPDX-License-Identifier: Apache-2.0
import type { TfjsKernel } from '../kernel.ts'
import { alongAxisKernels } from './along-axis.ts'
import { blockKernels } from './blocks.ts'
import { boxKernels } from './boxes.ts'
import { convGradientKernels } from './conv-gradients.ts'
import { conv2dKernels } from './conv2d.ts'
import { conv2dTransposeKernels } from './conv2d-transpose.ts'
import { countingKernels } from './counting.ts'
import { detectionKernels } from './detection.ts'
import { einsumKernels } from './einsum.ts'
import { fourierKernels } from './fourier.ts'
import { functionKernels } from './functions.ts'
import { gatheringKernels } from './gathering.ts'
import { gradientKernels } from './gradients.ts'
import { largestTapKernels } from './largest-taps.ts'
import { makingKernels } from './making.ts'
import { matmulKernels } from './matmul.ts'
import { multinomialKernels } from './multinomial.ts'
import { normalizationKernels } from './normalization.ts'
import { pairKernels } from './pairs.ts'
import { poolGradientKernels } from './pool-gradients.ts'
import { pool2dKernels } from './pool2d.ts'
import { reductionKernels } from './reductions.ts'
import { repeatKernels } from './repeats.ts'
import { resizeKernels } from './resize.ts'
import { scatteringKernels } from './scattering.ts'
import { selectKernels } from './select.ts'
import { sharingKernels } from './sharing.ts'
import { sparseKernels } from './sparse.ts'
import { volumeKernels } from './volumes.ts'
import { warpingKernels } from './warping.ts'

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
  ...convGradientKernels,
  ...poolGradientKernels,
  ...largestTapKernels,
  ...gradientKernels,
  ...countingKernels,
  ...warpingKernels,
  ...sparseKernels,
  ...fourierKernels,
  ...multinomialKernels,
]
