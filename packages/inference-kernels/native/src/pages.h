/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed pages of a file: a ciphertext and its tag one after another. All of it is untrusted, and may change or end while it
 * is read. So it is not mapped: reading beyond the end of a mapped file ends the process.
 */
#ifndef MLC_PAGES_H
#define MLC_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "cipher.h"

typedef struct {
  int fd;
  uint64_t offset_bytes;       /* of the first page in the file */
  uint32_t page_size_bytes;    /* of its plaintext */
  uint32_t page_count;
  const uint8_t *key;          /* MLC_CIPHER_KEY_SIZE_BYTES */
  const uint8_t *nonces;       /* MLC_CIPHER_NONCE_SIZE_BYTES for each page */
  const uint8_t *associated_data; /* associated_data_size_bytes for each page */
  uint32_t associated_data_size_bytes;
} mlc_pages_source;

/* As many threads may read pages at a time, each on a lane of its own. */
#define MLC_PAGES_LANE_COUNT 2u

typedef struct {
  int fd; /* our own; -1 for none */
  uint64_t offset_bytes;
  uint32_t page_size_bytes, page_count, associated_data_size_bytes;
  uint8_t *nonces, *associated_data;
  mlc_cipher *ciphers[MLC_PAGES_LANE_COUNT];
} mlc_pages;

/* Copies what the source points to. NULL where it is no file or a shorter one, or there is no cipher. */
mlc_pages *mlc_pages_open(const mlc_pages_source *source);

/*
 * Whether the page, below page_count, is there and the authentic one; `to` then holds its plaintext, otherwise zeros. Each
 * byte of the file is read once, into `to`, and opened there.
 */
int mlc_pages_read(const mlc_pages *pages, uint32_t lane, uint32_t page, uint8_t *to);

void mlc_pages_close(mlc_pages *pages);

#endif
