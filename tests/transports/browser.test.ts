// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EnclaveManifest } from '@mlcapsule/attestation'
import type { Tensor } from '@mlcapsule/contracts'
import { fromBase64Url, toBase64Url } from '@mlcapsule/crypto'
import { build } from 'esbuild'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findChromium, launchChromium } from '../browser/support/chromium.ts'
import { startInMemory } from './machine.ts'
import type { PageReport } from './web-page.ts'
import { challengeFor, createWorld, queryOf, respond, type World } from './world.ts'

const executablePath = findChromium()
const reason = executablePath === undefined ? ' (skipped: no Chromium on this machine)' : ''
const root = join(import.meta.dirname, '..', '..')

async function bundlePage(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'web-page.ts')],
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['@mlcapsule/source'],
    alias: { crypto: join(import.meta.dirname, '../browser/support/empty-module.ts') },
    logLevel: 'silent',
  })
  return outputFiles[0]?.contents ?? new Uint8Array(0)
}

/**
 * A site with ranges and a strict policy: code from here alone, none made from text, no WebAssembly in some places, and one page
 * that is cross-origin isolated.
 */
function serve(files: ReadonlyMap<string, readonly [type: string, bytes: Uint8Array]>): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const [type, bytes] = files.get(path) ?? []
    const wasm = path.startsWith('/no-wasm/') ? '' : " 'wasm-unsafe-eval'"
    response.setHeader(
      'Content-Security-Policy',
      `default-src 'none'; script-src 'self'${wasm}; worker-src 'self'; connect-src 'self'`,
    )
    if (path === '/isolated/') response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    // Workers of an isolated page have to ask for it too.
    if (path !== '/') response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    if (type === undefined || bytes === undefined) {
      response.writeHead(404).end()
      return
    }
    response.setHeader('Content-Type', type)
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    if (range === null) {
      response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes)
      return
    }
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)]
    response.writeHead(206, { 'Content-Range': `bytes ${start}-${end}/${bytes.length}`, ETag: '"one"' })
    response.end(bytes.subarray(start, end + 1))
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

describe.skipIf(executablePath === undefined)(`the enclave in a Worker of Chromium${reason}`, () => {
  const home = mkdtempSync(join(tmpdir(), 'mlcapsule-web-'))
  let world: World
  let server: Server
  let browser: Browser
  let report: PageReport
  beforeAll(async () => {
    const bundle = join(home, 'enclave')
    const script = join(root, 'enclave-runtime/build/build.mjs')
    execFileSync(process.execPath, ['--conditions=@mlcapsule/source', script, bundle], { stdio: 'pipe' })
    world = await createWorld()
    const javascript = 'text/javascript; charset=utf-8'
    const html = Buffer.from('<!doctype html><script type="module" src="/page.js"></script>')
    const files = new Map<string, readonly [string, Uint8Array]>([
      ['/', ['text/html; charset=utf-8', html]],
      ['/no-wasm/', ['text/html; charset=utf-8', html]],
      ['/isolated/', ['text/html; charset=utf-8', html]],
      ['/page.js', [javascript, await bundlePage()]],
      ['/model.capsule', ['application/vnd.mlcapsule', world.bytes]],
    ])
    for (const name of readdirSync(bundle)) {
      const type = name.endsWith('.json') ? 'application/json' : javascript
      const bytes = readFileSync(join(bundle, name))
      files.set(`/enclave/${name}`, [type, bytes])
      const changed = name === 'enclave-core.mjs' ? Buffer.concat([bytes, Buffer.from('\n//')]) : bytes
      files.set(`/changed/${name}`, [type, changed])
      files.set(`/no-wasm/${name}`, [type, bytes])
      const broken = name === 'entry-web-worker.mjs' ? Buffer.from('throw new Error("no")') : bytes
      files.set(`/broken/${name}`, [type, broken])
    }
    server = await serve(files)
    browser = await launchChromium(executablePath as string)
    const page = await newPage()
    report = await page.evaluate(
      (publisher) => globalThis.runEnclave(publisher, '/enclave/'),
      toBase64Url(world.publisher.publicKey),
    )
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    server?.close()
    rmSync(home, { recursive: true, force: true })
  })

  async function newPage(path = '/', units = 4) {
    const page = await browser.newPage()
    const challenge = await challengeFor(world)
    await page.exposeFunction('provider', async (request: string, offer: Record<string, string>) => {
      if (request === 'challenge') return challenge.token
      const bytes = (name: string) => fromBase64Url(offer[name] as string)
      const evidence = JSON.parse(offer.evidence as string) as { platform: string; bytes: string }
      return await respond(
        world,
        challenge,
        {
          releaseKey: bytes('releaseKey'),
          identityKey: bytes('identityKey'),
          headerHash: bytes('headerHash'),
          anchor: bytes('anchor'),
          manifest: JSON.parse(offer.manifest as string) as EnclaveManifest,
          evidence: { platform: evidence.platform, bytes: fromBase64Url(evidence.bytes) },
        },
        { units, blockMax: Math.min(units, 4096) },
      )
    })
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
    await page.waitForFunction(() => globalThis.runEnclave !== undefined)
    return page
  }

  test('gives the same answers as in Node, bit for bit: the kernels are the same', async () => {
    const handle = await startInMemory(await world.open())
    const challenge = await challengeFor(world)
    await handle.finishActivation(
      await respond(world, challenge, await handle.beginActivation(challenge.token)),
    )
    for (const [index, found] of report.answers.entries()) {
      const { outputs } = await handle.infer(queryOf(index))
      const { data } = outputs.get('y') as Tensor
      expect(found).toEqual([...(data as Float32Array)])
    }
    expect(report.answers.length).toBe(4)
    await handle.close()
  })

  test('gives the same answers with two threads as with one, in a page that is cross-origin isolated', async () => {
    const itemCount = 2000
    const publisher = toBase64Url(world.publisher.publicKey)
    const reports: PageReport[] = []
    for (const threadCount of [1, 2]) {
      const page = await newPage('/isolated/', 4 * itemCount)
      expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true)
      reports.push(
        await page.evaluate(([key, change]) => globalThis.runEnclave(key, '/enclave/', change), [
          publisher,
          { threadCount, itemCount },
        ] as const),
      )
      await page.close()
    }
    const [one, two] = reports as [PageReport, PageReport]
    expect(two.answers).toEqual(one.answers)
    expect(one.isa).toMatch(/^wasm-(relaxed-)?simd(128)?$/)
    expect(two.isa).toBe('wasm-relaxed-simd-threads')
  })

  test("shares the work of a page's own thread, which may not wait, with threads", async () => {
    const page = await newPage('/isolated/')
    const run = (threadCount: number) =>
      page.evaluate((count) => globalThis.runProgram(64, count), threadCount)
    const one = await run(1)
    expect(one.length).toBeGreaterThan(0)
    expect(await run(2)).toEqual(one)
    await page.close()
  })

  test('is refused threads whose program is not there', async () => {
    const page = await newPage('/isolated/')
    const refused = await page.evaluate(() =>
      globalThis.runProgram(1, 2, '/nothing.mjs').then(
        () => 'started',
        (error: { code: string }) => error.code,
      ),
    )
    expect(refused).toBe('KERNEL_THREADS_UNAVAILABLE')
    await page.close()
  })

  test('refuses threads in a page that is not', async () => {
    const page = await newPage()
    const refused = await page.evaluate(
      (publisher) =>
        globalThis.runEnclave(publisher, '/enclave/', { threadCount: 2 }).then(
          () => 'started',
          (error: { code: string }) => error.code,
        ),
      toBase64Url(world.publisher.publicKey),
    )
    expect(refused).toBe('KERNEL_THREADS_UNAVAILABLE')
    await page.close()
  })

  test('counts as in Node', () => {
    expect(report).toMatchObject({ refused: 'LICENSE_QUOTA_EXHAUSTED', units: 4 })
  })

  test('is measured by its files', () => {
    expect(report.components).toEqual(['enclave-core.mjs', 'entry-web-worker.mjs', 'kernel-thread.mjs'])
    expect(report.manifestSha384).toMatch(/^[0-9a-f]{96}$/)
  })

  test.each<[string, string, string, string]>([
    ['from files that were changed after the build', '/', '/changed/', 'BRIDGE_BUNDLE_MISMATCH'],
    ['from a folder that holds no build', '/', '/nothing/', 'BRIDGE_BUNDLE_INVALID'],
    ['from what is no address', '/', 'enclave', 'BRIDGE_OPTION_INVALID'],
    ['in a page that forbids WebAssembly', '/no-wasm/', '/enclave/', 'CRYPTO_UNAVAILABLE'],
    ['in a Worker that forbids WebAssembly', '/', '/no-wasm/', 'CRYPTO_UNAVAILABLE'],
    ['where the Worker fails', '/', '/broken/', 'BRIDGE_LAUNCH_FAILED'],
  ])('is not started %s, and says so by code', async (_, path, bundleUrl, expected) => {
    const page = await newPage(path)
    const refused = await page.evaluate(
      ([publisher, folder]) =>
        globalThis
          // Long enough that a Worker whose end goes unnoticed fails the test.
          .runEnclave(publisher, folder, {
            startTimeoutMs: 600_000,
            ...(folder === '/broken/' ? { bundleCheck: 'measure' } : {}),
          })
          .then(
            () => 'started',
            (error: { code: string }) => error.code,
          ),
      [toBase64Url(world.publisher.publicKey), bundleUrl] as const,
    )
    expect(refused).toBe(expected)
    await page.close()
  })
})
