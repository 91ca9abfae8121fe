// SPDX-License-Identifier: Apache-2.0
import { lenet } from './lenet.ts'
import { mobilenetV1 } from './mobilenet-v1.ts'
import { mobilenetV2 } from './mobilenet-v2.ts'
import type { Network } from './network.ts'
import { resnet50, resnet50Int8 } from './resnet50.ts'
import { transformerBlock } from './transformer-block.ts'
import { vgg16 } from './vgg16.ts'

/** Every network by the name that `--only` takes. */
export const networks: Readonly<Record<string, () => Network>> = {
  vgg16,
  resnet50,
  'resnet50-int8': resnet50Int8,
  mobilenetv1: mobilenetV1,
  mobilenetv2: mobilenetV2,
  lenet,
  transformer: transformerBlock,
}
