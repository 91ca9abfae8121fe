// SPDX-License-Identifier: Apache-2.0
// Which C files make which target, and with which flags. A suffix `__<isa>` in a file's name picks its instruction set.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * Flags of every C file on every target. No contraction: elementary functions give the same bits everywhere. The
 * instruction-set flags below let the product kernels alone fuse.
 */
export const commonFlags = [
  '-std=c11',
  '-O3',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-ffp-contract=off',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-fvisibility=hidden',
  '-g0',
]

const x64 = {
  scalar: [],
  avx2_fma: ['-mavx2', '-mfma', '-mf16c', '-mtune=haswell'],
  avx512: ['-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl', '-mfma', '-mprefer-vector-width=512'],
}
x64.avx512_vnni = [...x64.avx512, '-mavx512vnni']
const arm64 = { scalar: [], neon: [] }
const wasm32 = { wasm_simd128: [] }
/** In products alone: elsewhere compilers would take minima and maxima that lose a NaN on some machines. */
const wasm32Relaxed = { wasm_relaxed: ['-mrelaxed-simd'] }
const wasm32RelaxedThreads = { ...wasm32Relaxed, wasm_threads: [] }
const targets = { x64, arm64, wasm32, wasm32Relaxed, wasm32RelaxedThreads }

function listFiles(folder, suffixes) {
  return readdirSync(join(packageRoot, folder), { recursive: true })
    .map((name) => join(folder, String(name)).split(sep).join('/'))
    .filter((name) => suffixes.some((suffix) => name.endsWith(suffix)))
    .sort()
}

/** Every file of the kernels themselves: what a recorded digest of the sources covers. */
export function allSourceFiles() {
  return listFiles('c/src', ['.c', '.h', '.inc', '.def'])
}

/** The files that bind them to Node. */
export function bindingSourceFiles() {
  return listFiles('native/src', ['.c', '.h'])
}

/** @returns {string} SHA-256 over names, lengths and bytes */
export function digestFiles(files) {
  const hash = createHash('sha256')
  for (const file of files) {
    const bytes = readFileSync(join(packageRoot, file))
    hash.update(`${file}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex')
}

/**
 * @param {keyof typeof targets | string} target
 * @returns {{ file: string, flags: string[] }[]} sorted by name; any other architecture gets the scalar kernels
 */
export function sourcesOf(target) {
  const instructionSets = targets[target] ?? { scalar: [] }
  return listFiles('c/src', ['.c'])
    .filter((file) => target.startsWith('wasm32') || !file.startsWith('c/src/wasm/'))
    .flatMap((file) => {
      const isa = /__(\w+)\.c$/.exec(file)?.[1]
      if (isa === undefined) return [{ file, flags: [] }]
      const flags = instructionSets[isa]
      if (flags === undefined) return []
      const fuses = /\/f32_(gemm|depthwise|winograd)/.test(file) && isa !== 'scalar'
      const isProduct = fuses || file.includes('/i8_gemm_dot')
      if (isa === 'wasm_relaxed' && !isProduct) return [{ file, flags: [] }]
      return [{ file, flags: [...flags, ...(fuses ? ['-ffp-contract=fast'] : [])] }]
    })
}
