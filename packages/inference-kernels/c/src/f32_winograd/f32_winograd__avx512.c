/* SPDX-License-Identifier: Apache-2.0 */
#define F32_WINOGRAD_NAME f32_winograd__avx512
#define LANES 16
#include "f32_winograd.inc"
