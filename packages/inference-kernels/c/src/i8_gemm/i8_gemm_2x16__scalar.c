/* SPDX-License-Identifier: Apache-2.0 */
#include "../core/platform.h"

#define I8_GEMM_NAME i8_gemm_2x16__scalar
#include "i8_gemm_plain.inc"
