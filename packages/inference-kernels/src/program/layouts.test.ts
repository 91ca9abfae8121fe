// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import {
  packDepthwise16,
  packedSizeBytes,
  packPanelFromColumns,
  packPanelFromRows,
  packPanels16,
  panelCount,
  panelSizeBytes,
} from './layouts.ts'

const counting = (count: number) => Float32Array.from({ length: count }, (_, i) => i + 1)

test('a dense matrix [K, N] becomes panels of 16 columns, the last one padded with zeros', () => {
  const packed = packPanels16(counting(2 * 18), [2, 18])
  expect(packed.byteLength).toBe(packedSizeBytes('panels16', [2, 18]))
  expect(panelCount('panels16', [2, 18])).toBe(2)
  expect(panelSizeBytes('panels16', [2, 18])).toBe(2 * 16 * 4)
  const at = (panel: number, k: number, column: number) => packed[(panel * 2 + k) * 16 + column]
  expect(at(0, 0, 0)).toBe(1)
  expect(at(0, 1, 0)).toBe(19)
  expect(at(1, 0, 1)).toBe(18)
  expect(at(1, 1, 1)).toBe(36)
  expect([...packed.subarray(34, 48)]).toEqual(new Array(14).fill(0))
})

test('convolution weights go by group, then panel, then tap, then channel', () => {
  const [o, i, h, w] = [6, 2, 1, 3] as const
  const weights = counting(o * i * h * w)
  const packed = packPanels16(weights, [o, i, h, w], 2)
  expect(packed.byteLength).toBe(packedSizeBytes('panels16', [o, i, h, w], 2))
  for (let out = 0; out < o; out++) {
    for (let c = 0; c < i; c++) {
      for (let tap = 0; tap < h * w; tap++) {
        const panel = Math.floor(out / 3)
        const k = tap * i + c
        expect(packed[(panel * i * h * w + k) * 16 + (out % 3)]).toBe(weights[(out * i + c) * h * w + tap])
      }
    }
  }
})

test('depthwise weights go by panel of channels, then tap', () => {
  const packed = packDepthwise16(counting(17 * 4), [17, 1, 2, 2])
  expect(packed.byteLength).toBe(packedSizeBytes('depthwise16', [17, 1, 2, 2]))
  expect(packed[3]).toBe(13)
  expect(packed[16 + 3]).toBe(14)
  expect([...packed.subarray(64, 68)]).toEqual([65, 0, 0, 0])
})

test('panels packed one by one from slabs are those packed at once', () => {
  const [k, n] = [5, 37]
  const matrix = counting(k * n)
  const transposed = Float32Array.from(
    { length: k * n },
    (_, i) => matrix[(i % k) * n + Math.floor(i / k)] as number,
  )
  const whole = packPanels16(matrix, [k, n])
  const fromColumns = new Float32Array(k * 16)
  const fromRows = new Float32Array(k * 16)
  for (let panel = 0; panel < panelCount('panels16', [k, n]); panel++) {
    const first = panel * 16
    packPanelFromColumns(matrix, n, first, k, fromColumns, 0)
    packPanelFromRows(transposed, first * k, Math.min(16, n - first), k, 1, fromRows, 0)
    const expected = whole.slice(panel * k * 16, (panel + 1) * k * 16)
    expect(fromColumns).toEqual(expected)
    expect(fromRows).toEqual(expected)
  }
})

test('plain layouts count by dtype', () => {
  expect(packedSizeBytes('row-major', [3, 5])).toBe(60)
  expect(packedSizeBytes('nhwc', [1, 2, 3, 4], 1, 'int64')).toBe(192)
  expect(packedSizeBytes('row-major', [], 1, 'bool')).toBe(1)
})
