// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DemoError } from './programs.mjs'

const digits = fileURLToPath(new URL('../digits/', import.meta.url))

export const usage = `usage: npm run demo [-- options]

  Without options it shows the digits model of examples/digits and its 20 sample images.

  --model FILE.onnx       your own model
  --input FILE            an image, or a tensor as .json or .npy; repeatable
  --labels FILE           class names, one per line
  --preprocess NAME|FILE  how an image becomes the input: caffe-bgr, imagenet-rgb, mnist-gray, or a JSON file
  --defense NAME[:…]      defense in the path of every answer (default: rounding:decimals=3); repeatable
  --entry NAME            how the enclave is started: process or worker (default: process)
  --keep                  leave the files where they are, and say where
  --help                  show this
`

const ownOptions = /** @type {const} */ ({
  model: { type: 'string' },
  input: { type: 'string', multiple: true },
  labels: { type: 'string' },
  preprocess: { type: 'string' },
  defense: { type: 'string', multiple: true, default: ['rounding:decimals=3'] },
  entry: { type: 'string', default: 'process' },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
})

/** The sample images, and the digit that each shows by its name. */
function digitsExample() {
  const samples = readdirSync(join(digits, 'samples'))
    .filter((name) => name.endsWith('.png'))
    .sort()
  return {
    model: join(digits, 'model', 'digits.onnx'),
    name: 'Digits',
    labels: join(digits, 'model', 'labels.txt'),
    preprocess: 'mnist-gray',
    inputs: samples.map((name) => join(digits, 'samples', name)),
    expected: samples.map((name) => name[0]),
  }
}

/** The file's name without its ending; the demonstration finds it again in the header, so it is kept simple. */
function nameOf(path) {
  const name = basename(path).replace(/\.[^.]+$/, '')
  return /^[A-Za-z][A-Za-z0-9 ._-]{0,63}$/.test(name) ? name : 'Model'
}

/** @throws DemoError for what cannot be understood */
export function readOptions(args) {
  let values
  try {
    values = parseArgs({ args, options: ownOptions }).values
  } catch (error) {
    throw new DemoError(`${error.message}\n\n${usage}`)
  }
  const { defense, entry, keep, help } = values
  if (entry !== 'process' && entry !== 'worker') throw new DemoError('--entry: expected process or worker')
  const common = { defenses: defense, entry, keep, help }
  if (values.model === undefined) {
    if (values.input !== undefined) throw new DemoError('--input goes with --model')
    return { ...common, ...digitsExample() }
  }
  if (values.input === undefined) throw new DemoError('--model needs at least one --input')
  const isFile = values.preprocess?.endsWith('.json') === true
  return {
    ...common,
    model: resolve(values.model),
    name: nameOf(values.model),
    labels: values.labels === undefined ? undefined : resolve(values.labels),
    preprocess: isFile ? resolve(values.preprocess) : values.preprocess,
    inputs: values.input.map((path) => resolve(path)),
    expected: undefined,
  }
}
