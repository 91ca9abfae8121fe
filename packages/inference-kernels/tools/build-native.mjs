// SPDX-License-Identifier: Apache-2.0
// Builds the N-API addon into native/build/<platform>-<arch>/, where sources, flags or compiler have changed. Without a
// compiler it says so in one line and ends well: the wasm kernels do the same work, slower.
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compileAll, findCompiler, run, versionOf } from './compile.mjs'
import {
  allSourceFiles,
  bindingSourceFiles,
  commonFlags,
  digestFiles,
  packageRoot,
  sourcesOf,
} from './kernel-sources.mjs'

export const addonName = 'mlcapsule-kernels.node'
export const addonFolder = join(packageRoot, `native/build/${process.platform}-${process.arch}`)

const compileFlags = ['-fPIC', '-pthread', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2', '-fno-ident']
const linkFlags =
  process.platform === 'darwin'
    ? ['-bundle', '-undefined', 'dynamic_lookup', '-Wl,-S', '-pthread']
    : ['-shared', '-s', '-Wl,--build-id=none', '-Wl,-z,relro,-z,now,-z,noexecstack', '-pthread', '-ldl']

/** @returns {string | undefined} the folder of node_api.h that goes with this Node */
export function findNodeHeaders() {
  const folders = [process.env.MLCAPSULE_NODE_HEADERS, join(dirname(process.execPath), '../include/node')]
  return folders.find((folder) => folder && existsSync(join(folder, 'node_api.h')))
}

/** Same sources, headers and compiler: same bytes, whatever the folder. Renamed into place when complete. */
async function compileAddon(compiler, headers, output) {
  const objectFolder = mkdtempSync(join(tmpdir(), 'mlcapsule-native-'))
  try {
    const bindingFlags = ['-Ic/src', '-isystem', headers]
    const binding = bindingSourceFiles()
      .filter((file) => file.endsWith('.c'))
      .map((file) => ({ file, flags: bindingFlags }))
    const sources = [...sourcesOf(process.arch), ...binding]
    const objects = await compileAll(compiler, sources, objectFolder, compileFlags)
    const built = join(objectFolder, addonName)
    await run(compiler, [...linkFlags, ...objects, '-o', built])
    const next = `${output}.${process.pid}`
    copyFileSync(built, next)
    renameSync(next, output)
  } finally {
    rmSync(objectFolder, { recursive: true })
  }
}

/**
 * @param {{ force?: boolean }} [options]
 * @returns {Promise<string>} one line saying what was done, or what is missing
 */
export async function buildNative({ force = false } = {}) {
  const compiler = process.platform === 'win32' ? undefined : findCompiler()
  if (compiler === undefined)
    return 'native kernels: not built, no C compiler here (install gcc or clang); the wasm kernels are used'
  const headers = findNodeHeaders()
  if (headers === undefined)
    return 'native kernels: not built, node_api.h is not beside this Node; set MLCAPSULE_NODE_HEADERS'
  const digest = createHash('sha256')
    .update(digestFiles([...allSourceFiles(), ...bindingSourceFiles()]))
    .update(JSON.stringify([commonFlags, compileFlags, linkFlags, sourcesOf(process.arch)]))
    .update(await versionOf(compiler))
    .digest('hex')
  const output = join(addonFolder, addonName)
  const stamp = `${output}.inputs`
  if (!force && existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest)
    return 'native kernels: current'
  mkdirSync(addonFolder, { recursive: true })
  await compileAddon(compiler, headers, output)
  writeFileSync(stamp, digest)
  return `native kernels: built with ${await versionOf(compiler)}`
}

if (process.argv[1] === import.meta.filename) {
  console.log(await buildNative({ force: process.argv.includes('--force') }))
}
