// SPDX-License-Identifier: Apache-2.0
// Loaded before the C library into a test's process, for what plain files cannot be:
// - paths that begin with EMULATED_FROM begin with EMULATED_TO instead;
// - under EMULATED_TSM_DIR, making a folder waits until the emulation has filled it, and removing one removes its files,
//   as configfs does both at once;
// - EMULATED_MKDIR_ERRNO refuses such a folder;
// - with EMULATED_NSM_REQUEST, a plain file is a Nitro security module: it answers with what it holds, and says so even
//   if that is more than the caller has room for; what it was asked goes into the file that the variable names;
// - EMULATED_NSM_ERRNO refuses the question.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

// Where the path leads: itself, or in the buffer.
static const char *redirected(const char *path, char *buffer, size_t size_bytes) {
  const char *from = getenv("EMULATED_FROM"), *to = getenv("EMULATED_TO");
  if (from == NULL || to == NULL || strncmp(path, from, strlen(from)) != 0) return path;
  snprintf(buffer, size_bytes, "%s%s", to, path + strlen(from));
  return buffer;
}

static int open_redirected(const char *name, const char *path, int flags, mode_t mode) {
  int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
  char buffer[4096];
  return next(redirected(path, buffer, sizeof buffer), flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_redirected("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_redirected("open64", path, flags, mode);
}

static int is_emulated(const char *path) {
  const char *folder = getenv("EMULATED_TSM_DIR");
  return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

int mkdir(const char *given, mode_t mode) {
  char buffer[4096];
  const char *path = redirected(given, buffer, sizeof buffer);
  int (*next)(const char *, mode_t) = (int (*)(const char *, mode_t))dlsym(RTLD_NEXT, "mkdir");
  if (!is_emulated(path)) return next(path, mode);
  const char *refusal = getenv("EMULATED_MKDIR_ERRNO");
  if (refusal != NULL) {
    errno = atoi(refusal);
    return -1;
  }
  int result = next(path, mode);
  char last[4096];
  snprintf(last, sizeof last, "%s/ready", path);
  for (int i = 0; result == 0 && access(last, F_OK) != 0 && i < 10000; i++) usleep(1000);
  return result;
}

int rmdir(const char *given) {
  char buffer[4096];
  const char *path = redirected(given, buffer, sizeof buffer);
  int (*next)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "rmdir");
  DIR *folder = is_emulated(path) ? opendir(path) : NULL;
  if (folder != NULL) {
    for (struct dirent *it = readdir(folder); it != NULL; it = readdir(folder)) unlinkat(dirfd(folder), it->d_name, 0);
    closedir(folder);
  }
  return next(path);
}

// Of Linux, include/uapi/linux/nsm.h.
struct nsm_raw {
  uint64_t request, request_size_bytes, response, response_size_bytes;
};

int ioctl(int device, unsigned long number, ...) {
  va_list rest;
  va_start(rest, number);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  const char *log = getenv("EMULATED_NSM_REQUEST");
  if (log == NULL || number != _IOWR(0x0A, 0x0, struct nsm_raw)) {
    int (*next)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    return next(device, number, argument);
  }
  struct nsm_raw *message = argument;
  int file = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ssize_t written = write(file, (void *)(uintptr_t)message->request, message->request_size_bytes);
  close(file);
  const char *refusal = getenv("EMULATED_NSM_ERRNO");
  struct stat status;
  if (refusal != NULL || written < 0 || fstat(device, &status) != 0) {
    errno = refusal == NULL ? EIO : atoi(refusal);
    return -1;
  }
  ssize_t taken = pread(device, (void *)(uintptr_t)message->response, message->response_size_bytes, 0);
  message->response_size_bytes = (uint64_t)status.st_size;
  return taken < 0 ? -1 : 0;
}
