// SPDX-License-Identifier: Apache-2.0
// Memory that two processes map: made by the host, inherited by the enclave as a file descriptor.
//   create(sizeBytes)      -> { fd, buffer }   anonymous memory file, sealed against resizing, close-on-exec
//   map(fd, sizeBytes)     -> ArrayBuffer      the same memory in the other process
//   closeFd(fd)            -> undefined
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// One ring is a few MiB; this only bounds a mistake.
static const int64_t max_size_bytes = INT64_C(1) << 30;

static napi_value fail(napi_env env, const char *what) {
  napi_throw_error(env, NULL, what);
  return NULL;
}

static bool read_arguments(napi_env env, napi_callback_info info, size_t count, int64_t *values) {
  napi_value arguments[2];
  size_t found = 2;
  if (napi_get_cb_info(env, info, &found, arguments, NULL, NULL) != napi_ok || found != count) return false;
  for (size_t i = 0; i < count; i++) {
    double exact;
    if (napi_get_value_double(env, arguments[i], &exact) != napi_ok) return false;
    if (!(exact >= 0 && exact <= (double)max_size_bytes)) return false;
    values[i] = (int64_t)exact;
    if ((double)values[i] != exact) return false;
  }
  return true;
}

static void unmap(napi_env env, void *data, void *hint) {
  (void)env;
  munmap(data, (size_t)(uintptr_t)hint);
}

// Maps the file and hands the mapping to the garbage collector.
static napi_value map_buffer(napi_env env, int fd, size_t size_bytes) {
  void *data = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return fail(env, "the shared memory could not be mapped");
  napi_value buffer;
  napi_status status =
      napi_create_external_arraybuffer(env, data, size_bytes, unmap, (void *)(uintptr_t)size_bytes, &buffer);
  if (status != napi_ok) {
    munmap(data, size_bytes);
    return fail(env, "this engine does not take memory from outside");
  }
  return buffer;
}

static napi_value create(napi_env env, napi_callback_info info) {
  int64_t size_bytes;
  if (!read_arguments(env, info, 1, &size_bytes) || size_bytes == 0) return fail(env, "expected a size in bytes");
  int fd = memfd_create("mlcapsule-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return fail(env, "no anonymous memory file could be made");
  // Sealed: were the file cut short, reading the mapping would kill the other side.
  if (ftruncate(fd, size_bytes) != 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    close(fd);
    return fail(env, "the memory file could not be sized and sealed");
  }
  napi_value buffer = map_buffer(env, fd, (size_t)size_bytes);
  napi_value result, descriptor;
  if (buffer == NULL) {
    close(fd);
    return NULL;
  }
  if (napi_create_object(env, &result) != napi_ok || napi_create_int32(env, fd, &descriptor) != napi_ok ||
      napi_set_named_property(env, result, "fd", descriptor) != napi_ok ||
      napi_set_named_property(env, result, "buffer", buffer) != napi_ok) {
    close(fd);
    return fail(env, "the result could not be made");
  }
  return result;
}

static napi_value map(napi_env env, napi_callback_info info) {
  int64_t values[2];
  if (!read_arguments(env, info, 2, values) || values[1] == 0) return fail(env, "expected a descriptor and a size");
  int fd = (int)values[0];
  struct stat status;
  int seals = fcntl(fd, F_GET_SEALS);
  if (fstat(fd, &status) != 0 || seals < 0 || status.st_size != values[1] || !(seals & F_SEAL_SHRINK)) {
    return fail(env, "the descriptor is not a sealed memory file of this size");
  }
  return map_buffer(env, fd, (size_t)values[1]);
}

static napi_value close_fd(napi_env env, napi_callback_info info) {
  int64_t fd;
  if (!read_arguments(env, info, 1, &fd)) return fail(env, "expected a descriptor");
  close((int)fd);
  return NULL;
}

static napi_value init(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"create", NULL, create, NULL, NULL, NULL, napi_enumerable, NULL},
      {"map", NULL, map, NULL, NULL, NULL, napi_enumerable, NULL},
      {"closeFd", NULL, close_fd, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  if (napi_define_properties(env, exports, 3, properties) != napi_ok) return fail(env, "the addon could not start");
  return exports;
}

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
