/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* madvise */
#include "pages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint8_t *copy_of(const uint8_t *bytes, size_t size_bytes) {
  uint8_t *copy = malloc(size_bytes == 0 ? 1 : size_bytes);
  if (copy != NULL && size_bytes > 0) memcpy(copy, bytes, size_bytes);
  return copy;
}

static size_t sealed_size_bytes(uint32_t page_size_bytes) { return (size_t)page_size_bytes + MLC_CIPHER_TAG_SIZE_BYTES; }

static int map_file(mlc_pages *pages, const mlc_pages_source *source) {
  struct stat status;
  const uint64_t size_bytes = sealed_size_bytes(source->page_size_bytes) * (uint64_t)source->page_count;
  if (fstat(source->fd, &status) != 0 || status.st_size < 0 || source->offset_bytes > (uint64_t)status.st_size ||
      size_bytes > (uint64_t)status.st_size - source->offset_bytes) {
    return 0;
  }
  const uint64_t unit = (uint64_t)sysconf(_SC_PAGESIZE), before = source->offset_bytes % unit;
  void *mapping = mmap(NULL, before + size_bytes, PROT_READ, MAP_SHARED, source->fd, (off_t)(source->offset_bytes - before));
  if (mapping == MAP_FAILED) return 0;
  pages->mapping = mapping;
  pages->mapping_size_bytes = before + size_bytes;
  pages->first = pages->mapping + before;
  (void)madvise(mapping, pages->mapping_size_bytes, MADV_WILLNEED);
  return 1;
}

mlc_pages *mlc_pages_open(const mlc_pages_source *source) {
  mlc_pages *pages = calloc(1, sizeof *pages);
  if (pages == NULL) return NULL;
  pages->page_size_bytes = source->page_size_bytes;
  pages->page_count = source->page_count;
  pages->associated_data_size_bytes = source->associated_data_size_bytes;
  pages->nonces = copy_of(source->nonces, (size_t)source->page_count * MLC_CIPHER_NONCE_SIZE_BYTES);
  pages->associated_data =
      copy_of(source->associated_data, (size_t)source->page_count * source->associated_data_size_bytes);
  pages->cipher = mlc_cipher_create(source->key);
  if (pages->nonces != NULL && pages->associated_data != NULL && pages->cipher != NULL && map_file(pages, source)) return pages;
  mlc_pages_close(pages);
  return NULL;
}

int mlc_pages_read(const mlc_pages *pages, uint32_t page, uint8_t *to) {
  const uint8_t *sealed = pages->first + sealed_size_bytes(pages->page_size_bytes) * page;
  return mlc_cipher_open(pages->cipher, pages->nonces + (size_t)page * MLC_CIPHER_NONCE_SIZE_BYTES,
                         pages->associated_data + (size_t)page * pages->associated_data_size_bytes,
                         pages->associated_data_size_bytes, sealed, pages->page_size_bytes, to);
}

void mlc_pages_close(mlc_pages *pages) {
  if (pages->mapping != NULL) munmap(pages->mapping, pages->mapping_size_bytes);
  if (pages->cipher != NULL) mlc_cipher_destroy(pages->cipher);
  free(pages->nonces);
  free(pages->associated_data);
  free(pages);
}
