// SPDX-License-Identifier: Apache-2.0
// Running a C compiler: found, not assumed, and with flags that keep folders and times out of what it writes.
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { commonFlags, packageRoot } from './kernel-sources.mjs'

/** @returns {string | undefined} the compiler named by CC, else the first of gcc, clang, cc that answers */
export function findCompiler(candidates = process.env.CC ? [process.env.CC] : ['gcc', 'clang', 'cc']) {
  return candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
}

/**
 * Runs a command in the package's folder, with a fixed time and language whatever the caller's shell says.
 * @returns {Promise<string>} standard output; rejects with the command and its errors
 */
export function run(command, args) {
  const env = { ...process.env, SOURCE_DATE_EPOCH: '0', LC_ALL: 'C' }
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd: packageRoot, env, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command} ${args.join(' ')}\n${stdout}${stderr || error.message}`))
      else resolve(stdout)
    })
  })
}

/** @returns {Promise<string>} first line of what the compiler says of itself */
export async function versionOf(compiler) {
  return (await run(compiler, ['--version'])).split('\n')[0].trim()
}

/**
 * Compiles each source by its path relative to the package, as many at a time as there are cores.
 * @returns {Promise<string[]>} the object files, in the order of the sources
 */
export async function compileAll(compiler, sources, outputFolder, extraFlags) {
  mkdirSync(outputFolder, { recursive: true })
  const prefixMap = `-ffile-prefix-map=${packageRoot}=.`
  const jobs = sources.map(({ file, flags }) => {
    const object = join(outputFolder, `${file.replaceAll('/', '_')}.o`)
    return { object, args: [...commonFlags, prefixMap, ...flags, ...extraFlags, '-c', file, '-o', object] }
  })
  const waiting = [...jobs]
  const worker = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await run(compiler, job.args)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return jobs.map((job) => job.object)
}
