/* SPDX-License-Identifier: Apache-2.0 */
#define F32_WINOGRAD_NAME f32_winograd__avx2_fma
#define LANES 8
#include "f32_winograd.inc"
