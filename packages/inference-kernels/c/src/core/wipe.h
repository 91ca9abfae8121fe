/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLC_WIPE_H
#define MLC_WIPE_H

#include "platform.h"

/*
 * Zeroes floats, most of which may be zero already: it looks first. Reading a page that nobody has touched costs less than
 * writing it, and no kernel has to keep account of what it wrote. A float that is zero in value but not in bits is not left.
 */
void mlc_wipe_floats(float *values, size_t count);

#endif
