// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import type { Row } from './measure.ts'

/** Rows from Chromium, with its version; or why there are none. */
export type BrowserResult =
  | { readonly rows: readonly Row[]; readonly version: string }
  | { readonly skipped: string }

export async function measureInBrowser(): Promise<BrowserResult> {
  const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
  if (!existsSync(executablePath)) return { skipped: `there is no Chromium at ${executablePath}` }
  const script = await bundle()
  // Served from this machine, which counts as a secure context: without one there is no WebCrypto.
  const server = createServer((request, response) => {
    const isScript = request.url === '/bench.js'
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : '<!doctype html><script type="module" src="/bench.js"></script>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-dev-shm-usage',
    ],
  })
  try {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.waitForFunction(() => globalThis.pageCipherBench !== undefined)
    const rows = await page.evaluate(() => globalThis.pageCipherBench())
    return { rows, version: browser.version() }
  } finally {
    await browser.close()
    server.close()
  }
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'browser-entry.ts')],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import'],
    // libsodium asks for it where there is no WebCrypto.
    external: ['crypto'],
    banner: { js: 'const require = () => ({});' },
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}
