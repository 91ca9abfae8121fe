// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { KernelError } from '@mlcapsule/inference-kernels'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { wasmKernels } from '@mlcapsule/inference-kernels/wasm'
import { compileGraph, importOnnx, memoryModelSource } from '@mlcapsule/model-graph'
import { runCompiled } from '@mlcapsule/model-graph/testing'
import { describe, expect, test } from 'vitest'
import { chooseBackends } from '../support/backends.ts'
import { encodeGraph } from './encode-graph.ts'
import { fuzzGraphs } from './fuzz.ts'
import { judgeGraph } from './judge-graph.ts'
import type { Peer } from './peer.ts'
import { randomGraph } from './random-graph.ts'

/** Kernels that end every run of records with a small fault in one element. */
const faulty: KernelBackend = {
  ...wasmKernels,
  name: 'faulty',
  create: async (options) => {
    const made = await wasmKernels.create(options)
    const runSteps = made.runSteps.bind(made)
    made.runSteps = (handle, first, count) => {
      runSteps(handle, first, count)
      const { buffer, byteOffset, length } = made.memory
      const floats = new Float32Array(buffer, byteOffset, Math.floor(length / 4))
      for (let i = 0; i < floats.length; i++) floats[i] = (floats[i] as number) * 1.001
    }
    return made
  },
}

describe('random graphs', () => {
  test('give the same on all kernel backends', async () => {
    const backends = await chooseBackends(undefined, ['native', 'wasm', 'reference'], () => undefined)
    const { counts, operators, differences } = await fuzzGraphs({
      count: process.env.SLOW === '1' ? 3000 : 150,
      seed: 1,
      backends,
      peer: null,
    })
    expect(differences).toEqual([])
    expect(counts.same).toBeGreaterThanOrEqual(140)
    expect(Object.keys(operators).length).toBeGreaterThan(100)
  }, 600_000)

  test('are the same for the same seed, byte for byte', () => {
    for (const seed of [1, 2, 3]) {
      expect(encodeGraph(randomGraph(seed))).toEqual(encodeGraph(randomGraph(seed)))
      expect(encodeGraph(randomGraph(seed))).not.toEqual(encodeGraph(randomGraph(seed + 3)))
    }
  })

  test('name each value after its node, also the fourth that one makes', () => {
    const names = Array.from({ length: 200 }, (_, seed) => [...randomGraph(seed).values.keys()]).flat()
    expect(names.filter((it) => !/^v\d+[abcd]$/.test(it))).toEqual([])
    expect(names.filter((it) => it.endsWith('d')).length).toBeGreaterThan(0)
  })

  test('find kernels that are wrong by a thousandth, and the node that shows it', async () => {
    const report = await fuzzGraphs({
      count: 40,
      seed: 1,
      backends: [faulty, referenceKernels],
      peer: null,
    })
    expect(report.counts.difference).toBeGreaterThan(10)
    const sizes = report.differences.map(({ graph }) => graph.match(/^v.* = /gm)?.length ?? 0)
    expect(Math.min(...sizes)).toBe(1)
    expect(sizes.filter((it) => it <= 2).length).toBeGreaterThan(sizes.length * 0.8)
  })

  test('are held against a peer, which is heard again without its rewriting', async () => {
    const graph = randomGraph(2)
    const bytes = encodeGraph(graph)
    const model = await compileGraph(await importOnnx(memoryModelSource(bytes)))
    const inputs = model.inputs.map(
      ({ name }) => graph.inputs.find((it) => it.name === name)?.tensor as Tensor,
    )
    const right = await runCompiled(model, inputs, referenceKernels)
    const wrong = right.map((): Tensor => ({ dtype: 'float32', shape: [0], data: new Float32Array(0) }))
    const ask = (run: Peer['run']) =>
      judgeGraph(graph, [wasmKernels, referenceKernels], { name: 'other', close: () => undefined, run })
    expect(await ask(async () => right)).toEqual({ verdict: 'same', detail: '' })
    expect((await ask(async () => wrong)).verdict).toBe('difference')
    expect(await ask(async (_bytes, _graph, optimizes) => (optimizes === false ? right : wrong))).toEqual({
      verdict: 'unconfirmed',
      detail: 'other contradicts itself',
    })
    expect(await ask(() => Promise.reject(new Error('no such operator')))).toEqual({
      verdict: 'unconfirmed',
      detail: 'no such operator',
    })
  })

  test('that the peer refuses too are no excuse for an error without a code, nor for one backend alone', async () => {
    const refusing: Peer = {
      name: 'other',
      close: () => undefined,
      run: () => Promise.reject(new Error('no such operator')),
    }
    const failing = (error: Error): KernelBackend => ({ ...wasmKernels, create: () => Promise.reject(error) })
    const judge = async (...backends: readonly KernelBackend[]) =>
      (await judgeGraph(randomGraph(2), backends, refusing)).verdict
    const broken = failing(new TypeError('undefined has no length'))
    const coded = failing(new KernelError('KERNEL_MEMORY_TOO_LARGE', 'too large'))
    expect(await judge(broken)).toBe('difference')
    expect(await judge(coded)).toBe('refused')
    expect(await judge(coded, referenceKernels)).toBe('difference')
    expect(await judge(referenceKernels, coded)).toBe('difference')
  })
})
