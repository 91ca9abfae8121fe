/* SPDX-License-Identifier: Apache-2.0 */
#define WIDEN_NAME widen__neon
#define LANES 4
#include "widen.inc"
