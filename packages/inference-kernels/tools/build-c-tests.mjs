// SPDX-License-Identifier: Apache-2.0
// Compiles the C tests with address and undefined-behavior sanitizers: node tools/build-c-tests.mjs <output folder>
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { compileAll, findCompiler, run } from './compile.mjs'
import { packageRoot, sourcesOf } from './kernel-sources.mjs'

/** @returns {Promise<string>} the path of the test program */
export async function buildCTests(compiler, outputFolder) {
  const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer']
  const tests = readdirSync(join(packageRoot, 'c/tests'))
    .filter((name) => name.endsWith('.c'))
    .sort()
    .map((name) => ({ file: `c/tests/${name}`, flags: [] }))
  const sources = [...sourcesOf(process.arch), ...tests]
  const objects = await compileAll(compiler, sources, outputFolder, [...sanitizers, '-O1', '-g1'])
  const program = join(outputFolder, 'kernel-tests')
  await run(compiler, [...sanitizers, ...objects, '-lm', '-o', program])
  return program
}

if (process.argv[1] === import.meta.filename) {
  const compiler = findCompiler()
  if (compiler === undefined) throw new Error('no C compiler found: install gcc or clang, or set CC')
  console.log(await buildCTests(compiler, process.argv[2] ?? join(packageRoot, 'native/build/c-tests')))
}
