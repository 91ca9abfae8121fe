// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const require = createRequire(import.meta.url)
const jasmineCore = 'jasmine-core/lib/jasmine-core/jasmine.js'

/**
 * Puts the suite, tfjs-core and our backend into one file: Node cannot load the suite's modules as they are.
 * `ignoreAnnotations`, since the package says of its tests that nothing is lost without them.
 */
export async function bundleSuite(file) {
  await build({
    entryPoints: [fileURLToPath(new URL('runner/entry.mjs', import.meta.url))],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    conditions: ['@mlcapsule/source'],
    ignoreAnnotations: true,
    external: ['jasmine'],
    alias: { [jasmineCore]: createRequire(require.resolve('jasmine')).resolve(jasmineCore) },
    banner: {
      js: [
        "import { createRequire as makeRequire } from 'node:module'",
        'const require = makeRequire(import.meta.url)',
        'const __filename = import.meta.filename',
        'const __dirname = import.meta.dirname',
      ].join('\n'),
    },
    logLevel: 'error',
  })
}
