// SPDX-License-Identifier: Apache-2.0
// Bundles the enclave: one pure file, thin entries around it, and the program of its threads. Same sources, same bytes, in any folder.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { assertPureText } from './purity.mjs'

const packageRoot = join(import.meta.dirname, '..')

export const coreFile = 'enclave-core.mjs'
/** What entries start threads of the kernels with. It imports nothing. */
export const threadFile = 'kernel-thread.mjs'
/** Entries that need it. The others run on one thread. */
const threadedEntries = ['worker', 'web-worker', 'process']

/** Node modules that an entry may import, and nothing else. */
export const entryImports = {
  worker: ['node:worker_threads'],
  'web-worker': [],
  process: [
    'node:crypto',
    'node:fs',
    'node:module',
    'node:net',
    'node:url',
    'node:v8',
    'node:worker_threads',
  ],
  gramine: ['node:crypto', 'node:fs', 'node:fs/promises', 'node:net', 'node:path'],
  vm: [
    'node:child_process',
    'node:crypto',
    'node:fs',
    'node:fs/promises',
    'node:module',
    'node:net',
    'node:os',
    'node:path',
    'node:url',
  ],
}

/**
 * Ways out that no code of the core may have, not even a library's that would never take them: each of these names is
 * compiled to `undefined`.
 */
const removedGlobals = [
  'BroadcastChannel',
  'EventSource',
  'Function',
  'SharedWorker',
  'WebSocket',
  'WebTransport',
  'Worker',
  'XMLHttpRequest',
  'caches',
  'document',
  'eval',
  'fetch',
  'importScripts',
  'indexedDB',
  'localStorage',
  'navigator',
  'process',
  'setImmediate',
  'setInterval',
  'setTimeout',
]

const options = {
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['@mlcapsule/source', 'import', 'default'],
  target: 'es2024',
  minify: true,
  legalComments: 'none',
  charset: 'utf8',
  sourcemap: false,
  metafile: true,
  write: false,
  logLevel: 'silent',
  absWorkingDir: packageRoot,
  // Not the file beside the sources: what is measured depends on the sources and this script alone.
  tsconfigRaw: {
    compilerOptions: { strict: true, verbatimModuleSyntax: true, useDefineForClassFields: true },
  },
  // libsodium asks for Node's crypto where there is none of the web's; every engine that runs this has that of the web.
  alias: { crypto: './build/no-module.mjs' },
}

/** What a bundle still imports. */
function externalImports(metafile) {
  return Object.values(metafile.outputs).flatMap((it) =>
    it.imports.filter((one) => one.external).map((one) => one.path),
  )
}

function assertImports(file, found, allowed) {
  const extra = found.filter((it) => !allowed.includes(it))
  if (extra.length === 0) return
  const isNode = (it) => builtinModules.includes(it.replace(/^node:/, ''))
  const named = extra.map((it) => (isNode(it) ? `${it} (of Node)` : it))
  throw new Error(`${file} imports what it may not: ${named.join(', ')}`)
}

async function bundleCore() {
  const result = await build({
    ...options,
    entryPoints: ['src/core/index.ts'],
    outfile: coreFile,
    define: Object.fromEntries(removedGlobals.map((name) => [name, 'undefined'])),
  })
  assertImports(coreFile, externalImports(result.metafile), [])
  const bytes = result.outputFiles[0].contents
  assertPureText(coreFile, new TextDecoder().decode(bytes))
  return bytes
}

/** The core stays a file of its own, which every entry imports. */
const coreIsExternal = {
  name: 'core',
  setup(api) {
    api.onResolve({ filter: /\/core\/index\.ts$/ }, () => ({ path: `./${coreFile}`, external: true }))
  },
}

async function bundleEntry(entry, file, allowedImports) {
  const result = await build({
    ...options,
    entryPoints: [`src/entries/${entry}.ts`],
    outfile: file,
    plugins: [coreIsExternal],
    external: ['node:*'],
  })
  assertImports(file, externalImports(result.metafile), allowedImports)
  return [file, result.outputFiles[0].contents]
}

/** Every file of the enclave by name, in memory. */
export async function bundleEnclave() {
  const entries = Object.entries(entryImports).map(([entry, modules]) =>
    bundleEntry(entry, `entry-${entry}.mjs`, [`./${coreFile}`, ...modules]),
  )
  const thread = bundleEntry('kernel-thread', threadFile, [])
  return new Map([[coreFile, await bundleCore()], ...(await Promise.all([...entries, thread]))])
}

/** The plugin list, as the sources compose it. */
async function composedPlugins() {
  const { plugins } = await import('../src/compose.ts')
  return plugins.map(({ kind, name, version }) => ({ kind, name, version }))
}

export const sha384 = (bytes) => createHash('sha384').update(bytes).digest('hex')

/** Text of manifest.json: what the launcher holds files against, and what policies are made from. */
export async function describeBundle(files) {
  const entries = Object.keys(entryImports).map((it) => [
    it,
    [`entry-${it}.mjs`, coreFile, ...(threadedEntries.includes(it) ? [threadFile] : [])],
  ])
  const description = {
    version: 1,
    files: Object.fromEntries(
      [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, bytes]) => [name, sha384(bytes)]),
    ),
    entries: Object.fromEntries(entries),
    plugins: await composedPlugins(),
  }
  return `${JSON.stringify(description, null, 2)}\n`
}

/** Builds into a folder. @returns {Promise<string[]>} names of the files written */
export async function buildInto(folder) {
  const files = await bundleEnclave()
  mkdirSync(folder, { recursive: true })
  for (const [name, bytes] of files) writeFileSync(join(folder, basename(name)), bytes)
  writeFileSync(join(folder, 'manifest.json'), await describeBundle(files))
  return [...files.keys(), 'manifest.json']
}

export const readBuilt = (folder, name) => readFileSync(join(folder, name))
