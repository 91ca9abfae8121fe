/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* explicit_bzero, posix_fadvise */
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Small enough to be opened while it is still in a second-level cache. */
#define PIECE_SIZE_BYTES 65536u

static uint8_t *copy_of(const uint8_t *bytes, size_t size_bytes) {
  uint8_t *copy = malloc(size_bytes == 0 ? 1 : size_bytes);
  if (copy != NULL && size_bytes > 0) memcpy(copy, bytes, size_bytes);
  return copy;
}

static size_t sealed_size_bytes(uint32_t page_size_bytes) { return (size_t)page_size_bytes + MLC_CIPHER_TAG_SIZE_BYTES; }

static int take_file(mlc_pages *pages, const mlc_pages_source *source) {
  struct stat status;
  const uint64_t size_bytes = sealed_size_bytes(source->page_size_bytes) * (uint64_t)source->page_count;
  if (fstat(source->fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < 0 ||
      source->offset_bytes > (uint64_t)status.st_size || size_bytes > (uint64_t)status.st_size - source->offset_bytes) {
    return 0;
  }
  pages->fd = fcntl(source->fd, F_DUPFD_CLOEXEC, 0);
  if (pages->fd < 0) return 0;
#if defined(POSIX_FADV_SEQUENTIAL)
  (void)posix_fadvise(pages->fd, (off_t)source->offset_bytes, (off_t)size_bytes, POSIX_FADV_SEQUENTIAL);
#endif
  return 1;
}

mlc_pages *mlc_pages_open(const mlc_pages_source *source) {
  mlc_pages *pages = calloc(1, sizeof *pages);
  if (pages == NULL) return NULL;
  pages->fd = -1;
  pages->offset_bytes = source->offset_bytes;
  pages->page_size_bytes = source->page_size_bytes;
  pages->page_count = source->page_count;
  pages->associated_data_size_bytes = source->associated_data_size_bytes;
  pages->nonces = copy_of(source->nonces, (size_t)source->page_count * MLC_CIPHER_NONCE_SIZE_BYTES);
  pages->associated_data =
      copy_of(source->associated_data, (size_t)source->page_count * source->associated_data_size_bytes);
  int has_ciphers = 1;
  for (uint32_t lane = 0; lane < MLC_PAGES_LANE_COUNT; lane++) {
    pages->ciphers[lane] = mlc_cipher_create(source->key);
    has_ciphers = has_ciphers && pages->ciphers[lane] != NULL;
  }
  if (pages->nonces != NULL && pages->associated_data != NULL && has_ciphers && take_file(pages, source)) return pages;
  mlc_pages_close(pages);
  return NULL;
}

static int read_fully(int fd, uint8_t *to, size_t size_bytes, uint64_t offset_bytes) {
  for (size_t done = 0; done < size_bytes;) {
    const ssize_t count = pread(fd, to + done, size_bytes - done, (off_t)(offset_bytes + done));
    if (count > 0) {
      done += (size_t)count;
    } else if (count == 0 || errno != EINTR) {
      return 0;
    }
  }
  return 1;
}

int mlc_pages_read(const mlc_pages *pages, uint32_t lane, uint32_t page, uint8_t *to) {
  mlc_cipher *cipher = pages->ciphers[lane];
  const size_t size_bytes = pages->page_size_bytes;
  const uint64_t offset_bytes = pages->offset_bytes + sealed_size_bytes(pages->page_size_bytes) * (uint64_t)page;
  uint8_t tag[MLC_CIPHER_TAG_SIZE_BYTES];
  int ok = mlc_cipher_begin(cipher, pages->nonces + (size_t)page * MLC_CIPHER_NONCE_SIZE_BYTES,
                            pages->associated_data + (size_t)page * pages->associated_data_size_bytes,
                            pages->associated_data_size_bytes);
  for (size_t at = 0; ok && at < size_bytes; at += PIECE_SIZE_BYTES) {
    const size_t count = size_bytes - at < PIECE_SIZE_BYTES ? size_bytes - at : PIECE_SIZE_BYTES;
    ok = read_fully(pages->fd, to + at, count, offset_bytes + at) && mlc_cipher_open(cipher, to + at, count);
  }
  ok = ok && read_fully(pages->fd, tag, sizeof tag, offset_bytes + size_bytes) && mlc_cipher_end(cipher, tag);
  if (!ok) explicit_bzero(to, size_bytes);
  return ok;
}

void mlc_pages_close(mlc_pages *pages) {
  if (pages->fd >= 0) close(pages->fd);
  for (uint32_t lane = 0; lane < MLC_PAGES_LANE_COUNT; lane++) {
    if (pages->ciphers[lane] != NULL) mlc_cipher_destroy(pages->ciphers[lane]);
  }
  free(pages->nonces);
  free(pages->associated_data);
  free(pages);
}
