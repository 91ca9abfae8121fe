// SPDX-License-Identifier: Apache-2.0
// Asks the Nitro security module: one request, one answer, both CBOR that is not looked into here.
//   request(path, bytes) -> Uint8Array
// Numbers and structures are those of Linux, include/uapi/linux/nsm.h, which older systems do not have.
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uv.h>

#define REQUEST_MAX_SIZE_BYTES 0x1000
#define RESPONSE_MAX_SIZE_BYTES 0x3000

struct nsm_iovec {
  uint64_t address;
  uint64_t size_bytes;
};

struct nsm_raw {
  struct nsm_iovec request;
  struct nsm_iovec response;
};

#define NSM_IOCTL_RAW _IOWR(0x0A, 0x0, struct nsm_raw)

static napi_value fail(napi_env env, const char *code, const char *what) {
  napi_throw_error(env, code, what);
  return NULL;
}

static napi_value fail_with(napi_env env, int number, const char *what) {
  return fail(env, uv_err_name(-number), what);
}

// The answer's size, or the negative number of an error.
static int64_t ask(const char *path, const uint8_t *request, size_t request_size_bytes, uint8_t *response) {
  int device = open(path, O_RDWR | O_CLOEXEC);
  if (device < 0) return -errno;
  struct nsm_raw message = {
      .request = {(uint64_t)(uintptr_t)request, request_size_bytes},
      .response = {(uint64_t)(uintptr_t)response, RESPONSE_MAX_SIZE_BYTES},
  };
  int status = ioctl(device, NSM_IOCTL_RAW, &message);
  int64_t outcome = status < 0 ? -errno : (int64_t)message.response.size_bytes;
  close(device);
  // The host drives this device, and what it says of sizes is not trusted.
  if (status >= 0 && message.response.size_bytes > RESPONSE_MAX_SIZE_BYTES) return -EMSGSIZE;
  return outcome;
}

static napi_value request(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  size_t count = 2, path_size_bytes, size_bytes;
  char path[4096];
  napi_typedarray_type type;
  void *data;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 2 ||
      napi_get_value_string_utf8(env, arguments[0], path, sizeof path, &path_size_bytes) != napi_ok ||
      path_size_bytes + 1 >= sizeof path || strlen(path) != path_size_bytes ||
      napi_get_typedarray_info(env, arguments[1], &type, &size_bytes, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array || size_bytes == 0 || size_bytes > REQUEST_MAX_SIZE_BYTES) {
    return fail(env, "EINVAL", "expected the path of a device, and 1 to 4096 bytes");
  }
  // A driver that says more than it wrote gives zeros, not what was on the stack.
  uint8_t response[RESPONSE_MAX_SIZE_BYTES] = {0};
  int64_t response_size_bytes = ask(path, data, size_bytes, response);
  if (response_size_bytes < 0) return fail_with(env, (int)-response_size_bytes, "the device does not answer");
  napi_value buffer, bytes;
  void *target;
  if (napi_create_arraybuffer(env, (size_t)response_size_bytes, &target, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, (size_t)response_size_bytes, buffer, 0, &bytes) != napi_ok) {
    return fail(env, "ENOMEM", "the answer could not be handed over");
  }
  if (response_size_bytes > 0) memcpy(target, response, (size_t)response_size_bytes);
  return bytes;
}

static napi_value init(napi_env env, napi_value exports) {
  const napi_property_descriptor property = {"request", NULL, request, NULL, NULL, NULL, napi_enumerable, NULL};
  if (napi_define_properties(env, exports, 1, &property) != napi_ok) return fail(env, NULL, "the addon could not start");
  return exports;
}

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
