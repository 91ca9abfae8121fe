/* SPDX-License-Identifier: Apache-2.0 */
#define F32_DEPTHWISE_NAME f32_depthwise_row__avx512
#define LANES 16
#include "f32_depthwise_row.inc"
