/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of the module, in the build that has shared memory. Each is an instance of it on that memory. */
#ifndef MLC_WASM_THREADS_H
#define MLC_WASM_THREADS_H

#include "../core/context.h"

#if defined(MLC_WASM_THREADS)
/* 1 until threads were asked for. */
uint32_t mlc_wasm_worker_count(void);
/* Lets the workers of a context share its loops. */
void mlc_wasm_use_threads(mlc_context *context);
#else
MLC_INLINE uint32_t mlc_wasm_worker_count(void) { return 1; }
MLC_INLINE void mlc_wasm_use_threads(mlc_context *context MLC_UNUSED) {}
#endif

#define MLC_WASM_EXPORT(name) __attribute__((export_name(#name)))

/* Of one thread. The first worker has the module's own, of the same size. */
#define MLC_WASM_STACK_SIZE_BYTES 262144u

#endif
