// SPDX-License-Identifier: Apache-2.0
// Builds the N-API addon into native/build/<platform>-<arch>/. Without a compiler it says so in one line and ends well:
// the wasm kernels do the same work, slower.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compileAll, findCompiler, run } from './compile.mjs'
import { packageRoot, sourcesOf } from './kernel-sources.mjs'

export const addonName = 'mlcapsule-kernels.node'
export const addonFolder = join(packageRoot, `native/build/${process.platform}-${process.arch}`)

/** @returns {string | undefined} the folder of node_api.h that goes with this Node */
export function findNodeHeaders() {
  const folders = [process.env.MLCAPSULE_NODE_HEADERS, join(dirname(process.execPath), '../include/node')]
  return folders.find((folder) => folder && existsSync(join(folder, 'node_api.h')))
}

/** Same sources and compiler, same bytes, whatever the folder. @returns {string} the addon's path */
export function buildNative(compiler, headers, outputFolder) {
  const objects = mkdtempSync(join(tmpdir(), 'mlcapsule-native-'))
  try {
    const binding = readdirSync(join(packageRoot, 'native/src'))
      .filter((name) => name.endsWith('.c'))
      .sort()
      .map((name) => ({ file: `native/src/${name}`, flags: ['-Ic/src', '-isystem', headers] }))
    const compiled = compileAll(compiler, [...sourcesOf(process.arch), ...binding], objects, [
      '-fPIC',
      '-pthread',
      '-fstack-protector-strong',
      '-D_FORTIFY_SOURCE=2',
      '-fno-ident',
    ])
    const link =
      process.platform === 'darwin'
        ? ['-bundle', '-undefined', 'dynamic_lookup', '-Wl,-S']
        : ['-shared', '-s', '-Wl,--build-id=none', '-Wl,-z,relro,-z,now,-z,noexecstack']
    mkdirSync(outputFolder, { recursive: true })
    const built = join(objects, addonName)
    run(compiler, [...link, '-pthread', ...compiled, '-o', built])
    const output = join(outputFolder, addonName)
    const next = `${output}.${process.pid}`
    // Renamed into place: a process that has the old file mapped keeps it.
    copyFileSync(built, next)
    renameSync(next, output)
    return output
  } finally {
    rmSync(objects, { recursive: true })
  }
}

if (process.argv[1] === import.meta.filename) {
  const compiler = process.platform === 'win32' ? undefined : findCompiler()
  const headers = findNodeHeaders()
  if (compiler === undefined) {
    console.log(
      'native kernels: not built, no C compiler here (install gcc or clang); the wasm kernels are used',
    )
  } else if (headers === undefined) {
    console.log('native kernels: not built, node_api.h is not beside this Node; set MLCAPSULE_NODE_HEADERS')
  } else {
    console.log(`native kernels: ${buildNative(compiler, headers, addonFolder)}`)
  }
}
