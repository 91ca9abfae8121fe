/* SPDX-License-Identifier: Apache-2.0 */
#define F32_DEPTHWISE_NAME f32_depthwise_row__avx2_fma
#define LANES 8
#include "f32_depthwise_row.inc"
