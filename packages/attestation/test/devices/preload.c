// SPDX-License-Identifier: Apache-2.0
// Loaded before the C library into a test's process, for what plain files cannot be:
// - under EMULATED_TSM_DIR, making a folder waits until the emulation has filled it, and removing one removes its files,
//   as configfs does both at once;
// - EMULATED_MKDIR_ERRNO refuses such a folder.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_emulated(const char *path) {
  const char *folder = getenv("EMULATED_TSM_DIR");
  return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

int mkdir(const char *path, mode_t mode) {
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

int rmdir(const char *path) {
  int (*next)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "rmdir");
  DIR *folder = is_emulated(path) ? opendir(path) : NULL;
  if (folder != NULL) {
    for (struct dirent *it = readdir(folder); it != NULL; it = readdir(folder)) unlinkat(dirfd(folder), it->d_name, 0);
    closedir(folder);
  }
  return next(path);
}
