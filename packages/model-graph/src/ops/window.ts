// SPDX-License-Identifier: Apache-2.0
import { formatDims } from '../graph/dims.ts'
import type { Dim, Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'

export type Pair = readonly [height: number, width: number]
export type Pads = readonly [top: number, left: number, bottom: number, right: number]

/** A sliding window over height and width, as convolution and pooling have it. */
export interface Window {
  readonly kernel: Pair
  readonly strides: Pair
  readonly dilations: Pair
  /** As the model says, or as `auto_pad` gives. */
  readonly pads: Pads
  /** Rows and columns that `ceil_mode` adds below and to the right. */
  readonly overhang: Pair
  readonly output: Pair
}

/** An image operand [N,C,H,W]; signals [N,C,L] become images of height 1, and `restore` brings their results back. */
export interface ImageOperand {
  readonly image: Value
  readonly rank: 3 | 4
  readonly batch: Dim
  readonly channels: number
  readonly height: number
  readonly width: number
  restore(result: Value): Value
}

export function imageOperand(ctx: NodeContext, value: Value): ImageOperand {
  const rank = value.dims.length
  if (rank !== 3 && rank !== 4) {
    ctx.unsupported(`input has shape ${formatDims(value.dims)}; one or two spatial dimensions are supported`)
  }
  const image =
    rank === 4 ? value : ctx.reshape(value, [...value.dims.slice(0, 2), 1, ...value.dims.slice(2)])
  const [batch, ...rest] = image.dims as [Dim, Dim, Dim, Dim]
  const [channels, height, width] = rest.map((dim) =>
    typeof dim === 'number'
      ? dim
      : ctx.unsupported(`channels, height and width must be known, not ${formatDims(value.dims)}`),
  ) as [number, number, number]
  const restore = (result: Value) =>
    rank === 4 ? result : ctx.reshape(result, [...result.dims.slice(0, 2), ...result.dims.slice(3)])
  return { image, rank, batch, channels, height, width, restore }
}

/** Fills a per-axis attribute up to height and width: a signal has width alone. */
function pair(ctx: NodeContext, name: string, rank: 3 | 4, otherwise: number | readonly number[]): Pair {
  const count = rank - 2
  const given = ctx.attributes.ints(name)
  const values =
    given ?? (typeof otherwise === 'number' ? new Array<number>(count).fill(otherwise) : otherwise)
  if (values.length !== count || values.some((it) => !Number.isSafeInteger(it) || it < 1)) {
    ctx.mismatch(`${name} is ${formatDims(values)}, expected ${count} positive numbers`)
  }
  return [values.length === 2 ? (values[0] as number) : 1, values.at(-1) as number]
}

function explicitPads(ctx: NodeContext, rank: 3 | 4): Pads {
  const count = rank - 2
  const pads = ctx.attributes.ints('pads') ?? new Array<number>(2 * count).fill(0)
  if (pads.length !== 2 * count) ctx.mismatch(`pads are ${formatDims(pads)}, expected ${2 * count} numbers`)
  if (pads.some((it) => it < 0 || it > 2 ** 20))
    ctx.unsupported(`pads ${formatDims(pads)} are negative or huge`)
  const [top, left, bottom, right] = count === 2 ? pads : [0, pads[0], 0, pads[1]]
  return [top, left, bottom, right] as Pads
}

/** Reads kernel_shape, strides, dilations, pads, auto_pad and ceil_mode, and works out the size of the result. */
export function readWindow(
  ctx: NodeContext,
  { rank, height, width }: ImageOperand,
  defaultKernel: readonly number[] | null,
): Window {
  const kernelShape = ctx.attributes.has('kernel_shape') || defaultKernel === null ? undefined : defaultKernel
  const kernel = pair(ctx, 'kernel_shape', rank, kernelShape ?? [])
  const strides = pair(ctx, 'strides', rank, 1)
  const dilations = pair(ctx, 'dilations', rank, 1)
  const given = explicitPads(ctx, rank)
  const autoPad = ctx.attributes.string('auto_pad', 'NOTSET')
  const ceilMode = ctx.attributes.int('ceil_mode', 0) !== 0
  const vertical = axisWindow(
    ctx,
    height,
    kernel[0],
    strides[0],
    dilations[0],
    given[0],
    given[2],
    autoPad,
    ceilMode,
  )
  const horizontal = axisWindow(
    ctx,
    width,
    kernel[1],
    strides[1],
    dilations[1],
    given[1],
    given[3],
    autoPad,
    ceilMode,
  )
  return {
    kernel,
    strides,
    dilations,
    pads: [vertical.before, horizontal.before, vertical.after, horizontal.after],
    overhang: [vertical.overhang, horizontal.overhang],
    output: [vertical.output, horizontal.output],
  }
}

function axisWindow(
  ctx: NodeContext,
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  givenBefore: number,
  givenAfter: number,
  autoPad: string,
  ceilMode: boolean,
): { before: number; after: number; overhang: number; output: number } {
  const extent = (kernel - 1) * dilation + 1
  let before = givenBefore
  let after = givenAfter
  if (autoPad === 'VALID') {
    before = 0
    after = 0
  } else if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
    const total = Math.max((Math.ceil(size / stride) - 1) * stride + extent - size, 0)
    before = autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
    after = total - before
  } else if (autoPad !== 'NOTSET') {
    ctx.unsupported(`auto_pad ${JSON.stringify(autoPad)}`)
  }
  const room = size + before + after - extent
  if (room < 0)
    ctx.mismatch(`a window of ${extent} does not fit into ${size} with padding ${before} and ${after}`)
  let output = Math.floor(room / stride) + 1
  if (ceilMode) {
    output = Math.ceil(room / stride) + 1
    // A window that would start beyond the input is left out.
    if ((output - 1) * stride >= size + before) output--
  }
  return { before, after, overhang: Math.max(0, (output - 1) * stride - room), output }
}
