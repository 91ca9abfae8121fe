/* SPDX-License-Identifier: Apache-2.0 */
/*
 * N-API binding: no arithmetic, only arguments. Every function checks each argument's type and range and throws a
 * TypeError or RangeError; src/native/native-kernels.ts turns results into coded errors.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdlib.h>
#include <string.h>

#include "instance.h"

static const napi_type_tag instance_tag = {0x6d6c63617073756cull, 0x6b65726e656c7331ull};

/* What the ArrayBuffer and the instance both hold on to. */
typedef struct {
  mlc_instance *instance;
  uint8_t *memory;
  size_t mapped_size_bytes;
  napi_ref buffer;
  uint32_t buffers_alive; /* ArrayBuffers whose finalizer is still to come */
  int handle_alive;       /* and the handle's */
  int is_taken;           /* whether a buffer of before a growth lives on elsewhere, with the same pages */
} owner;

static void throw_type(napi_env env, const char *message) { napi_throw_type_error(env, NULL, message); }

static void release(owner *o) {
  if (o->buffers_alive > 0 || o->handle_alive) return;
  if (o->memory != NULL) mlc_instance_unmap(o->memory, o->mapped_size_bytes);
  free(o->instance);
  free(o);
}

static void finalize_buffer(napi_env env, void *data, void *hint) {
  (void)env;
  (void)data;
  owner *o = hint;
  o->buffers_alive--;
  release(o);
}

static void finalize_handle(napi_env env, void *data, void *hint) {
  (void)hint;
  owner *o = data;
  mlc_instance_close(o->instance);
  if (o->buffer != NULL) {
    napi_delete_reference(env, o->buffer);
    o->buffer = NULL;
  }
  o->handle_alive = 0;
  release(o);
}

/* Reads exactly `count` arguments. */
static int arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok || given != count) {
    throw_type(env, "wrong number of arguments");
    return 0;
  }
  return 1;
}

static int integer(napi_env env, napi_value value, double low, double high, double *result) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= low && number <= high) ||
      number != (double)(int64_t)number) {
    napi_throw_range_error(env, NULL, "argument is not an integer in range");
    return 0;
  }
  *result = number;
  return 1;
}

static owner *unwrap(napi_env env, napi_value value, int must_be_open) {
  napi_valuetype type;
  bool tagged = false;
  void *data = NULL;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object ||
      napi_check_object_type_tag(env, value, &instance_tag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(env, value, &data) != napi_ok) {
    throw_type(env, "argument is not a kernels handle");
    return NULL;
  }
  owner *o = data;
  if (must_be_open && o->instance->context.memory == NULL) {
    throw_type(env, "kernels are disposed");
    return NULL;
  }
  return o;
}

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

static napi_value list_isas(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value list;
  if (napi_create_array(env, &list) != napi_ok) return NULL;
  const mlc_kernel_set *const *sets = mlc_kernel_sets();
  for (uint32_t i = 0; sets[i] != NULL; i++) {
    napi_value name;
    if (napi_create_string_utf8(env, mlc_kernel_set_isa(sets[i]), NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_set_element(env, list, i, name) != napi_ok) {
      return NULL;
    }
  }
  return list;
}

/* The kernel set of this name, or NULL: unknown here, or not for this CPU. */
static const mlc_kernel_set *kernel_set(napi_env env, napi_value name) {
  char text[32];
  size_t length = 0;
  if (napi_get_value_string_utf8(env, name, text, sizeof text, &length) != napi_ok) return NULL;
  for (const mlc_kernel_set *const *sets = mlc_kernel_sets(); *sets != NULL; sets++) {
    if (strcmp(mlc_kernel_set_isa(*sets), text) == 0) return *sets;
  }
  return NULL;
}

/* create(memorySizeBytes, maxMemorySizeBytes, threadCount, isa): handle, or null where memory or threads cannot be had */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value values[4], handle = NULL, null = NULL;
  double size, max_size, threads;
  if (!arguments(env, info, 4, values) || !integer(env, values[0], 1, 4294967296.0, &size) ||
      !integer(env, values[1], size, 4294967296.0, &max_size) || !integer(env, values[2], 1, MLC_POOL_MAX_WORKERS, &threads)) {
    return NULL;
  }
  const mlc_kernel_set *kernels = kernel_set(env, values[3]);
  if (kernels == NULL) {
    throw_type(env, "argument is not an instruction set of this machine");
    return NULL;
  }
  napi_get_null(env, &null);
  owner *o = calloc(1, sizeof *o);
  if (o == NULL) return null;
  o->instance = mlc_instance_create((uint64_t)size, (uint64_t)max_size, (uint32_t)threads, kernels);
  if (o->instance == NULL) {
    free(o);
    return null;
  }
  o->memory = o->instance->context.memory;
  o->mapped_size_bytes = o->instance->mapped_size_bytes;
  if (napi_create_object(env, &handle) != napi_ok ||
      napi_wrap(env, handle, o, finalize_handle, NULL, NULL) != napi_ok) {
    mlc_instance_close(o->instance);
    release(o);
    return NULL;
  }
  o->handle_alive = 1;
  if (napi_type_tag_object(env, handle, &instance_tag) != napi_ok) return NULL;
  return handle;
}

/* memory(handle): the ArrayBuffer over the kernels' memory, the same one at each call until it grows */
static napi_value memory(napi_env env, napi_callback_info info) {
  napi_value values[1], buffer = NULL;
  if (!arguments(env, info, 1, values)) return NULL;
  owner *o = unwrap(env, values[0], 1);
  if (o == NULL) return NULL;
  if (o->buffer != NULL) {
    napi_get_reference_value(env, o->buffer, &buffer);
    return buffer;
  }
  o->buffers_alive++;
  if (napi_create_external_arraybuffer(env, o->memory, (size_t)o->instance->context.memory_size_bytes,
                                       finalize_buffer, o, &buffer) != napi_ok) {
    o->buffers_alive--;
    napi_throw_error(env, NULL, "this Node does not allow external memory");
    return NULL;
  }
  napi_create_reference(env, buffer, 1, &o->buffer);
  return buffer;
}

/* Elements of a typed array of one kind; 0 with an error thrown otherwise. */
static int elements(napi_env env, napi_value value, napi_typedarray_type wanted, void **data, size_t *count) {
  bool is_typed_array = false;
  napi_typedarray_type type;
  napi_value buffer;
  size_t offset;
  if (napi_is_typedarray(env, value, &is_typed_array) == napi_ok && is_typed_array &&
      napi_get_typedarray_info(env, value, &type, count, data, &buffer, &offset) == napi_ok && type == wanted) {
    return 1;
  }
  throw_type(env, "argument is not a typed array of the right kind");
  return 0;
}

/*
 * load(handle, Int32Array of records, Uint32Array of a stream or of nothing): program number; -1 where there is no room;
 * -2 for a stream that is none; -3 - (step * 64 + word) for a refused record
 */
static napi_value load(napi_env env, napi_callback_info info) {
  napi_value values[3];
  size_t length, stream_length;
  void *data, *stream;
  if (!arguments(env, info, 3, values)) return NULL;
  owner *o = unwrap(env, values[0], 1);
  if (o == NULL || !elements(env, values[1], napi_int32_array, &data, &length) ||
      !elements(env, values[2], napi_uint32_array, &stream, &stream_length)) {
    return NULL;
  }
  if (length % MLC_RECORD_WORD_COUNT != 0) {
    throw_type(env, "records are not whole");
    return NULL;
  }
  if (length / MLC_RECORD_WORD_COUNT > MLC_MAX_RECORD_COUNT) return number(env, -1);
  const mlc_load_result result =
      mlc_instance_load(o->instance, data, (uint32_t)(length / MLC_RECORD_WORD_COUNT), stream, stream_length);
  if (result.status == MLC_LOAD_FULL) return number(env, -1);
  if (result.status == MLC_LOAD_STREAM_INVALID) return number(env, -2);
  if (result.status == MLC_LOAD_OK) return number(env, result.program);
  return number(env, -3.0 - ((double)result.step * MLC_RECORD_WORD_COUNT + (double)result.word));
}

/*
 * attachPages(handle, fd, offsetBytes, pageSizeBytes, pageCount, key, nonces, associatedData): whether streams can come from
 * these pages
 */
static napi_value attach_pages(napi_env env, napi_callback_info info) {
  napi_value values[8], result = NULL;
  double fd, offset, page_size, page_count;
  void *key, *nonces, *associated_data;
  size_t key_size, nonces_size, associated_data_size;
  if (!arguments(env, info, 8, values)) return NULL;
  owner *o = unwrap(env, values[0], 1);
  if (o == NULL || !integer(env, values[1], 0, INT32_MAX, &fd) ||
      !integer(env, values[2], 0, 9007199254740991.0, &offset) ||
      !integer(env, values[3], 64, 1 << 26, &page_size) || !integer(env, values[4], 1, 1 << 26, &page_count) ||
      !elements(env, values[5], napi_uint8_array, &key, &key_size) ||
      !elements(env, values[6], napi_uint8_array, &nonces, &nonces_size) ||
      !elements(env, values[7], napi_uint8_array, &associated_data, &associated_data_size)) {
    return NULL;
  }
  const size_t count = (size_t)page_count;
  if (key_size != MLC_CIPHER_KEY_SIZE_BYTES || nonces_size != count * MLC_CIPHER_NONCE_SIZE_BYTES ||
      associated_data_size % count != 0 || associated_data_size / count > 1024) {
    throw_type(env, "key, nonces or associated data do not have the right size");
    return NULL;
  }
  const mlc_pages_source source = {.fd = (int)fd,
                                   .offset_bytes = (uint64_t)offset,
                                   .page_size_bytes = (uint32_t)page_size,
                                   .page_count = (uint32_t)page_count,
                                   .key = key,
                                   .nonces = nonces,
                                   .associated_data = associated_data,
                                   .associated_data_size_bytes = (uint32_t)(associated_data_size / count)};
  napi_get_boolean(env, mlc_instance_attach_pages(o->instance, &source), &result);
  return result;
}

/* detachPages(handle): whether they are given up */
static napi_value detach_pages(napi_env env, napi_callback_info info) {
  napi_value values[1], result = NULL;
  if (!arguments(env, info, 1, values)) return NULL;
  owner *o = unwrap(env, values[0], 1);
  if (o == NULL) return NULL;
  napi_get_boolean(env, mlc_instance_detach_pages(o->instance), &result);
  return result;
}

/* fill(handle, Uint32Array of a stream): whether pages now come into the memory, in order, beside this thread */
static napi_value fill(napi_env env, napi_callback_info info) {
  napi_value values[2], result = NULL;
  void *stream;
  size_t stream_length;
  if (!arguments(env, info, 2, values)) return NULL;
  owner *o = unwrap(env, values[0], 1);
  if (o == NULL || !elements(env, values[1], napi_uint32_array, &stream, &stream_length)) return NULL;
  napi_get_boolean(env, mlc_instance_fill(o->instance, stream, stream_length), &result);
  return result;
}

/* filled(handle): how many pages are in by now; -1 - count where the one after them was not authentic */
static napi_value filled(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!arguments(env, info, 1, values)) return NULL;
  owner *o = unwrap(env, values[0], 1);
  if (o == NULL) return NULL;
  if (o->instance->filling == NULL) {
    throw_type(env, "argument is a handle that nothing fills");
    return NULL;
  }
  int has_failed;
  const double count = mlc_pager_fetched(o->instance->pager, &has_failed);
  return number(env, has_failed ? -1 - count : count);
}

/* unload(handle, program): whether there was such a program */
static napi_value unload(napi_env env, napi_callback_info info) {
  napi_value values[2], result = NULL;
  double program;
  if (!arguments(env, info, 2, values)) return NULL;
  owner *o = unwrap(env, values[0], 1);
  if (o == NULL || !integer(env, values[1], 0, UINT32_MAX, &program)) return NULL;
  napi_get_boolean(env, mlc_instance_unload(o->instance, (uint32_t)program), &result);
  return result;
}

/* Whether the buffer was there and is detached now. One that somebody else has detached lives on elsewhere. */
static int detach(napi_env env, napi_value buffer) {
  bool detached = false;
  return buffer != NULL && napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && !detached &&
         napi_detach_arraybuffer(env, buffer) == napi_ok;
}

/* grow(handle, memorySizeBytes): whether kernels have that much now; the ArrayBuffer of before is detached then */
static napi_value grow(napi_env env, napi_callback_info info) {
  napi_value values[2], buffer = NULL, result = NULL;
  double size;
  if (!arguments(env, info, 2, values)) return NULL;
  owner *o = unwrap(env, values[0], 1);
  if (o == NULL || !integer(env, values[1], 1, 4294967296.0, &size)) return NULL;
  const int grown = mlc_instance_grow(o->instance, (uint64_t)size);
  if (grown && o->buffer != NULL) {
    napi_get_reference_value(env, o->buffer, &buffer);
    if (!detach(env, buffer)) o->is_taken = 1;
    napi_delete_reference(env, o->buffer);
    o->buffer = NULL;
  }
  napi_get_boolean(env, grown, &result);
  return result;
}

/* run(handle, program, firstStep, stepCount): 0 where there are no such steps now, 1, or 2 where a page was not authentic */
static napi_value run(napi_env env, napi_callback_info info) {
  napi_value values[4];
  double program, first, count;
  if (!arguments(env, info, 4, values)) return NULL;
  owner *o = unwrap(env, values[0], 1);
  if (o == NULL || !integer(env, values[1], 0, UINT32_MAX, &program) ||
      !integer(env, values[2], 0, UINT32_MAX, &first) || !integer(env, values[3], 0, UINT32_MAX, &count)) {
    return NULL;
  }
  return number(env, mlc_instance_run(o->instance, (uint32_t)program, (uint32_t)first, (uint32_t)count));
}

/* selfTest(handle): 0, or the number of the test that failed */
static napi_value self_test(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!arguments(env, info, 1, values)) return NULL;
  owner *o = unwrap(env, values[0], 1);
  return o == NULL ? NULL : number(env, mlc_self_test(&o->instance->context));
}

/* dispose(handle): wipes; detaches the ArrayBuffer, so that views become empty, then unmaps */
static napi_value dispose(napi_env env, napi_callback_info info) {
  napi_value values[1], buffer = NULL;
  if (!arguments(env, info, 1, values)) return NULL;
  owner *o = unwrap(env, values[0], 0);
  if (o == NULL || o->instance->context.memory == NULL) return NULL;
  mlc_instance_close(o->instance);
  if (o->buffer != NULL) {
    napi_get_reference_value(env, o->buffer, &buffer);
    /* The zeroed pages of a buffer that lives on elsewhere stay until its finalizer. */
    if (detach(env, buffer) && !o->is_taken) {
      mlc_instance_unmap(o->memory, o->mapped_size_bytes);
      o->memory = NULL;
    }
    napi_delete_reference(env, o->buffer);
    o->buffer = NULL;
  }
  return NULL;
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback callback;
  } functions[] = {{"listIsas", list_isas}, {"create", create},    {"memory", memory},      {"load", load},      {"unload", unload},
                   {"attachPages", attach_pages}, {"detachPages", detach_pages}, {"fill", fill}, {"filled", filled},
                   {"grow", grow},          {"run", run},       {"selfTest", self_test}, {"dispose", dispose}};
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback, NULL, &function) !=
            napi_ok ||
        napi_set_named_property(env, exports, functions[i].name, function) != napi_ok) {
      return NULL;
    }
  }
  return exports;
}
