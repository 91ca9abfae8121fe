// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crypto-bundle-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('bundles for no platform in particular, leaves no import, and works', async () => {
  // libsodium asks for Node's crypto where there is no other source of randomness; a bundle must not.
  const empty = join(folder, 'empty.js')
  await writeFile(empty, 'export {}')
  const outfile = join(folder, 'bundle.mjs')
  const { metafile } = await build({
    entryPoints: [join(import.meta.dirname, '../src/index.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2024',
    mainFields: ['module', 'main'],
    conditions: ['@mlcapsule/source', 'import'],
    alias: { crypto: empty },
    metafile: true,
    logLevel: 'silent',
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  expect(imports).toEqual([])
  const bundled = (await import(
    /* @vite-ignore */ pathToFileURL(outfile).href
  )) as typeof import('../src/index.ts')
  await bundled.cryptoReady()
  const pair = bundled.generateSigningKeyPair()
  const message = bundled.randomBytes(100)
  expect(
    bundled.verifyDetached(pair.publicKey, message, bundled.signDetached(pair.privateKey, message)),
  ).toBe(true)
  const release = bundled.generateReleaseKeyPair()
  const sealed = await bundled.sealKeyRelease(release.publicKey, message, message)
  const opened = await bundled.openKeyRelease(release.privateKey, sealed.enc, message, sealed.ciphertext)
  expect(opened).toEqual(message)
})
