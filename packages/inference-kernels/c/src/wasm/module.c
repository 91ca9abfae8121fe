/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The WebAssembly module: one context over the imported memory. In front of the kernels' memory, at mlc_memory_base,
 * lie this module's stack, its data with one record slot, and the scratch. The embedder copies a record into the slot,
 * then checks or runs it.
 */
#include "../core/context.h"

#define EXPORT(name) __attribute__((export_name(#name)))

extern uint8_t __heap_base; /* set by the linker: the end of stack and data */

static _Alignas(64) int32_t record_slot[MLC_RECORD_WORD_COUNT];
static int has_run; /* before, the scratch holds nothing but the self-test's numbers, and most of it has no pages */

/* Behind the data and not in it: what is in it is zeroed whenever a module is instantiated, used or not. */
static float *scratch(void) { return (float *)(((uintptr_t)&__heap_base + 63) / 64 * 64); }
static float *shared_scratch(void) { return scratch() + MLC_SCRATCH_FLOAT_COUNT; }
static uintptr_t memory_base(void) { return (uintptr_t)(shared_scratch() + MLC_SHARED_SCRATCH_FLOAT_COUNT); }

static mlc_context context_of(uint32_t memory_size_bytes) {
  return (mlc_context){
      .memory = (uint8_t *)memory_base(),
      .memory_size_bytes = memory_size_bytes,
      .kernels = mlc_kernel_sets()[0],
      .worker_count = 1,
      .scratch = scratch(),
      .shared_scratch = shared_scratch(),
  };
}

EXPORT(memoryBase) uint32_t mlc_wasm_memory_base(void) { return (uint32_t)memory_base(); }
EXPORT(recordSlot) uint32_t mlc_wasm_record_slot(void) { return (uint32_t)(uintptr_t)record_slot; }

/* Whether products fuse multiply and add as the engine likes: relaxed SIMD. */
EXPORT(isRelaxed) uint32_t mlc_wasm_is_relaxed(void) {
#if defined(MLC_WASM_RELAXED)
  return 1;
#else
  return 0;
#endif
}

/* MLC_RECORD_OK, or the index of the word at fault. */
EXPORT(checkRecord) int32_t mlc_wasm_check_record(uint32_t memory_size_bytes) {
  return mlc_check_record(record_slot, memory_size_bytes);
}

EXPORT(runRecord) void mlc_wasm_run_record(uint32_t memory_size_bytes) {
  const mlc_context context = context_of(memory_size_bytes);
  has_run = 1;
  mlc_run_record(&context, record_slot);
}

EXPORT(selfTest) uint32_t mlc_wasm_self_test(void) {
  const mlc_context context = context_of(0);
  return mlc_self_test(&context);
}

/* Forgets what the scratch and the slot hold of past queries. */
EXPORT(wipe) void mlc_wasm_wipe(void) {
  /* Exported functions read all of these, so no compiler can take the zeros for unread. */
  if (has_run) {
    mlc_zero_floats(scratch(), MLC_SCRATCH_FLOAT_COUNT + MLC_SHARED_SCRATCH_FLOAT_COUNT);
  }
  for (uint32_t i = 0; i < MLC_RECORD_WORD_COUNT; i++) record_slot[i] = 0;
}
