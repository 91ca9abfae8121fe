// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path'
import { float16Value, type Tensor } from '@mlcapsule/contracts'
import type { Inference } from '@mlcapsule/enclave-bridge'
import { pad, printable, type Styles } from '@mlcapsule/terminal'
import type { RankedClass } from '../sdk/classes.ts'

/** One answered query, as `run` shows it. */
export interface ShownAnswer {
  readonly input: string
  readonly inference: Inference
  /** Undefined where the model's answer is no list of scores, or the outputs themselves were asked for. */
  readonly classes: readonly RankedClass[] | undefined
}

const shownElementCount = 8

const percent = (share: number) => pad(`${(share * 100).toFixed(1)} %`, 7, 'right')

/** The first elements of a tensor as what they mean: half precision is carried as bits. */
function elements({ dtype, data }: Tensor, count: number = data.length): (number | bigint)[] {
  // The typed arrays share this face only by cast.
  const found = Array.from(data.subarray(0, count) as Iterable<number | bigint>)
  return dtype === 'float16' ? found.map((bits) => float16Value(Number(bits))) : found
}

function outputText(name: string, tensor: Tensor): string {
  const { dtype, shape, data } = tensor
  const shown = elements(tensor, shownElementCount).map((it) =>
    typeof it === 'bigint' || Number.isInteger(it) ? String(it) : it.toPrecision(5),
  )
  const more = data.length > shownElementCount ? ', …' : ''
  return `${printable(name)}  ${dtype}[${shape.join(', ')}]  ${shown.join(', ')}${more}`
}

/** @param width of the column with the inputs' names */
export function answerText(style: Styles, { input, inference, classes }: ShownAnswer, width: number): string {
  const name = pad(printable(basename(input)), width)
  if (inference.verdict === 'block') return `${name}  ${style.yellow('blocked by a defense of the model')}`
  if (classes === undefined) {
    const outputs = [...inference.outputs].map(([output, tensor]) => outputText(output, tensor))
    return outputs.map((line, i) => `${i === 0 ? name : ' '.repeat(width)}  ${line}`).join('\n')
  }
  const [best, ...others] = classes
  if (best === undefined) return name
  const rest = others.filter((it) => it.confidence >= 0.0005)
  const tail = rest.map((it) => `${printable(it.label)} ${percent(it.confidence).trim()}`).join('  ')
  return `${name}  ${percent(best.confidence)}  ${style.bold(printable(best.label))}${tail === '' ? '' : `   ${style.dim(tail)}`}`
}

/** JSON of a tensor, but for float16 as `run` also takes it; int64 as strings, since JSON numbers would lose digits. */
function tensorJson(tensor: Tensor) {
  const { dtype, shape } = tensor
  return { dtype, shape, data: elements(tensor).map((it) => (typeof it === 'bigint' ? String(it) : it)) }
}

/** One line of `run --json`. */
export function answerJson({ input, inference, classes }: ShownAnswer) {
  const { verdict, units, unitsLeft, outputs } = inference
  const shown =
    classes === undefined
      ? { outputs: Object.fromEntries([...outputs].map(([name, it]) => [name, tensorJson(it)])) }
      : { classes }
  return { input, verdict, units, unitsLeft, ...shown }
}
