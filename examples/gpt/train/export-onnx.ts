// SPDX-License-Identifier: Apache-2.0
export const encodeOnnx = (_: unknown) => new Uint8Array()
