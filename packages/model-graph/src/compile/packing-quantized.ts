// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import { packQuantizedPanel } from '@mlcapsule/inference-kernels/program'
import { ModelError } from '../errors.ts'
import type { QuantizedWeights } from '../graph/graph.ts'
import { modelLimits } from '../limits.ts'
import { panelWidth } from './packing.ts'

/** Rows of bytes → for each group panels as `abi/ops.json` of the kernels lays down, one at a time. */
export async function* packQuantized(
  { rows, columns }: QuantizedWeights,
  groups: number,
): AsyncIterable<Uint8Array> {
  const [rowCount, channelCount, ...kernel] = rows.dims as [number, number, ...number[]]
  const tapCount = elementCount(kernel)
  const innerCount = channelCount * tapCount
  if (innerCount * panelWidth > modelLimits.wholeConstantSizeBytes) {
    throw new ModelError('MODEL_TOO_LARGE', `a panel of weights needs ${innerCount * panelWidth} bytes`)
  }
  const groupRows = rowCount / groups
  for (let group = 0; group < groups; group++) {
    for (let first = 0; first < groupRows; first += panelWidth) {
      const row = group * groupRows + first
      const count = Math.min(panelWidth, groupRows - first)
      const weights = (await rows.read(row * innerCount, count * innerCount)) as Int8Array
      yield packQuantizedPanel(weights, columns.slice(row, row + count), channelCount, tapCount)
    }
  }
}
