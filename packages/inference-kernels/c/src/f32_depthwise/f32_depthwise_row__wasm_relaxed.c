/* SPDX-License-Identifier: Apache-2.0 */
#define F32_DEPTHWISE_NAME f32_depthwise_row__wasm_relaxed
#define LANES 4
#include "f32_depthwise_row.inc"
