// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Program, programs, sourceCondition } from './support/programs.ts'

const root = join(import.meta.dirname, '..')
const digits = join(root, 'examples', 'digits')
const isBuilt = existsSync(join(root, 'enclave-runtime', 'dist', 'manifest.json'))
const timeout = 120_000

let folder: string
let service: ChildProcess
let url: string

function start(program: Program, args: readonly string[]): ChildProcess {
  const env = { ...process.env, MLCAPSULE_PROVIDER_STORE: 'provider', MLCAPSULE_STATE: join(folder, 'state') }
  return spawn(process.execPath, [sourceCondition, programs[program], ...args, '--json'], {
    cwd: folder,
    env,
    // A process group of its own, as a shell gives it.
    detached: true,
  })
}

async function run(program: Program, ...args: readonly string[]) {
  const child = start(program, args)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return { exitCode, stdout, stderr }
}

/** Expects success. @returns what the program printed, a value per line */
async function lines(program: Program, ...args: readonly string[]): Promise<Record<string, unknown>[]> {
  const { exitCode, stdout, stderr } = await run(program, ...args)
  expect([stderr.includes('"error"') ? stderr : '', exitCode]).toEqual(['', 0])
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

async function json(program: Program, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const [value] = await lines(program, ...args)
  return value ?? {}
}

/** Expects failure. @returns code and exit code */
async function failure(
  program: Program,
  ...args: readonly string[]
): Promise<readonly [string, number | null]> {
  const { exitCode, stderr } = await run(program, ...args)
  const { error } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string } }
  return [error.code, exitCode]
}

const sample = (name: string) => join(digits, 'samples', `${name}.png`)
const state = (name: string) => ['--state', join(folder, name)]

/** A client of its own, with an order. */
async function newClient(
  name: string,
  queries: number,
  ...order: readonly string[]
): Promise<readonly string[]> {
  await Promise.all([
    json('mlcapsule', 'trust', 'provider/keys/publisher.jwk', ...state(name)),
    json('mlcapsule', 'key', '-o', `${name}.jwk`, ...state(name)),
  ])
  const args = [
    '--capsule',
    'model.capsule',
    '--customer',
    `${name}.jwk`,
    '--queries',
    String(queries),
    ...order,
  ]
  await json('mlcapsule-provider', 'license', 'create', ...args)
  return state(name)
}

async function activatedClient(name: string, queries: number, ...order: readonly string[]) {
  const where = await newClient(name, queries, ...order)
  await json('mlcapsule', 'activate', 'model.capsule', '--service', url, ...where)
  return where
}

const receipts = async (where: readonly string[]) => {
  const { licenses } = await json('mlcapsule', 'verify-receipts', 'model.capsule', ...where)
  return (licenses as Record<string, unknown>[])[0]
}

describe.skipIf(!isBuilt)('client and provider (needs a built enclave: npm run build)', { timeout }, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'client-test-'))
    await json('mlcapsule-provider', 'keygen')
    service = start('mlcapsule-provider', ['serve', '--port', '0', '--quiet'])
    const [line] = (await once(
      createInterface({ input: service.stdout as NodeJS.ReadableStream }),
      'line',
    )) as [string]
    url = (JSON.parse(line) as { url: string }).url
    const model = join(digits, 'model')
    const pack = ['-o', 'model.capsule', '--preprocess', 'mnist-gray', '--labels', join(model, 'labels.txt')]
    await json('mlcapsule-provider', 'pack', join(model, 'digits.onnx'), ...pack)
    await json('mlcapsule', 'measure', '-o', 'manifest.json')
    const policy = ['--manifest', 'manifest.json', '--allow-unattested', 'process']
    await json('mlcapsule-provider', 'policy', 'create', ...policy)
  }, timeout)

  afterAll(async () => {
    service.kill('SIGTERM')
    await once(service, 'close')
    await rm(folder, { recursive: true, force: true })
  })

  test('images and tensors are answered alike, offline', async () => {
    const where = await activatedClient('kinds', 10)
    const asked = await lines(
      'mlcapsule',
      'run',
      'model.capsule',
      sample('7-a'),
      sample('3-b'),
      '--top',
      '1',
      ...where,
    )
    expect(asked).toMatchObject([
      { classes: [{ label: '7' }], unitsLeft: 9 },
      { classes: [{ label: '3' }], unitsLeft: 8 },
    ])
    const tensor = join(folder, 'zeros.json')
    await writeFile(
      tensor,
      JSON.stringify({ image: { shape: [1, 1, 28, 28], data: new Array(784).fill(0) } }),
    )
    const answer = await json('mlcapsule', 'run', 'model.capsule', tensor, '--outputs', ...where)
    expect(answer).toMatchObject({ verdict: 'pass', outputs: { probabilities: { shape: [1, 10] } } })
  })

  test('what cannot be asked is refused before it is charged', async () => {
    const where = await activatedClient('inputs', 10)
    const wrong = join(folder, 'wrong.json')
    await writeFile(wrong, '[[1, 2]]')
    const asked = (input: string) => failure('mlcapsule', 'run', 'model.capsule', input, ...where)
    expect(await asked(wrong)).toEqual(['CLIENT_INPUT_INVALID', 3])
    expect(await asked('model.capsule')).toEqual(['CLIENT_IMAGE_INVALID', 3])
    expect(await asked('none.png')).toEqual(['CLIENT_FILE_UNREADABLE', 3])
    const usage = await json('mlcapsule', 'usage', 'model.capsule', ...where)
    expect(usage).toMatchObject({ unitsLeft: 10, unitsSpent: 0, uncleanCount: 0 })
  })

  test('an image needs a description of how it becomes a tensor', async () => {
    const where = await newClient('plain', 5)
    await json('mlcapsule-provider', 'pack', join(digits, 'model', 'digits.onnx'), '-o', 'plain.capsule')
    const order = ['--capsule', 'plain.capsule', '--customer', 'plain.jwk', '--queries', '5']
    await json('mlcapsule-provider', 'license', 'create', ...order)
    await json('mlcapsule', 'activate', 'plain.capsule', '--service', url, ...where)
    const refused = await failure('mlcapsule', 'run', 'plain.capsule', sample('1-a'), ...where)
    expect(refused).toEqual(['CLIENT_PREPROCESSING_MISSING', 3])
    const usage = await json('mlcapsule', 'usage', 'plain.capsule', ...where)
    expect(usage).toMatchObject({ unitsLeft: 5, unitsSpent: 0 })
  })

  test('the provider leaves as they are files, ports and policies that are in the way', async () => {
    const taken = join(folder, 'taken.json')
    await writeFile(taken, 'not JSON')
    const policy = ['policy', 'create', '--manifest', taken, '--store', 'other']
    expect(await failure('mlcapsule-provider', ...policy)).toEqual(['PROVIDER_POLICY_INVALID', 3])
    await json('mlcapsule', 'key', '-o', 'taken.jwk', ...state('taken'))
    const ids = ['--capsule', 'model.capsule', '--customer', 'taken.jwk']
    await json('mlcapsule-provider', 'license', 'create', ...ids, '--queries', '5')
    const challenge = ['challenge', 'create', ...ids, '-o', taken]
    expect(await failure('mlcapsule-provider', ...challenge)).toEqual(['PROVIDER_OUTPUT_EXISTS', 2])
    expect(await readFile(taken, 'utf8')).toBe('not JSON')
    await json('mlcapsule-provider', 'keygen', '--store', 'other')
    const serve = ['serve', '--store', 'other', '--port', new URL(url).port]
    expect(await failure('mlcapsule-provider', ...serve)).toEqual(['PROVIDER_LISTEN_FAILED', 5])
  })

  test('across an air gap, with a process of its own for each half', async () => {
    const where = await newClient('gap', 5)
    const ids = ['--capsule', 'model.capsule', '--customer', 'gap.jwk']
    await json('mlcapsule-provider', 'challenge', 'create', ...ids, '-o', 'gap-challenge.jws')
    const first = ['--challenge', 'gap-challenge.jws', '--request-out', 'gap-request.jws']
    await json('mlcapsule', 'activate', 'model.capsule', ...first, ...where)
    expect(await failure('mlcapsule', 'run', 'model.capsule', sample('1-a'), ...where)).toEqual([
      'CLIENT_NOT_ACTIVATED',
      4,
    ])
    await json('mlcapsule-provider', 'activate', 'gap-request.jws', '-o', 'gap-response.jws')
    const second = ['--response', 'gap-response.jws']
    expect(await json('mlcapsule', 'activate', 'model.capsule', ...second, ...where)).toMatchObject({
      unitsLeft: 5,
    })
    const { exitCode } = await run('mlcapsule', 'activate', 'model.capsule', ...second, ...where)
    expect(exitCode).not.toBe(0)
    expect(await json('mlcapsule', 'run', 'model.capsule', sample('1-a'), ...where)).toMatchObject({
      unitsLeft: 4,
    })
  })

  test('kill -9 in the midst of an activation loses nothing: the next one takes it up', async () => {
    const where = await newClient('cut', 30)
    const activate = ['activate', 'model.capsule', ...where, '--service']
    // Passes on what the client asks, but the client dies before it has the response.
    let child: ChildProcess | undefined
    const proxy = createServer(async (request, response) => {
      const answer = await fetch(new URL(request.url ?? '', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: await text(request),
      })
      if (request.url === '/v1/activations') child?.kill('SIGKILL')
      response.writeHead(answer.status).end(await answer.text())
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    child = start('mlcapsule', [...activate, `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`])
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
    proxy.close()

    expect(await json('mlcapsule', ...activate, url)).toMatchObject({ unitsGranted: 30, unitsLeft: 30 })
    const { orders } = await json('mlcapsule-provider', 'license', 'list')
    expect(orders).toContainEqual(expect.objectContaining({ units: 30, unitsGranted: 30, grantCount: 1 }))
    expect(await failure('mlcapsule', ...activate, url)).toEqual(['CLIENT_ALREADY_ACTIVATED', 4])
  })

  test('kill -9 in the midst of queries loses a block at most, and gives none away', async () => {
    const blockMax = 8
    const where = await activatedClient('crash', 200, '--block', String(blockMax))
    const child = start('mlcapsule', [
      'run',
      'model.capsule',
      ...new Array<string>(150).fill(sample('5-a')),
      ...where,
    ])
    let answered = 0
    for await (const _line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      if (++answered === 21) child.kill('SIGKILL')
    }
    const usage = await json('mlcapsule', 'usage', 'model.capsule', ...where)
    expect(usage.uncleanCount).toBe(1)
    const spent = usage.unitsSpent as number
    expect(spent).toBeGreaterThanOrEqual(answered)
    const kept = await receipts(where)
    expect(kept).toMatchObject({ lostBlockCount: 1, lostUnits: blockMax, units: spent, openReceiptCount: 0 })
    expect((kept?.queryCount as number) + (kept?.lostReceiptCount as number)).toBeGreaterThanOrEqual(answered)
    expect(spent - (kept?.queryCount as number)).toBe(blockMax)
  })

  test('Ctrl+C in the midst of queries ends cleanly', async () => {
    const where = await activatedClient('stop', 200)
    const child = start('mlcapsule', [
      'run',
      'model.capsule',
      ...new Array<string>(150).fill(sample('5-a')),
      ...where,
    ])
    const closed = once(child, 'close')
    let answered = 0
    for await (const _line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      // As a terminal does it: the whole process group is told.
      if (++answered === 10) process.kill(-(child.pid as number), 'SIGINT')
    }
    expect(await closed).toEqual([130, null])
    const usage = await json('mlcapsule', 'usage', 'model.capsule', ...where)
    expect(usage).toMatchObject({ uncleanCount: 0 })
    const kept = await receipts(where)
    expect(kept).toMatchObject({ lostBlockCount: 0, units: usage.unitsSpent })
    expect(kept?.queryCount).toBeGreaterThanOrEqual(answered)
  })

  test('one activation serves one process at a time', async () => {
    const where = await activatedClient('twice', 200)
    const child = start('mlcapsule', [
      'run',
      'model.capsule',
      ...new Array<string>(100).fill(sample('2-a')),
      ...where,
    ])
    const closed = once(child, 'close')
    const outputs = createInterface({ input: child.stdout as NodeJS.ReadableStream })
    await once(outputs, 'line')
    child.kill('SIGSTOP')
    expect(await failure('mlcapsule', 'usage', 'model.capsule', ...where)).toEqual([
      'BRIDGE_STATE_UNUSABLE',
      5,
    ])
    child.kill('SIGCONT')
    expect(await closed).toEqual([0, null])
    expect(await receipts(where)).toMatchObject({ queryCount: 100, lostBlockCount: 0 })
  })

  test('statements are taken in order, once', async () => {
    const where = await activatedClient('tell', 10)
    for (let i = 0; i < 2; i++) await json('mlcapsule', 'run', 'model.capsule', sample('4-a'), ...where)
    const send = ['statements', 'model.capsule', '--send', '--service', url]
    expect(await json('mlcapsule', ...send, ...where)).toMatchObject({
      statements: [
        { sent: true, claims: { seq: 1, units: 1 } },
        { sent: true, claims: { seq: 2, units: 1 } },
      ],
    })
    expect(await json('mlcapsule', ...send, ...where)).toMatchObject({
      statements: [{ sent: true }, { sent: true }],
    })
    const kept = await receipts(where)
    const verified = await json('mlcapsule-provider', 'receipts', 'verify', String(kept?.receiptsPath))
    expect(verified).toMatchObject({ queryCount: 2, units: 2, head: kept?.head })
    const text = await readFile(String(kept?.receiptsPath), 'utf8')
    const forged = join(folder, 'forged.jsonl')
    await writeFile(forged, text.split('\n').slice(1).join('\n'))
    expect(await failure('mlcapsule-provider', 'receipts', 'verify', forged)).toEqual([
      'RECEIPT_CHAIN_BROKEN',
      4,
    ])
  })
})
