// SPDX-License-Identifier: Apache-2.0

/** One of our engines against others, with the ratios that we aim at. */
export interface Match {
  readonly title: string
  readonly ours: string
  readonly peers: readonly string[]
  readonly threadCount: number
  /** The most that our time may be of the best peer's, by network; those that are not named are left out. */
  readonly targets: Readonly<Record<string, number>>
}

const nativeTargets = {
  vgg16: 0.6,
  resnet50: 0.8,
  'resnet50-int8': 0.9,
  mobilenetv1: 0.95,
  mobilenetv2: 0.85,
  lenet: 0.8,
  transformer: 1,
}

/** Our engine with weights kept smaller, against itself with float32 ones. */
export function compactMatches(storage: 'f16' | 'int8'): readonly Match[] {
  return (['native', 'wasm'] as const).flatMap((engine) =>
    (engine === 'native' ? [1, 2] : [1]).map((threadCount) => ({
      title: `${engine}, ${storage} weights beside float32 ones, ${threadCount} thread${threadCount > 1 ? 's' : ''}`,
      ours: `${engine}-${storage}`,
      peers: [engine],
      threadCount,
      targets: {},
    })),
  )
}

export const matches: readonly Match[] = [
  {
    title: 'native, 1 thread',
    ours: 'native',
    peers: ['onnxruntime-node'],
    threadCount: 1,
    targets: nativeTargets,
  },
  {
    title: 'native, 2 threads',
    ours: 'native',
    peers: ['onnxruntime-node'],
    threadCount: 2,
    targets: nativeTargets,
  },
  {
    title: 'WebAssembly, 1 thread',
    ours: 'wasm',
    peers: ['tfjs-wasm', 'onnxruntime-web'],
    threadCount: 1,
    targets: {
      vgg16: 0.45,
      resnet50: 0.55,
      mobilenetv1: 0.7,
      mobilenetv2: 0.7,
      lenet: 0.4,
      transformer: 0.7,
    },
  },
  {
    // tfjs switches its threads off in Node.
    title: 'WebAssembly, 2 threads',
    ours: 'wasm',
    peers: ['onnxruntime-web'],
    threadCount: 2,
    targets: { vgg16: 0.5, resnet50: 0.6, mobilenetv1: 0.8, mobilenetv2: 0.8, lenet: 0.4, transformer: 0.7 },
  },
]
