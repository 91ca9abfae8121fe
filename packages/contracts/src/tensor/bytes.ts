// SPDX-License-Identifier: Apache-2.0

/**
 * A copy of bytes, in memory of its own. Not `bytes.slice()`: that of a Node `Buffer` gives a view, which whoever holds
 * the buffer can still write to, and which may lie unaligned.
 */
export function copyBytes(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(start, end))
}

/**
 * Frees memory that nobody needs any more, at once: left to the garbage collector, hundreds of megabytes pile up before it
 * runs. A view of a part of a buffer may share it with others, and is left alone. The view is empty afterward.
 */
export function releaseMemory({ buffer, byteLength }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}
