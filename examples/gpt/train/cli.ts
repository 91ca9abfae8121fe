// SPDX-License-Identifier: Apache-2.0
// Trains the decoder, or writes the committed files from the weights of the last run:
//   npm run gpt:train -- [all|train|publish]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeParameters, encodeParameters } from './checkpoint.ts'
import { encodeOnnx } from './export-onnx.ts'
import { initialParameters } from './network.ts'
import { defaultPhases, type TrainingPhase, train } from './train.ts'
import { charactersOf, encodeText, labelsOf } from './vocabulary.ts'

const folder = join(import.meta.dirname, '..')
const checkpoint = join(folder, 'dist', 'training', 'weights.f32')
const text = readFileSync(join(import.meta.dirname, 'corpus.txt'), 'utf8')
const characters = charactersOf(text)
const [command = 'all', ...rest] = process.argv.slice(2)

if (rest.length > 0 || !['all', 'train', 'publish'].includes(command)) {
  process.stderr.write('usage: npm run gpt:train -- [all|train|publish]\n')
  process.exit(2)
}
if (command === 'all' || command === 'train') {
  const parameters = initialParameters(characters.length, (defaultPhases[0] as TrainingPhase).seed)
  const ids = encodeText(text, characters)
  for (const phase of defaultPhases) {
    let recent = 0
    train(parameters, ids, characters.indexOf('\n'), phase, (step, loss) => {
      recent += loss / 20
      if (step % 20 !== 0) return
      const line = `${phase.starts}: step ${step}/${phase.stepCount}, loss ${recent.toFixed(4)}`
      process.stdout.write(`${line}\n`)
      recent = 0
    })
  }
  mkdirSync(join(folder, 'dist', 'training'), { recursive: true })
  writeFileSync(checkpoint, encodeParameters(parameters))
}
if (command === 'all' || command === 'publish') {
  const parameters = decodeParameters(readFileSync(checkpoint), characters.length)
  const file = encodeOnnx(parameters)
  mkdirSync(join(folder, 'model'), { recursive: true })
  writeFileSync(join(folder, 'model', 'gpt.onnx'), file)
  writeFileSync(join(folder, 'model', 'labels.txt'), `${labelsOf(characters).join('\n')}\n`)
  process.stdout.write(`wrote model/gpt.onnx (${file.length} bytes) and model/labels.txt\n`)
}
