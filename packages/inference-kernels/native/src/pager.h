/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that opens pages of weights ahead of the thread that computes with them, which helps where it would have to wait.
 * The two tell each other only how far they have come: how many fetches are begun and done, and how many records.
 */
#ifndef MLC_PAGER_H
#define MLC_PAGER_H

#include <stdint.h>

#include "pages.h"

/* What has to be where in memory, and when: WeightStream of @mlcapsule/contracts. */
typedef struct {
  uint32_t fetch_count, record_count;
  uint32_t *pages, *addresses, *freed_by; /* one for each fetch */
  uint32_t *needed_by;                    /* one for each record */
} mlc_stream;

/*
 * Copies a stream out of one list of words: fetch_count, then pages, addresses, freed_by, needed_by. Checks that all of it
 * lies in the memory and among the pages, and that no record waits for a fetch that waits for it. NULL otherwise.
 */
mlc_stream *mlc_stream_copy(const uint32_t *words, size_t word_count, uint32_t record_count, const mlc_pages *pages,
                            uint64_t memory_size_bytes);
void mlc_stream_free(mlc_stream *stream);

typedef struct mlc_pager mlc_pager;

/* Takes the pages, also where it fails. NULL where there is no thread to be had. */
mlc_pager *mlc_pager_create(mlc_pages *pages, uint8_t *memory);
const mlc_pages *mlc_pager_pages(const mlc_pager *pager);

/* Begins with the first fetch of a stream, which has to stay where it is until the next one begins, or NULL does. */
void mlc_pager_begin(mlc_pager *pager, const mlc_stream *stream);
/* How many fetches are done by now; none of those after them where one failed, which `has_failed` tells. */
uint32_t mlc_pager_fetched(mlc_pager *pager, int *has_failed);
/* Waits until so many fetches are done, and does some itself meanwhile. 0 where one of them failed. */
int mlc_pager_wait(mlc_pager *pager, uint32_t fetch_count);
/* So many records of the stream are done. */
void mlc_pager_release(mlc_pager *pager, uint32_t record_count);

void mlc_pager_destroy(mlc_pager *pager);

#endif
