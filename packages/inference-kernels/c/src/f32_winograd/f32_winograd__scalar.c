/* SPDX-License-Identifier: Apache-2.0 */
#define F32_WINOGRAD_NAME f32_winograd__scalar
#define LANES 4
#include "f32_winograd.inc"
