// SPDX-License-Identifier: Apache-2.0
// Bundles the trainer and runs it. A bundle is needed because Node, by itself, loads a build of TensorFlow.js that
// registers no gradients; a bundler takes the ES modules, which can.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const exampleFolder = join(import.meta.dirname, '..')
const bundle = join(exampleFolder, 'dist', 'training', 'main.mjs')
await build({
  entryPoints: [join(import.meta.dirname, 'main.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  mainFields: ['module', 'main'],
  conditions: ['@mlcapsule/source'],
  // The packages' lists of side effects would drop the registration of gradients and kernels.
  ignoreAnnotations: true,
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
})
const { main } = (await import(pathToFileURL(bundle).href)) as typeof import('./main.ts')
process.exitCode = await main(exampleFolder, process.argv.slice(2))
