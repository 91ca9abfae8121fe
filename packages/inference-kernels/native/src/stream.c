/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "pager.h"

static int is_sound(const mlc_stream *s, const mlc_pages *pages, uint64_t memory_size_bytes) {
  for (uint32_t i = 0; i < s->fetch_count; i++) {
    if (s->pages[i] >= pages->page_count || s->addresses[i] % 64 != 0 ||
        (uint64_t)s->addresses[i] + pages->page_size_bytes > memory_size_bytes) {
      return 0;
    }
  }
  /* Fetches are done in order: one that waits for a record must not be needed by it, or by one before it. */
  uint32_t fetch = 0;
  for (uint32_t record = 0; record < s->record_count; record++) {
    const uint32_t needed = s->needed_by[record];
    if (needed < fetch || needed > s->fetch_count) return 0;
    for (; fetch < needed; fetch++) {
      if (s->freed_by[fetch] > record) return 0;
    }
  }
  return fetch == s->fetch_count;
}

mlc_stream *mlc_stream_copy(const uint32_t *words, size_t word_count, uint32_t record_count, const mlc_pages *pages,
                            uint64_t memory_size_bytes) {
  if (word_count == 0 || word_count != 1 + 3 * (uint64_t)words[0] + record_count) return NULL;
  mlc_stream *stream = malloc(sizeof *stream + (word_count - 1) * sizeof(uint32_t));
  if (stream == NULL) return NULL;
  uint32_t *lists = (uint32_t *)(stream + 1);
  memcpy(lists, words + 1, (word_count - 1) * sizeof(uint32_t));
  const uint32_t count = words[0];
  *stream = (mlc_stream){.fetch_count = count,
                         .record_count = record_count,
                         .pages = lists,
                         .addresses = lists + count,
                         .freed_by = lists + 2 * (size_t)count,
                         .needed_by = lists + 3 * (size_t)count};
  if (is_sound(stream, pages, memory_size_bytes)) return stream;
  mlc_stream_free(stream);
  return NULL;
}

void mlc_stream_free(mlc_stream *stream) { free(stream); }
