// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { createSession } from '../engine/create-session.ts'
import { KernelError } from '../errors.ts'
import { referenceKernels } from '../reference/reference-kernels.ts'
import { bytesProgram } from './bytes-program.ts'
import { assertChecksAlike } from './hostile-records.ts'
import { assertLifecycle } from './lifecycle.ts'
import { assertSolves, type Problem } from './problem.ts'
import { binaryProblem, copyProblem, fillProblem, softmaxProblem, unaryProblem } from './problems-elements.ts'
import {
  conv2dProblem,
  denseProblem,
  depthwiseProblem,
  matmulProblem,
  poolProblem,
} from './problems-products.ts'
import {
  dequantizeProblem,
  quantizedAddProblem,
  quantizedConv2dProblem,
  quantizedMaxPoolProblem,
  quantizeProblem,
} from './problems-quantized.ts'
import { SeededRandom } from './random.ts'
import { imageProgram } from './sample-programs.ts'

/** One test: `run` throws where the backend is wrong. */
export interface KernelCase {
  readonly name: string
  run(): Promise<void>
}

export interface KernelSuiteOptions {
  /** Random problems per op, 40 by default. */
  readonly problemCount?: number
  /** Threads that a step may use, 1 by default. */
  readonly threadCount?: number
  /** Another seed gives other problems. */
  readonly seed?: number
}

const problems: Readonly<Record<string, (random: SeededRandom) => Promise<Problem>>> = {
  conv2d: conv2dProblem,
  depthwiseConv2d: depthwiseProblem,
  dense: denseProblem,
  matmul: matmulProblem,
  pool2d: poolProblem,
  unary: unaryProblem,
  binary: binaryProblem,
  softmax: softmaxProblem,
  copy: copyProblem,
  fill: fillProblem,
  quantizedConv2d: quantizedConv2dProblem,
  quantize: quantizeProblem,
  dequantize: dequantizeProblem,
  quantizedAdd: quantizedAddProblem,
  quantizedMaxPool2d: quantizedMaxPoolProblem,
}

async function assertProgramAgrees(
  backend: KernelBackend,
  threadCount: number,
  seed: number,
  sample: typeof imageProgram,
  tolerance: number,
): Promise<void> {
  const data = new SeededRandom(seed).floats(2 * 3 * 8 * 8)
  const inputs = new Map<string, Tensor>([['image', { dtype: 'float32', shape: [2, 3, 8, 8], data }]])
  const answers = []
  for (const kernels of [backend, referenceKernels]) {
    const session = await createSession({ ...sample(seed), kernels, symbols: { N: 2 }, threadCount })
    answers.push(session.run(inputs).get('scores')?.data as Float32Array)
    session.dispose()
  }
  const [actual, expected] = answers as [Float32Array, Float32Array]
  for (const [i, value] of expected.entries()) {
    if (!(Math.abs((actual[i] as number) - value) <= tolerance)) {
      throw new KernelError(
        'KERNEL_SELF_TEST_FAILED',
        `program: score ${i} is ${actual[i]}, expected ${value}`,
      )
    }
  }
}

/**
 * The tests that every kernel backend passes, whatever it is made of: each op against the reference within its error
 * bound, nothing written but the output, hostile records refused as the checker refuses them, a whole program, and the
 * promises of `Kernels`. Any test runner will do: `for (const { name, run } of kernelCases(backend)) test(name, run)`.
 */
export function kernelCases(backend: KernelBackend, options: KernelSuiteOptions = {}): readonly KernelCase[] {
  const { problemCount = 40, threadCount = 1, seed = 1 } = options
  const cases: KernelCase[] = []
  for (const [op, makeProblem] of Object.entries(problems)) {
    cases.push({
      name: `${op} agrees with the reference and writes nothing else`,
      run: async () => {
        for (let i = 0; i < problemCount; i++) {
          const problem = await makeProblem(new SeededRandom(seed * 1_000_003 + i))
          await assertSolves(backend, problem, `${op} problem ${i} of seed ${seed}`, threadCount)
        }
      },
    })
    cases.push({
      name: `damaged ${op} records are refused as the checker refuses them`,
      run: async () => {
        for (let i = 0; i < problemCount; i++) {
          const random = new SeededRandom(seed * 2_000_003 + i)
          const problem = await makeProblem(random)
          await assertChecksAlike(backend, problem, random, `${op} damage ${i} of seed ${seed}`)
        }
      },
    })
  }
  cases.push({
    name: 'a whole program agrees with the reference',
    run: async () => {
      for (let i = 0; i < 5; i++) {
        await assertProgramAgrees(backend, threadCount, seed + i, imageProgram, 1e-5)
        await assertProgramAgrees(backend, threadCount, seed + i, bytesProgram, 0)
      }
    },
  })
  cases.push({ name: 'keeps the promises of Kernels', run: () => assertLifecycle(backend) })
  return cases
}
