// SPDX-License-Identifier: Apache-2.0
import {
  fromHex,
  generateSigningKeyPair,
  releaseKeyPairFrom,
  Secret,
  sealKeyRelease,
  signJws,
  toHex,
  utf8Bytes,
} from '@mlcapsule/crypto'
import type { Browser } from 'playwright-core'
import { releaseInfo, tokenPayload, tokenType } from '../probe/crypto.ts'
import { capsulePath, type Given, type GivenCrypto } from '../probe/given.ts'
import { type Findings, probe } from '../probe/probe.ts'
import type { Realm, Report } from '../probe/report.ts'
import { bundleProbe } from './bundle.ts'
import { launchChromium } from './chromium.ts'
import { giveEvidence, givePlatforms } from './evidence.ts'
import { packModels } from './models.ts'
import { type Site, serveSite } from './serve.ts'
import type { Vector } from './vectors.ts'

export interface Outcome {
  readonly given: Given
  readonly node: Findings
  readonly reports: Readonly<Record<Realm, Report>>
  readonly consoleLines: readonly string[]
  readonly rangeCount: number
}

export const keys = {
  message: toHex(utf8Bytes('the same in every realm '.repeat(20))),
  signingSeed: '01'.repeat(32),
  releaseKey: '02'.repeat(32),
  pageKey: '9d'.repeat(32),
  nonce: '04'.repeat(12),
}

const html = '<!doctype html><title>probe</title><script type="module" src="/page.js"></script>'

async function giveCrypto(): Promise<GivenCrypto> {
  const release = releaseKeyPairFrom(Secret.fromBytes('x25519-private', fromHex(keys.releaseKey)))
  const { enc, ciphertext } = await sealKeyRelease(release.publicKey, releaseInfo, fromHex(keys.message))
  const issuer = generateSigningKeyPair(fromHex(keys.signingSeed))
  const token = await signJws({ ...issuer, typ: tokenType, payload: tokenPayload })
  return { ...keys, token, release: { enc: toHex(enc), ciphertext: toHex(ciphertext) } }
}

async function fillSite({ origin, files }: Site, vectors: readonly Vector[]): Promise<Given> {
  const [models, bundle] = await Promise.all([packModels(), bundleProbe()])
  const given: Given = {
    origin,
    crypto: await giveCrypto(),
    capsules: [...vectors.map((it) => it.given), ...models.map(({ capsule }) => capsule)],
    models: models.map(({ query }) => query),
    evidence: await giveEvidence(),
    platforms: await givePlatforms(),
  }
  files.set('/', utf8Bytes(html)).set('/given.json', utf8Bytes(JSON.stringify(given)))
  for (const [path, bytes] of bundle) files.set(path, bytes)
  for (const { given: it, bytes } of vectors) files.set(capsulePath(it.name), bytes)
  for (const { capsule, bytes } of models) files.set(capsulePath(capsule.name), bytes)
  return given
}

/** Runs the probe in a page, in a Worker and in Node, and leaves neither browser nor server behind. */
export async function runEverywhere(executablePath: string, vectors: readonly Vector[]): Promise<Outcome> {
  const site = await serveSite()
  let browser: Browser | undefined
  try {
    const given = await fillSite(site, vectors)
    browser = await launchChromium(executablePath)
    const page = await browser.newPage()
    const consoleLines: string[] = []
    const pageError = Promise.withResolvers<never>()
    page.on('console', (line) => consoleLines.push(line.text()))
    page.on('pageerror', pageError.reject)
    const bothReports = Promise.all([site.report('page'), site.report('worker')])
    const reported = Promise.race([bothReports, pageError.promise])
    await page.goto(site.origin)
    const [onPage, inWorker] = await reported
    const node = await probe(given)
    const reports = { page: onPage, worker: inWorker }
    return { given, node, reports, consoleLines, rangeCount: site.rangeCount() }
  } finally {
    await browser?.close()
    await site.close()
  }
}
