/* SPDX-License-Identifier: Apache-2.0 */
#define WIDEN_NAME widen__avx512
#define LANES 16
#include "widen.inc"
