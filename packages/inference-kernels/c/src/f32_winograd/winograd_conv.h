/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution by f32_winograd, for those that it fits and gains from. */
#ifndef MLC_WINOGRAD_CONV_H
#define MLC_WINOGRAD_CONV_H

#include "../core/context.h"

/* Whether these kernels run this convolution so: its geometry, and whether the transforms cost less than they save. */
int f32_winograd_pays(const mlc_kernel_set *kernels, const mlc_conv2d_record *record);

/* Runs a convolution for which f32_winograd_pays is true. The bits do not depend on the worker count. */
void f32_winograd_run(const mlc_context *context, const mlc_conv2d_record *record);

#endif
