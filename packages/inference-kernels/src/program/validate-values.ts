// SPDX-License-Identifier: Apache-2.0
import { type DType, dtypes, elementSizeBytes } from '@mlcapsule/contracts'
import { alignmentBytes } from '../abi.generated.ts'
import { layouts } from './format.ts'
import { packedSizeBytes, weightsDtypes } from './layouts.ts'
import { programLimits } from './limits.ts'
import { assertInteger, failProgram } from './program-error.ts'
import type { Program, ProgramValue } from './types.ts'

const isPacked = ({ layout }: ProgramValue) => layout !== 'row-major' && layout !== 'nhwc'

function validateDims(value: ProgramValue, symbolCount: number, field: string): void {
  if (value.dims.length > programLimits.rank) {
    failProgram(`${field}.dims`, `rank is ${value.dims.length}, at most ${programLimits.rank}`)
  }
  let count = 1
  for (const [d, dim] of value.dims.entries()) {
    if (dim === null) {
      if (value.storage.kind !== 'arena') {
        failProgram(`${field}.dims[${d}]`, `storage ${value.storage.kind} has no unknown dimensions`)
      }
    } else if (typeof dim === 'number') {
      assertInteger(dim, 0, programLimits.dimension, `${field}.dims[${d}]`)
      // An empty tensor may still have absurd dimensions beside the zero.
      count *= Math.max(dim, 1)
    } else {
      assertInteger(dim.symbol, 0, symbolCount - 1, `${field}.dims[${d}].symbol`)
    }
  }
  if (count > programLimits.elementCount) {
    failProgram(`${field}.dims`, `${count} elements, at most ${programLimits.elementCount} are accepted`)
  }
}

/** What the elements of a packed layout may be. */
function dtypesOf(layout: ProgramValue['layout']): readonly DType[] {
  if (layout === 'quantizedPanels16') return ['int8']
  return layout === 'panels16' ? weightsDtypes : ['float32']
}

function validateLayout(value: ProgramValue, field: string): void {
  if (!layouts.includes(value.layout))
    failProgram(`${field}.layout`, `${String(value.layout)} is not a layout`)
  const rank = value.dims.length
  if (value.layout === 'nhwc' && rank !== 4)
    failProgram(`${field}.layout`, `nhwc asks for rank 4, got ${rank}`)
  if (!isPacked(value)) return
  if (value.storage.kind !== 'weights') failProgram(`${field}.storage`, 'packed layouts lie in the weights')
  const accepted = dtypesOf(value.layout)
  if (!accepted.includes(value.dtype)) {
    failProgram(`${field}.dtype`, `${value.layout} are ${accepted.join(' or ')}, got ${value.dtype}`)
  }
  if (rank !== 4 && !(rank === 2 && value.layout !== 'depthwise16')) {
    failProgram(`${field}.dims`, `${value.layout} of rank ${rank} does not exist`)
  }
}

function validateWeights(value: ProgramValue, weightsSizeBytes: number, field: string): void {
  if (value.storage.kind !== 'weights') return
  const { offsetBytes, sizeBytes } = value.storage
  assertInteger(offsetBytes, 0, weightsSizeBytes, `${field}.storage.offsetBytes`)
  assertInteger(sizeBytes, 0, weightsSizeBytes - offsetBytes, `${field}.storage.sizeBytes`)
  if (offsetBytes % alignmentBytes !== 0) {
    failProgram(`${field}.storage.offsetBytes`, `${offsetBytes} is not a multiple of ${alignmentBytes}`)
  }
  const dims = value.dims.map((dim) =>
    typeof dim === 'number' ? dim : failProgram(`${field}.dims`, 'weights have no symbolic dimensions'),
  )
  // Four-dimensional panels also depend on the groups, which only the step knows.
  if (isPacked(value) && value.layout !== 'depthwise16' && dims.length === 4) return
  const expected = packedSizeBytes(value.layout, dims, 1, value.dtype)
  if (sizeBytes !== expected) {
    failProgram(
      `${field}.storage.sizeBytes`,
      `expected ${expected} for its dims and layout, got ${sizeBytes}`,
    )
  }
}

/** Checks every value by itself. @throws KernelError `PROGRAM_INVALID` */
export function validateValues(program: Program): void {
  for (const [i, value] of program.values.entries()) {
    const field = `values[${i}]`
    if (!dtypes.includes(value.dtype)) failProgram(`${field}.dtype`, `${String(value.dtype)} is not a dtype`)
    validateDims(value, program.symbols.length, field)
    validateLayout(value, field)
    validateWeights(value, program.weightsSizeBytes, field)
    if (value.storage.kind === 'alias') {
      assertInteger(value.storage.of, 0, program.values.length - 1, `${field}.storage.of`)
      const target = program.values[value.storage.of] as ProgramValue
      if (isPacked(target)) failProgram(`${field}.storage.of`, 'packed weights have no aliases')
      if (target.dtype !== value.dtype) {
        failProgram(
          `${field}.storage.of`,
          `dtype is ${value.dtype}, that of the aliased value ${target.dtype}`,
        )
      }
    }
  }
}

/**
 * Checks that aliases have the size of what they share.
 * @param dims concrete, one list per value; undefined where they are not known
 */
export function validateAliasSizes(program: Program, dims: readonly (readonly number[] | undefined)[]): void {
  const size = (index: number, dtype: ProgramValue['dtype']) =>
    dims[index]?.reduce((count, dim) => count * dim, elementSizeBytes(dtype))
  for (const [i, { dtype, storage }] of program.values.entries()) {
    if (storage.kind !== 'alias') continue
    const [own, target] = [size(i, dtype), size(storage.of, dtype)]
    if (own !== undefined && target !== undefined && own !== target) {
      failProgram(`values[${i}].storage.of`, `${own} bytes alias ${target}`)
    }
  }
}
