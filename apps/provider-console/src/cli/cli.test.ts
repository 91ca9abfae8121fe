// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCapsule } from '@mlcapsule/capsule-format'
import { fileSource } from '@mlcapsule/capsule-format/node'
import {
  cryptoReady,
  expose,
  fromBase64Url,
  generateSigningKeyPair,
  keyThumbprint,
  publicKeyToJwk,
} from '@mlcapsule/crypto'
import type { ModelInspection } from '@mlcapsule/model-graph'
import {
  buildModel,
  layerChain,
  testNode,
  tfjsFiles,
  tinyModel,
  waveWeight,
} from '@mlcapsule/model-graph/testing'
import { createCliContext, runProgram } from '@mlcapsule/terminal/cli'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFakeEnclave, type FakeEnclave, testManifest } from '../../test-support/fake-enclave.ts'
import { type CliResult, runCli, startService } from '../../test-support/run-cli.ts'
import { sharedTempDir } from '../../test-support/temp-dir.ts'
import { readPublicKey } from '../keys/public-key.ts'
import { program } from './program.ts'

const dir = sharedTempDir()
const run = (...args: string[]) => runCli(args, dir.path)
const file = (name: string) => join(dir.path, name)
const inDir = (text: string) => text.replaceAll(dir.path, '')

function failure(result: CliResult) {
  expect(result.stdout).toBe('')
  return {
    exitCode: result.exitCode,
    code: (JSON.parse(result.stderr) as { error: { code: string } }).error.code,
  }
}

async function json<Value>(...args: string[]): Promise<Value> {
  const result = await run(...args, '--json')
  expect(result.stderr).toBe('')
  expect(result.exitCode).toBe(0)
  return JSON.parse(result.stdout) as Value
}

const tfjsModel = {
  topology: layerChain(
    ['InputLayer', { name: 'x', batch_input_shape: [null, 3] }],
    ['Dense', { name: 'a', units: 2 }],
  ),
  weights: [waveWeight('a/kernel', [3, 2]), waveWeight('a/bias', [2])],
  shardSizeBytes: 20,
}

let capsuleId: string
let contentKey: Buffer
let enclave: FakeEnclave

beforeAll(async () => {
  await cryptoReady()
  writeFileSync(file('model.onnx'), tinyModel({ kind: 'cnn' }))
  writeFileSync(file('garbage'), 'neither a model nor a capsule')
  const place = testNode('ArgMax', 'x', 'y')
  writeFileSync(
    file('place.onnx'),
    buildModel({ inputs: { x: ['n', 3] }, outputs: { y: null }, nodes: [place] }),
  )
  const { model, shards } = tfjsFiles(tfjsModel)
  for (const [name, bytes] of [['tfjs-model', model], ...shards] as const) writeFileSync(file(name), bytes)
  writeFileSync(file('manifest.json'), JSON.stringify(testManifest))
  expect((await run('keygen')).exitCode).toBe(0)
  const packed = await json<{ header: { capsuleId: string }; summary: { leastBudgetSizeBytes: number } }>(
    ...['pack', 'model.onnx', '-o', 'model.capsule', '--name', 'Tiny', '--defense', 'rounding:decimals=2'],
  )
  capsuleId = packed.header.capsuleId
  // The kernels' scratch, in whole MiB; the model itself takes next to nothing.
  expect(packed.summary.leastBudgetSizeBytes).toBe(6 * 2 ** 20)
  const customer = generateSigningKeyPair()
  writeFileSync(file('customer.jwk'), publicKeyToJwk(customer.publicKey))
  const source = await fileSource(file('model.capsule'))
  const { headerHash } = await openCapsule(source, { publishers: 'any-unverified-publisher' })
  await source.close?.()
  const authorityKey = await readPublicKey(file('mlcapsule-store/keys/authority.jwk'))
  enclave = await createFakeEnclave({ customer, headerHash, authorityKey })
})
afterAll(() => dir.remove())

describe('keygen', () => {
  test('refuses to overwrite, with its code and what to do', async () => {
    const { exitCode, stderr, stdout } = await run('keygen')
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^error PROVIDER_KEY_FILE_EXISTS: .*\nwhat to do: .*\n$/)
  })
})

describe('pack and inspect', () => {
  test('show what is public, and check signature and pages', async () => {
    const publisher = 'mlcapsule-store/keys/publisher.jwk'
    const shown = await json<Record<string, unknown>>(
      'inspect',
      'model.capsule',
      '--publisher',
      publisher,
      '--verify',
    )
    expect(shown).toMatchObject({
      capsuleId,
      modelName: 'Tiny',
      modelVersion: 1,
      minimumTier: 'simulated',
      publisherChecked: true,
      pagesChecked: true,
    })
    expect(JSON.stringify(shown)).not.toContain('Conv')
    expect(fromBase64Url(capsuleId)).toHaveLength(32)
  })

  test('a model is reported on', async () => {
    const report = await json<ModelInspection>('inspect', 'model.onnx')
    expect(report.operators).toContainEqual({
      operator: 'Conv',
      domain: 'ai.onnx',
      operatorSet: 17,
      count: 3,
      unsupportedCount: 0,
    })
    expect(report.compiled).toMatchObject({ operatorStepCount: 0, operatorsRun: [], isComplete: true })
    const text = (await run('inspect', 'model.onnx')).stdout
    expect(text).toMatch(/^ {2}Conv +ai\.onnx 17 +3 {2}yes$/m)
    expect(text).toMatch(/^ {2}kernels in C {2}\d+ steps$/m)
    expect(text).toContain('What runs does not depend on the elements of a query.')
  })

  test('a report takes sizes, and names nodes that are not supported', async () => {
    const nodes = [{ op: 'Loop', inputs: ['x'], outputs: ['y'], name: 'the\u001b[31m loop' }]
    writeFileSync(file('loop.onnx'), buildModel({ inputs: { x: ['n', 2] }, outputs: { y: null }, nodes }))
    const report = await json<ModelInspection>('inspect', 'loop.onnx', '--symbol', 'n=3')
    expect(report).toMatchObject({
      inputs: [{ name: 'x', shape: [3, 2] }],
      unsupportedNodes: [{ operator: 'Loop', reason: 'loops are not supported' }],
      outputs: null,
      compiled: null,
    })
    const text = (await run('inspect', 'loop.onnx')).stdout
    expect(text).toContain('1 node not supported')
    expect(text).toMatch(/^ {2}the\\u\{001b\}\[31m loop {2}Loop +loops are not supported$/m)
    expect(failure(await run('inspect', 'loop.onnx', '--symbol', 'm=3', '--json')).code).toBe(
      'MODEL_OPTION_INVALID',
    )
    expect(failure(await run('inspect', 'loop.onnx', '--symbol', 'n', '--json')).code).toBe(
      'PROVIDER_OPTION_INVALID',
    )
  })

  test('weights are kept smaller, and the answers compared with those of float32 ones', async () => {
    interface Report {
      readonly summary: { weightsSizeBytes: number; weights: { tensorCount: number; keptFloat32: string[] } }
      readonly accuracy?: {
        sampleCount: number
        isRandom: boolean
        largestDifference: number
        rmsDifference: number
        top1: { agreeingCount: number; count: number } | null
      }
    }
    const packed = (...args: string[]) =>
      json<Report>('pack', 'model.onnx', '--force', '-o', 'small.capsule', ...args)
    const f32 = await packed()
    expect(f32.accuracy).toBeUndefined()
    expect(f32.summary.weights.tensorCount).toBe(0)
    const int8 = await packed('--weights', 'int8')
    expect(int8.summary.weights.tensorCount).toBeGreaterThan(0)
    expect(int8.summary.weights.keptFloat32).toEqual([])
    expect(int8.summary.weightsSizeBytes).toBeLessThan(f32.summary.weightsSizeBytes)
    expect(int8.accuracy).toMatchObject({ sampleCount: 8, isRandom: true })
    expect(int8.accuracy?.rmsDifference).toBeGreaterThan(0)
    expect(int8.accuracy?.rmsDifference).toBeLessThan(0.05)
    const { inputs } = await json<{ inputs: { name: string; shape: (number | string)[] }[] }>(
      'inspect',
      'model.onnx',
    )
    const { name, shape } = inputs[0] as { name: string; shape: (number | string)[] }
    const dims = shape.map((dim) => (typeof dim === 'number' ? dim : 1))
    const data = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i))
    writeFileSync(file('samples.json'), JSON.stringify([{ [name]: { shape: dims, data } }]))
    const f16 = await packed('--weights', 'f16', '--calibration', 'samples.json')
    expect(f16.accuracy).toMatchObject({ sampleCount: 1, isRandom: false })
    expect(f16.accuracy?.largestDifference).toBeLessThan(0.01)
    expect(f16.accuracy?.largestDifference).toBeGreaterThanOrEqual(f16.accuracy?.rmsDifference ?? Number.NaN)
    const { stdout } = await run('pack', 'model.onnx', '--force', '-o', 'small.capsule', '--weights', 'f16')
    expect(stdout).toContain('8 random inputs')
  })

  test('a model of TensorFlow.js is packed and summed up, whatever its file is called', async () => {
    const { operators, parameterCount, inputs } = await json<ModelInspection>('inspect', 'tfjs-model')
    expect(operators).toMatchObject([{ operator: 'Dense', count: 1, unsupportedCount: 0 }])
    expect(parameterCount).toBe(8)
    expect(inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 3] }])
    const packed = await json<{ header: { modelName: string } }>(
      ...['pack', 'tfjs-model', '-o', 'tfjs.capsule', '--name', 'Tiny TF.js', '--dimension', 'batch=2'],
    )
    expect(packed.header.modelName).toBe('Tiny TF.js')
    const shown = await json<Record<string, unknown>>('inspect', 'tfjs.capsule', '--verify')
    expect(shown).toMatchObject({ inputs: [{ name: 'x', shape: [2, 3] }], pagesChecked: true })
  })

  test('another publisher, and a changed page, are refused', async () => {
    const authority = 'mlcapsule-store/keys/authority.jwk'
    expect(failure(await run('inspect', 'model.capsule', '--publisher', authority, '--json'))).toEqual({
      exitCode: 4,
      code: 'CAPSULE_PUBLISHER_UNTRUSTED',
    })
    const bytes = readFileSync(file('model.capsule'))
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1
    writeFileSync(file('changed.capsule'), bytes)
    const { code } = failure(await run('inspect', 'changed.capsule', '--verify', '--json'))
    expect(code).toBe('CAPSULE_TREE_MISMATCH')
  })

  test('a capsule that is there is not replaced unless asked', async () => {
    const before = readFileSync(file('model.capsule'))
    expect(failure(await run('pack', 'model.onnx', '-o', 'model.capsule', '--json')).code).toBe(
      'CAPSULE_FILE_EXISTS',
    )
    expect(readFileSync(file('model.capsule'))).toEqual(before)
  })

  test('a request to stop leaves no file, and the store free', async () => {
    const before = readdirSync(dir.path)
    const sink = { write: () => true }
    const context = createCliContext({ stdout: sink, stderr: sink, env: {} }, (stop) => {
      stop()
      return () => undefined
    })
    const args = [
      'pack',
      file('model.onnx'),
      '-o',
      file('stopped.capsule'),
      '--store',
      file('mlcapsule-store'),
    ]
    await expect(runProgram(program, args, context)).rejects.toMatchObject({ code: 'CAPSULE_WRITE_FAILED' })
    expect(readdirSync(dir.path)).toEqual(before)
    expect(readdirSync(file('mlcapsule-store')).filter((name) => name.startsWith('lock-'))).toEqual([])
  })

  // In this process, since there are many; how errors leave a process is shown above.
  test.each([
    [['pack', '@model.onnx', '-o', '@x.capsule', '--defense', 'nothing'], 'PROVIDER_DEFENSE_UNKNOWN'],
    [
      ['pack', '@place.onnx', '-o', '@x.capsule', '--defense', 'label-only', '--store', '@mlcapsule-store'],
      'DEFENSE_OUTPUT_UNSUPPORTED',
    ],
    [['pack', '@none.onnx', '-o', '@x.capsule'], 'MODEL_READ_FAILED'],
    [['pack', '@customer.jwk', '-o', '@x.capsule'], 'MODEL_TFJS_MALFORMED'],
    [['pack', '@garbage', '-o', '@x.capsule'], 'MODEL_PROTO_MALFORMED'],
    [
      ['pack', '@model.onnx', '-o', '@x.capsule', '--preprocess', 'nothing'],
      'PROVIDER_PREPROCESSING_INVALID',
    ],
    [['pack', '@model.onnx', '-o', '@x.capsule', '--labels', '@customer.jwk'], 'PROVIDER_LABELS_INVALID'],
    [['pack', '@model.onnx', '-o', '@x.capsule', '--store', '@nowhere'], 'PROVIDER_STORE_UNUSABLE'],
    [
      ['pack', '@model.onnx', '-o', '@nowhere/x.capsule', '--store', '@mlcapsule-store'],
      'CAPSULE_WRITE_FAILED',
    ],
    [['pack', '@model.onnx'], 'PROVIDER_OPTION_INVALID'],
    [['pack', '@model.onnx', '-o', '@x', '--weights', 'int4'], 'PROVIDER_OPTION_INVALID'],
    [['pack', '@model.onnx', '-o', '@x', '--calibration', '@samples.json'], 'PROVIDER_OPTION_INVALID'],
    [
      ['pack', '@model.onnx', '-o', '@x', '--weights', 'f16', '--calibration', '@garbage'],
      'PROVIDER_CALIBRATION_INVALID',
    ],
    [
      ['pack', '@model.onnx', '-o', '@x', '--weights', 'f16', '--calibration', '@none.json'],
      'PROVIDER_FILE_UNREADABLE',
    ],
    [['pack', '@model.onnx', '-o', '@x', '--version', '1.5'], 'PROVIDER_OPTION_INVALID'],
    [['inspect', '@customer.jwk'], 'MODEL_TFJS_MALFORMED'],
    [['inspect', '@garbage'], 'CAPSULE_BAD_MAGIC'],
    [['inspect', '@model.onnx', '--verify'], 'PROVIDER_OPTION_INVALID'],
    [
      ['inspect', '@model.onnx', '--publisher', '@mlcapsule-store/keys/publisher.jwk'],
      'PROVIDER_OPTION_INVALID',
    ],
    [['inspect', '@model.capsule', '--symbol', 'n=1'], 'PROVIDER_OPTION_INVALID'],
    [['inspect', '@none.capsule'], 'CAPSULE_SOURCE_FAILED'],
    [['policy', 'show', '@customer.jwk'], 'POLICY_FIELD_MISSING'],
    [['activate', '@customer.jwk', '-o', '@x'], 'ACTIVATION_TOKEN_FILE_INVALID'],
    [['receipts', 'verify', '@customer.jwk'], 'RECEIPT_LOG_MALFORMED'],
    [['fly'], 'PROVIDER_OPTION_INVALID'],
    [['keygen', '--fly'], 'PROVIDER_OPTION_INVALID'],
    [['license'], 'PROVIDER_OPTION_INVALID'],
    [['serve', '--port', '70000'], 'PROVIDER_OPTION_INVALID'],
  ])('%j fails with %s', async (args, code) => {
    const sink = { write: () => true }
    const context = createCliContext({ stdout: sink, stderr: sink, env: {} })
    const paths = args.map((it) => it.replace(/^@/, `${dir.path}/`))
    await expect(runProgram(program, paths, context)).rejects.toMatchObject({ code })
    expect(existsSync(file('x.capsule'))).toBe(false)
  })
})

describe('from an order to a response', () => {
  test('an order needs a policy', async () => {
    const args = [
      'license',
      'create',
      '--capsule',
      'model.capsule',
      '--customer',
      'customer.jwk',
      '--queries',
      '20',
    ]
    expect(failure(await run(...args, '--json'))).toEqual({ exitCode: 2, code: 'PROVIDER_OPTION_INVALID' })
  })

  test('a policy that lets in what nothing vouches for says so', async () => {
    const args = ['policy', 'create', '--manifest', 'manifest.json', '--allow-unattested', 'worker']
    const { stdout, exitCode } = await run(...args)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('can read the model')
    expect((await run(...args)).exitCode).toBe(2)
    const policy = await json<{ manifests: unknown[] }>('policy', 'show', 'mlcapsule-store/policy.json')
    expect(policy.manifests).toHaveLength(1)
  })

  test('by files: order, challenge, activation, and a replay that is refused', async () => {
    const order = await json<{ orderId: string }>(
      ...['license', 'create', '--capsule', 'model.capsule', '--customer', 'customer.jwk'],
      ...['--queries', '20', '--grant', '5'],
    )
    const made = await json<{ order: string }>(
      ...['challenge', 'create', '--capsule', capsuleId, '--customer', 'customer.jwk', '-o', 'challenge.jws'],
    )
    expect(made.order).toBe(order.orderId)
    const challenge = readFileSync(file('challenge.jws'), 'utf8').trim()
    writeFileSync(file('request.jws'), `${await enclave.request(challenge)}\n`)
    expect((await run('activate', 'request.jws', '-o', 'response.jws')).exitCode).toBe(0)
    const response = readFileSync(file('response.jws'), 'utf8').trim()
    const { keys } = await enclave.open(challenge, response)
    contentKey = Buffer.from(expose(keys.contentKey, 'content-key'))

    await run('activate', 'request.jws', '-o', 'again.jws')
    expect(readFileSync(file('again.jws'), 'utf8').trim()).toBe(response)

    const other = await createFakeEnclave({
      customer: enclave.customer,
      headerHash: new Uint8Array(32),
      authorityKey: await readPublicKey(file('mlcapsule-store/keys/authority.jwk')),
    })
    writeFileSync(file('other.jws'), await other.request(challenge))
    expect(failure(await run('activate', 'other.jws', '-o', 'other-response.jws', '--json'))).toEqual({
      exitCode: 4,
      code: 'ACTIVATION_REPLAYED',
    })

    const listed = await json<{ orders: unknown[]; licenses: unknown[] }>('license', 'list')
    expect(listed.orders).toEqual([
      expect.objectContaining({ orderId: order.orderId, units: 20, unitsGranted: 5 }),
    ])
    expect(listed.licenses).toEqual([expect.objectContaining({ units: 5, unitsUsed: 0, tier: 'none' })])
  })

  test('while the service runs, commands go through it, and SIGTERM ends it cleanly', async () => {
    const service = await startService('mlcapsule-store', dir.path)
    const listed = await json<{ orders: unknown[] }>('license', 'list')
    expect(listed.orders).toHaveLength(1)
    const customer = keyThumbprint(await readPublicKey(file('customer.jwk')))
    const body = JSON.stringify({ capsuleId, customer })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${service.url}/v1/challenges`, { method: 'POST', body, headers })
    expect(response.status).toBe(201)
    service.child.kill('SIGTERM')
    expect(await service.closed).toBe(0)
    expect((await json<{ orders: unknown[] }>('license', 'list')).orders).toHaveLength(1)
  })
})

describe('the look', () => {
  test('no color in a pipe, color when forced, no path of this machine in help', async () => {
    const plain = await run('--help')
    expect(plain.exitCode).toBe(0)
    expect(plain.stdout).not.toContain('\u001b')
    expect(inDir(plain.stdout)).toBe(plain.stdout)
    const forced = await runCli(['keygen'], dir.path, { FORCE_COLOR: '1', NO_COLOR: '' })
    expect(forced.stderr).toContain('\u001b[31merror\u001b[39m')
    const never = await runCli(['keygen'], dir.path, { FORCE_COLOR: '1', NO_COLOR: '1' })
    expect(never.stderr).not.toContain('\u001b')
  })

  test('the content key is nowhere in the store as it is', () => {
    expect(contentKey).toHaveLength(32)
    for (const entry of readdirSync(file('mlcapsule-store'), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      expect(readFileSync(join(entry.parentPath, entry.name)).includes(contentKey)).toBe(false)
    }
  })
})
