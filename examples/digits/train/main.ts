// SPDX-License-Identifier: Apache-2.0
import { exitCodeFor, isMlCapsuleError } from '@mlcapsule/contracts'
import { digitsPaths } from './paths.ts'
import { publish, writeSamples } from './publish.ts'
import { runTraining } from './run-training.ts'

const usage = `usage: npm run digits:train -- [all|train|publish|samples]
  all      train, then publish (the default)
  train    train only; the best weights go to dist/training
  publish  write the committed files from the best weights of the last run
  samples  draw the sample images again`

/**
 * The command line of the example.
 * @param exampleFolder the folder `examples/digits`
 * @returns the exit code
 */
export async function main(exampleFolder: string, [command = 'all', ...rest]: string[]): Promise<number> {
  const paths = digitsPaths(exampleFolder)
  const print = (line: string): void => void process.stdout.write(`${line}\n`)
  if (rest.length > 0 || !['all', 'train', 'publish', 'samples'].includes(command)) {
    process.stderr.write(`${usage}\n`)
    return 2
  }
  try {
    if (command === 'all' || command === 'train') await runTraining(paths, print)
    if (command === 'all' || command === 'publish') publish(paths, print)
    if (command === 'samples') writeSamples(paths)
    return 0
  } catch (error) {
    if (!isMlCapsuleError(error)) throw error
    process.stderr.write(`${error.code}: ${error.message}\n${error.remedy}\n`)
    return exitCodeFor(error.kind)
  }
}
