// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { build } from 'esbuild'

/** The probe for a page and for a Worker: each one file of a bundle for browsers that imports nothing. */
export async function bundleProbe(): Promise<ReadonlyMap<string, Uint8Array>> {
  const folder = join(import.meta.dirname, '../probe')
  const { outputFiles, metafile } = await build({
    entryPoints: [join(folder, 'page.ts'), join(folder, 'worker.ts')],
    outdir: folder,
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['@mlcapsule/source'],
    // libsodium and hpke ask for it where they do not find WebCrypto.
    alias: { crypto: join(import.meta.dirname, 'empty-module.ts') },
    metafile: true,
    logLevel: 'silent',
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  if (imports.length > 0) throw new Error(`the bundle imports ${imports.map(({ path }) => path).join(', ')}`)
  return new Map(outputFiles.map(({ path, contents }) => [path.slice(folder.length), contents]))
}
