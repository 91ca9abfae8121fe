// SPDX-License-Identifier: Apache-2.0
import type { ImagePreprocessing } from '@mlcapsule/capsule-format'
import { z } from 'zod'
import { ProviderError } from '../errors.ts'
import { readTextFile } from '../files/files.ts'

const nanoPerOne = 1e9
const fraction = z
  .number()
  .refine(Number.isFinite)
  .refine((value) => Math.abs(value) <= 1e6, 'expected at most a million')
const side = z.int().min(1).max(16_384)

/** How people write it: fractions as they are, pixels as whole numbers. */
const descriptionSchema = z
  .strictObject({
    kind: z.literal('image'),
    layout: z.enum(['NCHW', 'NHWC']).default('NCHW'),
    colorOrder: z.enum(['RGB', 'BGR', 'gray']),
    resizeShorterSide: side.nullable().default(null),
    crop: z.strictObject({ height: side, width: side }).nullable().default(null),
    scale: fraction.refine((value) => value > 0, 'expected more than 0').default(1),
    mean: z.array(fraction).min(1).max(3),
    std: z
      .array(fraction.refine((value) => value > 0, 'expected more than 0'))
      .min(1)
      .max(3),
  })
  .superRefine((it, context) => {
    const channelCount = it.colorOrder === 'gray' ? 1 : 3
    for (const field of ['mean', 'std'] as const) {
      if (it[field].length === channelCount) continue
      const message = `expected one value for each of ${channelCount} channels`
      context.addIssue({ code: 'custom', path: [field], message })
    }
  })

type Description = z.input<typeof descriptionSchema>

/** Ready descriptions for models that are trained in a common way. */
export const preprocessingPresets: Readonly<
  Record<string, { readonly about: string; readonly value: Description }>
> = {
  'caffe-bgr': {
    about: '224 × 224, BGR, minus the mean of ImageNet: models that come from Caffe',
    value: {
      kind: 'image',
      colorOrder: 'BGR',
      resizeShorterSide: 224,
      crop: { height: 224, width: 224 },
      mean: [103.94, 116.78, 123.68],
      std: [1, 1, 1],
    },
  },
  'imagenet-rgb': {
    about: '224 × 224 out of 256, RGB, normalized by ImageNet: models that come from PyTorch',
    value: {
      kind: 'image',
      colorOrder: 'RGB',
      resizeShorterSide: 256,
      crop: { height: 224, width: 224 },
      scale: 1 / 255,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    },
  },
  'mnist-gray': {
    about: '28 × 28, gray, 0 to 1, ink is 1: handwritten digits',
    value: {
      kind: 'image',
      colorOrder: 'gray',
      resizeShorterSide: 28,
      crop: { height: 28, width: 28 },
      scale: 1 / 255,
      mean: [0],
      std: [1],
    },
  },
}

const toNano = (value: number) => Math.round(value * nanoPerOne)

/** @throws ProviderError `PROVIDER_PREPROCESSING_INVALID` */
export function parsePreprocessing(value: unknown): ImagePreprocessing {
  const result = descriptionSchema.safeParse(value)
  if (!result.success) {
    const issue = result.error.issues[0]
    const field = ['preprocessing', ...(issue?.path.map(String) ?? [])].join('.')
    throw new ProviderError('PROVIDER_PREPROCESSING_INVALID', `${field}: ${issue?.message ?? 'invalid'}`, {
      field,
    })
  }
  const { scale, mean, std, ...rest } = result.data
  return { ...rest, scaleNano: toNano(scale), meanNano: mean.map(toNano), stdNano: std.map(toNano) }
}

/**
 * A preset by its name, or a description from a JSON file.
 * @throws ProviderError `PROVIDER_PREPROCESSING_INVALID`, `PROVIDER_FILE_UNREADABLE`
 */
export async function readPreprocessing(presetOrPath: string): Promise<ImagePreprocessing> {
  const preset = Object.hasOwn(preprocessingPresets, presetOrPath)
    ? preprocessingPresets[presetOrPath]
    : undefined
  if (preset !== undefined) return parsePreprocessing(preset.value)
  if (!presetOrPath.endsWith('.json')) {
    const known = Object.keys(preprocessingPresets).join(', ')
    const detail = `expected one of ${known}, or the path of a .json file; got ${presetOrPath}`
    throw new ProviderError('PROVIDER_PREPROCESSING_INVALID', detail, { field: 'preprocess' })
  }
  const text = await readTextFile(presetOrPath, 16_384)
  try {
    return parsePreprocessing(JSON.parse(text))
  } catch (error) {
    if (error instanceof ProviderError) throw error
    throw new ProviderError('PROVIDER_PREPROCESSING_INVALID', `${presetOrPath} is not JSON`, {
      field: 'preprocess',
    })
  }
}
