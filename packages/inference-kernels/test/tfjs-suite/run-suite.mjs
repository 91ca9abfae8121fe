// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const addonPath = fileURLToPath(
  new URL(`../../native/build/${process.platform}-${process.arch}/mlcapsule-kernels.node`, import.meta.url),
)

/** Whether this machine can test the native kernels. */
export const isNativeBuilt = existsSync(addonPath)

const timeoutMs = 90_000

/**
 * Runs the bundled suite in a process of its own.
 * @param kernels `wasm`, `native` or `reference`
 * @returns {Promise<{ name: string, status: 'passed' | 'failed' | 'pending', faults: string[] }[]>} one verdict per test
 */
export async function runSuite(bundle, kernels) {
  const verdicts = `${bundle}.${kernels}.json`
  const child = spawn(process.execPath, [bundle, kernels, verdicts, addonPath], {
    // The suite prints what it profiles.
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: timeoutMs,
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint = (complaint + text).slice(-4000)
  })
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) throw new Error(`the suite on ${kernels} ended with ${code}\n${complaint}`)
  return JSON.parse(readFileSync(verdicts, 'utf8'))
}
