// SPDX-License-Identifier: Apache-2.0
// Builds the enclave twice, from the sources here and from a copy of them in another folder, compares every byte, and
// prints what a policy pins: for each way to start, the manifest and its SHA-384. `--json` for programs.
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const json = process.argv.includes('--json')

/** Sources and links to dependencies; nothing that a build has written. */
function copyWorkspace(target) {
  const left = new Set(['dist', '.results', '.turbo', 'coverage'])
  const folders = [
    'enclave-runtime',
    ...readdirSync(join(root, 'packages')).map((it) => join('packages', it)),
  ]
  for (const folder of folders) {
    cpSync(join(root, folder), join(target, folder), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !left.has(basename(path)),
    })
  }
  mkdirSync(target, { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'), 'dir')
}

function buildIn(workspace, output) {
  const script = join(workspace, 'enclave-runtime', 'build', 'build.mjs')
  execFileSync(process.execPath, ['--conditions=@mlcapsule/source', script, output], { stdio: 'pipe' })
}

function compare(left, right) {
  const names = readdirSync(left).sort()
  const same = (name) =>
    existsSync(join(right, name)) && readFileSync(join(left, name)).equals(readFileSync(join(right, name)))
  const different = names.filter((name) => !same(name))
  if (readdirSync(right).length !== names.length || different.length > 0) {
    throw new Error(`two builds of the same sources differ: ${different.join(', ') || 'not the same files'}`)
  }
  return names
}

/** Every way to start that this machine has. */
async function manifests(bundleDir) {
  const { manifestDigest } = await import('@mlcapsule/attestation')
  const { toHex } = await import('@mlcapsule/crypto')
  const { measureBundle, nativeKernelsAddonPath, planLaunch, sharedMemoryAddonPath } = await import(
    '@mlcapsule/enclave-bridge/node'
  )
  const ways = [
    { name: 'worker', options: { entry: 'worker' } },
    { name: 'process, wasm kernels', options: { entry: 'process', kernels: 'wasm' } },
  ]
  if (nativeKernelsAddonPath() !== undefined) {
    ways.push({ name: 'process, native kernels', options: { entry: 'process', kernels: 'native' } })
  }
  const measured = []
  for (const { name, options } of ways) {
    const { manifest, manifestSha384 } = await planLaunch({ ...options, bundleDir })
    measured.push({ name, manifestSha384, manifest })
  }
  // The image of these is built elsewhere: its measurement leads to the manifest by a signed reference value.
  for (const entry of ['gramine', 'vm']) {
    const { manifest } = await measureBundle({ bundleDir, entry })
    measured.push({ name: entry, manifestSha384: toHex(manifestDigest(manifest)), manifest })
  }
  return { measured, sharedMemory: existsSync(sharedMemoryAddonPath()) }
}

const folder = mkdtempSync(join(tmpdir(), 'mlcapsule-measure-'))
try {
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  buildIn(root, first)
  const copy = join(folder, 'copy')
  copyWorkspace(copy)
  buildIn(copy, second)
  const files = compare(first, second)
  const { measured, sharedMemory } = await manifests(first)
  if (json) {
    console.log(JSON.stringify({ reproducible: true, files, entries: measured }, null, 2))
  } else {
    console.log(`two builds in two folders: ${files.length} files, equal to the byte\n`)
    for (const { name, manifestSha384, manifest } of measured) {
      console.log(`${name}\n  measurement ${manifestSha384}`)
      for (const it of manifest.components) console.log(`  ${it.name.padEnd(22)} ${it.sha384.slice(0, 32)}…`)
      console.log()
    }
    const plugins = measured[0].manifest.plugins.map((it) => `${it.kind} ${it.name} ${it.version}`)
    console.log(`plugins: ${plugins.join(', ')}`)
    if (!sharedMemory)
      console.log('the shared-memory addon is not built here: payloads travel through the socket')
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
