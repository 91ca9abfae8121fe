/* SPDX-License-Identifier: Apache-2.0 */
#define WIDEN_NAME widen__wasm_simd128
#define LANES 4
#include "widen.inc"
