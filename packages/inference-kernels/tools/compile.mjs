// SPDX-License-Identifier: Apache-2.0
// Running a C compiler: found, not assumed, and with flags that keep folders and times out of what it writes.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { commonFlags, packageRoot } from './kernel-sources.mjs'

/** @returns {string | undefined} the compiler named by CC, else the first of gcc, clang, cc that answers */
export function findCompiler(candidates = process.env.CC ? [process.env.CC] : ['gcc', 'clang', 'cc']) {
  return candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
}

/** @returns {string} standard output @throws with the command and its errors */
export function run(command, args) {
  const result = spawnSync(command, args, { cwd: packageRoot, encoding: 'utf8', env: compilerEnvironment() })
  if (result.error) throw result.error
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${result.stdout}${result.stderr}`)
  return result.stdout
}

/** A fixed time and language, whatever the caller's shell says. */
function compilerEnvironment() {
  return { ...process.env, SOURCE_DATE_EPOCH: '0', LC_ALL: 'C' }
}

/**
 * Compiles each source from the package's folder by its relative path.
 * @returns {string[]} the object files, in the order of the sources
 */
export function compileAll(compiler, sources, outputFolder, extraFlags) {
  mkdirSync(outputFolder, { recursive: true })
  return sources.map(({ file, flags }) => {
    const object = join(outputFolder, `${file.replaceAll('/', '_')}.o`)
    const prefixMap = `-ffile-prefix-map=${packageRoot}=.`
    run(compiler, [...commonFlags, prefixMap, ...flags, ...extraFlags, '-c', file, '-o', object])
    return object
  })
}
