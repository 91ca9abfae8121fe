/* SPDX-License-Identifier: Apache-2.0 */
#define WIDEN_NAME widen__avx2_fma
#define LANES 8
#include "widen.inc"
