// SPDX-License-Identifier: Apache-2.0
import { elementCount, elementSizeBytes, releaseMemory } from '@mlcapsule/contracts'
import { packedSizeBytes } from '@mlcapsule/inference-kernels/program'
import { ModelError } from '../errors.ts'
import type { ConstantTensor } from '../graph/constant.ts'
import type { QuantizedWeights } from '../graph/graph.ts'
import { packChannelsLast, packConvolution, packDense, packDepthwise, packPlain } from './packing.ts'
import { packQuantized } from './packing-quantized.ts'
import { type StoredWeights, storePieces } from './store-weights.ts'

/** How the elements of a constant are arranged for the step that reads them. */
export type Packing =
  | { readonly kind: 'plain' }
  | { readonly kind: 'nhwc' }
  | { readonly kind: 'dense'; readonly stored?: StoredWeights | undefined }
  | { readonly kind: 'depthwise' }
  | { readonly kind: 'convolution'; readonly groups: number; readonly stored?: StoredWeights | undefined }
  | { readonly kind: 'quantized'; readonly weights: QuantizedWeights; readonly groups: number }

interface Segment {
  readonly offsetBytes: number
  readonly sizeBytes: number
  /** Each in memory of its own, which is released once it is in a chunk. */
  pieces(): AsyncIterable<ArrayBufferView>
}

/** All weights of a compiled model, made while they are read: nothing is held but what is being packed. */
export interface CompiledWeights {
  readonly sizeBytes: number
  /**
   * The bytes in order, in chunks of `chunkSizeBytes` (1 MiB by default); only the last may be shorter. Each chunk is in
   * memory of its own, which its reader may release. May be called again for another pass.
   */
  chunks(chunkSizeBytes?: number): AsyncIterable<Uint8Array>
}

const alignmentBytes = 64
const align = (sizeBytes: number) => Math.ceil(sizeBytes / alignmentBytes) * alignmentBytes

function packedSize({ dims, dtype }: ConstantTensor, packing: Packing): number {
  if (packing.kind === 'plain' || packing.kind === 'nhwc') return elementCount(dims) * elementSizeBytes(dtype)
  if (packing.kind === 'depthwise') return packedSizeBytes('depthwise16', dims)
  if (packing.kind === 'quantized') return packedSizeBytes('quantizedPanels16', dims, packing.groups)
  const groups = packing.kind === 'convolution' ? packing.groups : 1
  return packedSizeBytes('panels16', dims, groups, packing.stored?.dtype)
}

function piecesOf(constant: ConstantTensor, packing: Packing): AsyncIterable<ArrayBufferView> {
  if (packing.kind === 'plain') return packPlain(constant)
  if (packing.kind === 'nhwc') return packChannelsLast(constant)
  if (packing.kind === 'depthwise') return packDepthwise(constant)
  if (packing.kind === 'quantized') return packQuantized(packing.weights, packing.groups)
  const isDense = packing.kind === 'dense'
  const pieces = isDense ? packDense(constant) : packConvolution(constant, packing.groups)
  if (packing.stored === undefined) return pieces
  const [first = 1, second = 1] = constant.dims
  const columnCount = isDense ? second : first / packing.groups
  return storePieces(pieces, packing.stored, {
    innerCount: isDense ? first : elementCount(constant.dims) / first,
    columnCount,
  })
}

/** Places constants one after another, in the order in which steps ask for them. */
export class WeightsLayout {
  readonly #segments: Segment[] = []
  readonly #placed = new Map<ConstantTensor, Map<string, Segment>>()
  #sizeBytes = 0

  /** Where a constant lies; the same constant in the same packing is placed once. */
  place(
    constant: ConstantTensor,
    packing: Packing,
  ): { readonly offsetBytes: number; readonly sizeBytes: number } {
    const key = packing.kind === 'convolution' ? `convolution ${packing.groups}` : packing.kind
    const placed = this.#placed.get(constant) ?? new Map<string, Segment>()
    this.#placed.set(constant, placed)
    const known = placed.get(key)
    if (known !== undefined) return known
    const sizeBytes = packedSize(constant, packing)
    const segment: Segment = {
      offsetBytes: this.#sizeBytes,
      sizeBytes,
      pieces: () => piecesOf(constant, packing),
    }
    placed.set(key, segment)
    this.#segments.push(segment)
    this.#sizeBytes += align(sizeBytes)
    return segment
  }

  finish(): CompiledWeights {
    const segments = this.#segments.slice()
    const sizeBytes = this.#sizeBytes
    return {
      sizeBytes,
      chunks: (chunkSizeBytes = 1024 * 1024) => chunksOf(segments, sizeBytes, chunkSizeBytes),
    }
  }
}

async function* chunksOf(
  segments: readonly Segment[],
  sizeBytes: number,
  chunkSizeBytes: number,
): AsyncIterable<Uint8Array> {
  if (!Number.isSafeInteger(chunkSizeBytes) || chunkSizeBytes < 1) {
    throw new ModelError(
      'MODEL_OPTION_INVALID',
      `chunkSizeBytes is ${chunkSizeBytes}, expected a positive integer`,
      {
        field: 'chunkSizeBytes',
      },
    )
  }
  const newChunk = (start: number) => new Uint8Array(Math.min(chunkSizeBytes, sizeBytes - start))
  let chunkStart = 0
  let chunk = newChunk(0)
  for (const segment of segments) {
    let position = segment.offsetBytes
    const end = segment.offsetBytes + segment.sizeBytes
    const paddedEnd = segment.offsetBytes + align(segment.sizeBytes)
    for await (const piece of segment.pieces()) {
      const bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
      let done = 0
      while (done < bytes.length) {
        const part = bytes.subarray(done, done + chunk.length - (position - chunkStart))
        chunk.set(part, position - chunkStart)
        done += part.length
        position += part.length
        if (position - chunkStart === chunk.length) {
          yield chunk
          chunkStart = position
          chunk = newChunk(chunkStart)
        }
      }
      releaseMemory(piece)
    }
    if (position !== end)
      throw new TypeError(
        `a segment of ${segment.sizeBytes} bytes was packed as ${position - segment.offsetBytes}`,
      )
    // Chunks start as zeroes, so the padding up to the next segment is there already.
    while (chunk.length > 0 && paddedEnd - chunkStart >= chunk.length) {
      // Whoever takes a chunk may release its memory.
      const nextStart = chunkStart + chunk.length
      yield chunk
      chunkStart = nextStart
      chunk = newChunk(chunkStart)
    }
  }
}
