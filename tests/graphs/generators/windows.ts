// SPDX-License-Identifier: Apache-2.0
import {
  dotOf,
  type Estimate,
  epsilon,
  exactly,
  magnitude,
  productOf,
  roughly,
  sumOf,
  totalOf,
  union,
} from '../estimate.ts'
import type { FuzzAttribute } from '../fuzz-graph.ts'
import type { Generator, GraphWriter, KnownValue } from '../graph-writer.ts'
import { tensorOf } from '../tensors.ts'
import { product } from './shapes.ts'

const isSmall = ({ estimate }: KnownValue) => magnitude(estimate) <= 1000

interface WindowForms {
  readonly dilates: boolean
  readonly ceil: boolean
  /** Whether a window may lie in padding alone, whose sum is 0 and whose maximum nobody has defined. */
  readonly mayBeEmpty: boolean
}

interface Window {
  readonly attributes: Record<string, FuzzAttribute>
  readonly kernel: readonly number[]
  readonly output: readonly number[]
}

/** How a window slides over spatial dimensions; null where it does not fit. */
export function slide(w: GraphWriter, spatial: readonly number[], forms: WindowForms): Window | null {
  const kernel = spatial.map(() => w.random.pick([1, 2, 3, 3]))
  const strides = spatial.map(() => w.random.pick([1, 1, 2, 3]))
  const dilations = spatial.map(() => (forms.dilates ? w.random.pick([1, 1, 1, 2]) : 1))
  const extent = kernel.map((k, d) => (k - 1) * (dilations[d] as number) + 1)
  const attributes: Record<string, FuzzAttribute> = { kernel_shape: kernel, strides }
  if (forms.dilates) attributes.dilations = dilations
  const way = w.random.pick(['NOTSET', 'NOTSET', 'NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'])
  let output: number[]
  if (way === 'NOTSET') {
    const isCeil = forms.ceil && w.random.chance(0.25)
    // Less than the kernel, and none where it has holes: each window then holds an element.
    const amounts = () =>
      kernel.map((k, d) => (forms.mayBeEmpty || dilations[d] === 1 ? w.random.below(k) : 0))
    const [before, after] = [amounts(), amounts()]
    attributes.pads = [...before, ...after]
    if (isCeil) attributes.ceil_mode = 1
    output = spatial.map((size, d) => {
      const room = size + (before[d] as number) + (after[d] as number) - (extent[d] as number)
      const stride = strides[d] as number
      if (!isCeil) return Math.floor(room / stride) + 1
      const count = Math.ceil(room / stride) + 1
      // A window that would start in the padding behind is left out.
      return (count - 1) * stride >= size + (before[d] as number) ? count - 1 : count
    })
    if (output.some((dim, d) => dim < 1 || size(d, before, after) < (extent[d] as number))) return null
  } else {
    attributes.auto_pad = way
    if (way !== 'VALID' && forms.dilates && dilations.some((it) => it > 1)) return null
    output = spatial.map((size, d) => {
      const stride = strides[d] as number
      return way === 'VALID'
        ? Math.floor((size - (extent[d] as number)) / stride) + 1
        : Math.ceil(size / stride)
    })
    if (output.some((dim) => dim < 1)) return null
    // Strides that jump over elements would need padding of less than none.
    const jumps = (dim: number, d: number) =>
      (dim - 1) * (strides[d] as number) + (extent[d] as number) < (spatial[d] as number)
    if (way !== 'VALID' && output.some(jumps)) return null
  }
  return { attributes, kernel, output }

  function size(d: number, before: readonly number[], after: readonly number[]): number {
    return (spatial[d] as number) + (before[d] as number) + (after[d] as number)
  }
}

/** An image, signal or volume: [batch, channels, …]. */
function image(w: GraphWriter, accepts: (value: KnownValue) => boolean = isSmall): KnownValue {
  const found = w.random.chance(0.7)
    ? w.find((it) => it.dtype === 'float32' && it.dims.length >= 3 && it.dims.length <= 5 && accepts(it))
    : null
  if (found !== null) return found
  const rank = w.random.pick([1, 2, 2, 2, 2, 3])
  return w.fresh('float32', [
    w.random.between(1, 2),
    w.random.pick([1, 2, 3, 4, 8, 16]),
    ...Array.from({ length: rank }, () => w.random.between(1, 8)),
  ])
}

const convolution: Generator = {
  op: 'Conv',
  weight: 4,
  add: (w) => {
    const x = image(w)
    const [n, c, ...spatial] = x.dims as [number, number, ...number[]]
    const window = slide(w, spatial, { dilates: true, ceil: false, mayBeEmpty: true })
    if (window === null) return false
    const group = w.random.pick([1, 1, c, 2].filter((it) => c % it === 0))
    const out = group * w.random.pick([1, 1, 2, 3])
    const weights = w.operand('float32', [out, c / group, ...window.kernel], { low: -8, high: 8, grid: 3 })
    const count = (c / group) * product(window.kernel)
    const total = dotOf(union(x.estimate, exactly(0, 0)), weights.estimate, count)
    const operands = [x, weights]
    if (w.random.chance(0.6)) operands.push(w.operand('float32', [out]))
    const estimate = operands[2] === undefined ? total : sumOf(total, operands[2].estimate)
    const attributes = { ...window.attributes, group }
    return w.add('Conv', operands, attributes, {
      dtype: 'float32',
      dims: [n, out, ...window.output],
      estimate,
    })
  },
}

const transposed: Generator = {
  op: 'ConvTranspose',
  weight: 1,
  add: (w) => {
    const x = image(w)
    const [n, c, ...spatial] = x.dims as [number, number, ...number[]]
    const kernel = spatial.map(() => w.random.between(1, 3))
    const strides = spatial.map(() => w.random.between(1, 2))
    const group = w.random.pick([1, 1, c, 2].filter((it) => c % it === 0))
    const outPerGroup = w.random.between(1, 3)
    const pads = [...kernel, ...kernel].map((k) => w.random.below(k))
    const extra = strides.map((stride) => w.random.below(stride))
    const output = spatial.map((size, d) => {
      const whole = (strides[d] as number) * (size - 1) + (extra[d] as number) + (kernel[d] as number)
      return whole - (pads[d] as number) - (pads[d + spatial.length] as number)
    })
    if (output.some((dim) => dim < 1)) return false
    const weights = w.operand('float32', [c, outPerGroup, ...kernel], { low: -8, high: 8, grid: 3 })
    const total = dotOf(union(x.estimate, exactly(0, 0)), weights.estimate, (c / group) * product(kernel))
    const operands = [x, weights]
    if (w.random.chance(0.5)) operands.push(w.operand('float32', [outPerGroup * group]))
    const estimate = operands[2] === undefined ? total : sumOf(total, operands[2].estimate)
    const attributes = { kernel_shape: kernel, strides, group, pads, output_padding: extra }
    return w.add('ConvTranspose', operands, attributes, {
      dtype: 'float32',
      dims: [n, outPerGroup * group, ...output],
      estimate,
    })
  },
}

/** Of windows with at most `count` elements: one at a border holds fewer, whose sum is off by less in proportion. */
function average(x: Estimate, count: number): Estimate {
  const error = totalOf(x, count).error / count
  return roughly(Math.min(0, x.low), Math.max(0, x.high), error + 4 * epsilon * magnitude(x))
}

const maxPool: Generator = {
  op: 'MaxPool',
  weight: 2,
  add: (w) => {
    const x = image(w)
    const [n, c, ...spatial] = x.dims as [number, number, ...number[]]
    const window = slide(w, spatial, { dilates: w.opset >= 10, ceil: w.opset >= 10, mayBeEmpty: false })
    if (window === null) return false
    return w.add('MaxPool', [x], window.attributes, { ...x, dims: [n, c, ...window.output] })
  },
}

const averagePool: Generator = {
  op: 'AveragePool',
  weight: 2,
  add: (w) => {
    const x = image(w)
    const [n, c, ...spatial] = x.dims as [number, number, ...number[]]
    const window = slide(w, spatial, { dilates: w.opset >= 19, ceil: w.opset >= 10, mayBeEmpty: false })
    if (window === null) return false
    const attributes: Record<string, FuzzAttribute> = {
      ...window.attributes,
      count_include_pad: w.random.below(2),
    }
    const estimate = average(x.estimate, product(window.kernel))
    return w.add('AveragePool', [x], attributes, { ...x, dims: [n, c, ...window.output], estimate })
  },
}

const lpPool: Generator = {
  op: 'LpPool',
  since: 11,
  weight: 0.5,
  add: (w) => {
    const x = image(w, (it) => magnitude(it.estimate) <= 100)
    const [n, c, ...spatial] = x.dims as [number, number, ...number[]]
    const window = slide(w, spatial, { dilates: w.opset >= 18, ceil: false, mayBeEmpty: true })
    if (window === null) return false
    const count = product(window.kernel)
    const most = magnitude(x.estimate) * count
    const estimate = roughly(0, most, x.estimate.error * count + 16 * epsilon * most)
    const attributes = { ...window.attributes, p: w.random.between(1, 2) }
    return w.add('LpPool', [x], attributes, { ...x, dims: [n, c, ...window.output], estimate })
  },
}

const wholePool = (op: 'GlobalAveragePool' | 'GlobalMaxPool'): Generator => ({
  op,
  add: (w) => {
    const x = image(w)
    const dims = x.dims.map((dim, axis) => (axis < 2 ? dim : 1))
    const count = product(x.dims.slice(2))
    return w.add(
      op,
      [x],
      {},
      { ...x, dims, estimate: op === 'GlobalMaxPool' ? x.estimate : average(x.estimate, count) },
    )
  },
})

/** Enlarging and shrinking by whole factors, where all coordinate rules are plain. */
const resize: Generator = {
  op: 'Resize',
  since: 11,
  weight: 1.5,
  add: (w) => {
    const x = image(w, (it) => isSmall(it) && it.dims.length <= 4)
    const mode = w.random.pick(x.dims.length === 4 ? ['nearest', 'linear', 'cubic'] : ['nearest', 'linear'])
    const attributes: Record<string, FuzzAttribute> = { mode }
    const scales = x.dims.map((_, axis) => (axis < 2 ? 1 : w.random.pick([1, 2, 3])))
    if (mode === 'nearest') {
      attributes.coordinate_transformation_mode = w.random.pick(['asymmetric', 'half_pixel'])
      attributes.nearest_mode = w.random.pick(['floor', 'round_prefer_floor', 'round_prefer_ceil', 'ceil'])
    } else {
      attributes.coordinate_transformation_mode = w.random.pick([
        'half_pixel',
        'asymmetric',
        'align_corners',
        'pytorch_half_pixel',
      ])
      if (mode === 'cubic') attributes.cubic_coeff_a = { float: w.random.pick([-0.75, -0.5]) }
    }
    const dims = x.dims.map((dim, axis) => dim * (scales[axis] as number))
    const most = magnitude(x.estimate) * (mode === 'cubic' ? 3 : 1)
    const estimate =
      mode === 'nearest'
        ? x.estimate
        : roughly(-most, most, 3 * x.estimate.error + 128 * epsilon * Math.max(1, most))
    // Until operator set 13 what is left out must be there, empty.
    const none = w.opset < 13 ? w.constant(tensorOf('float32', [0], []), exactly(0, 0)).name : ''
    if (w.random.chance(0.4)) {
      return w.add('Resize', [x, none, none, w.setting(dims)], attributes, { ...x, dims, estimate })
    }
    const factors = w.constant(tensorOf('float32', [dims.length], scales), exactly(1, 3))
    return w.add('Resize', [x, none, factors], attributes, { ...x, dims, estimate })
  },
}

const upsample: Generator = {
  op: 'Upsample',
  since: 9,
  until: 9,
  weight: 1,
  add: (w) => {
    const x = image(w, (it) => isSmall(it) && it.dims.length === 4)
    if (x.dims.length !== 4) return false
    const scales = [1, 1, w.random.pick([1, 2, 3]), w.random.pick([1, 2])]
    const factors = w.constant(tensorOf('float32', [4], scales), exactly(1, 3))
    const dims = x.dims.map((dim, axis) => dim * (scales[axis] as number))
    return w.add('Upsample', [x, factors], { mode: 'nearest' }, { ...x, dims })
  },
}

const gridSample: Generator = {
  op: 'GridSample',
  since: 16,
  weight: 0.5,
  add: (w) => {
    const [n, c, h, width] = [
      w.random.between(1, 2),
      w.random.between(1, 3),
      w.random.between(2, 5),
      w.random.between(2, 5),
    ]
    const x = w.fresh('float32', [n, c, h, width])
    const [rows, columns] = [w.random.between(1, 4), w.random.between(1, 4)]
    const places = w.fresh('float32', [n, rows, columns, 2], { low: -35, high: 35, grid: 5 })
    const attributes = {
      mode: w.opset >= 20 ? 'linear' : 'bilinear',
      padding_mode: w.random.pick(['zeros', 'border', 'reflection']),
      align_corners: w.random.below(2),
    }
    const estimate = roughly(-4, 4, 512 * epsilon)
    return w.add('GridSample', [x, places], attributes, {
      dtype: 'float32',
      dims: [n, c, rows, columns],
      estimate,
    })
  },
}

/** What surrounds convolutions in real networks: y = x · scale + bias per channel. */
const channelScale: Generator = {
  op: 'Mul',
  weight: 0.6,
  add: (w) => {
    const x = image(w)
    const scale = w.operand('float32', [x.dims[1] as number, ...x.dims.slice(2).map(() => 1)])
    return w.add('Mul', [x, scale], {}, { ...x, estimate: productOf(x.estimate, scale.estimate) })
  },
}

export const windowGenerators: readonly Generator[] = [
  convolution,
  transposed,
  maxPool,
  averagePool,
  lpPool,
  wholePool('GlobalAveragePool'),
  wholePool('GlobalMaxPool'),
  resize,
  upsample,
  gridSample,
  channelScale,
]
