/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The WebAssembly module: one context over the imported memory. In front of the kernels' memory, at mlc_memory_base,
 * lie this module's stack, its data with one record slot, the scratch, and the stacks of threads. The embedder copies a
 * record into the slot, then checks or runs it.
 */
#include "../core/wipe.h"
#include "threads.h"

extern uint8_t __heap_base; /* set by the linker: the end of stack and data */

static _Alignas(64) int32_t record_slot[MLC_RECORD_WORD_COUNT];
static int has_run; /* before, the scratch holds nothing but the self-test's numbers, and most of it has no pages */

/* Behind the data and not in it: what is in it is zeroed whenever a module is instantiated, used or not. */
static float *scratch(void) { return (float *)(((uintptr_t)&__heap_base + 63) / 64 * 64); }
static float *shared_scratch(uint32_t worker_count) { return scratch() + worker_count * MLC_SCRATCH_FLOAT_COUNT; }
static uint8_t *scratch_end(uint32_t worker_count) {
  return (uint8_t *)(shared_scratch(worker_count) + MLC_SHARED_SCRATCH_FLOAT_COUNT);
}
/* End of the stack of a worker after the first; stacks grow down. */
static uint8_t *stack_end(uint32_t worker_count, uint32_t worker) {
  return scratch_end(worker_count) + worker * MLC_WASM_STACK_SIZE_BYTES;
}
static uint8_t *memory_base(uint32_t worker_count) { return stack_end(worker_count, worker_count - 1); }

static mlc_context context_of(uint32_t memory_size_bytes) {
  const uint32_t worker_count = mlc_wasm_worker_count();
  mlc_context context = {
      .memory = memory_base(worker_count),
      .memory_size_bytes = memory_size_bytes,
      .kernels = mlc_kernel_sets()[0],
      .worker_count = worker_count,
      .scratch = scratch(),
      .shared_scratch = shared_scratch(worker_count),
  };
  mlc_wasm_use_threads(&context);
  return context;
}

MLC_WASM_EXPORT(memoryBase) uint32_t mlc_wasm_memory_base(uint32_t worker_count) {
  return (uint32_t)(uintptr_t)memory_base(worker_count);
}
MLC_WASM_EXPORT(stackEnd) uint32_t mlc_wasm_stack_end(uint32_t worker) {
  return (uint32_t)(uintptr_t)stack_end(mlc_wasm_worker_count(), worker);
}
MLC_WASM_EXPORT(recordSlot) uint32_t mlc_wasm_record_slot(void) { return (uint32_t)(uintptr_t)record_slot; }

/* Whether products fuse multiply and add as the engine likes: relaxed SIMD. */
MLC_WASM_EXPORT(isRelaxed) uint32_t mlc_wasm_is_relaxed(void) {
#if defined(MLC_WASM_RELAXED)
  return 1;
#else
  return 0;
#endif
}

/* MLC_RECORD_OK, or the index of the word at fault. */
MLC_WASM_EXPORT(checkRecord) int32_t mlc_wasm_check_record(uint32_t memory_size_bytes) {
  return mlc_check_record(record_slot, memory_size_bytes);
}

MLC_WASM_EXPORT(runRecord) void mlc_wasm_run_record(uint32_t memory_size_bytes) {
  const mlc_context context = context_of(memory_size_bytes);
  has_run = 1;
  mlc_run_record(&context, record_slot);
}

MLC_WASM_EXPORT(selfTest) uint32_t mlc_wasm_self_test(void) {
  const mlc_context context = context_of(0);
  return mlc_self_test(&context);
}

/* Forgets what the scratch and the slot hold of past queries. */
MLC_WASM_EXPORT(wipe) void mlc_wasm_wipe(void) {
  /* Exported functions read all of these, so no compiler can take the zeros for unread. */
  if (has_run) {
    mlc_wipe_floats(scratch(), mlc_wasm_worker_count() * MLC_SCRATCH_FLOAT_COUNT + MLC_SHARED_SCRATCH_FLOAT_COUNT);
  }
  for (uint32_t i = 0; i < MLC_RECORD_WORD_COUNT; i++) record_slot[i] = 0;
}
