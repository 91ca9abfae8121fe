/* SPDX-License-Identifier: Apache-2.0 */
#include "pager.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/platform.h"

/* Each thread reads on a lane of its own. */
enum { PAGER_LANE, CALLER_LANE };

/* A page takes some 100 microseconds, waking a thread some 50: that long either side looks before it sleeps. */
#define SPIN_COUNT 2000

struct mlc_pager {
  mlc_pages *pages;
  uint8_t *memory;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  const mlc_stream *stream;    /* written under the mutex, by the thread that computes; is_busy too */
  int is_busy;
  _Atomic uint32_t claimed, fetched, released; /* fetches that somebody has begun with, fetches, records */
  _Atomic int has_failed, is_cancelled, is_stopping;
  _Atomic uint32_t sleeper_count;
};

/* Wakes whoever sleeps. Whoever goes to sleep counts himself first and then looks again, so that no change is missed. */
static void announce(mlc_pager *pager) {
  if (atomic_load(&pager->sleeper_count) == 0) return;
  pthread_mutex_lock(&pager->mutex);
  pthread_cond_broadcast(&pager->changed);
  pthread_mutex_unlock(&pager->mutex);
}

static int is_free(mlc_pager *pager, uint32_t record_count) {
  return atomic_load(&pager->released) >= record_count || atomic_load(&pager->is_cancelled);
}

static int is_fetched(mlc_pager *pager, uint32_t fetch_count) {
  return atomic_load(&pager->fetched) >= fetch_count || atomic_load(&pager->has_failed);
}

static void await(mlc_pager *pager, int (*condition)(mlc_pager *, uint32_t), uint32_t count) {
  for (int i = 0; i < SPIN_COUNT; i++) {
    if (condition(pager, count)) return;
    MLC_PAUSE();
  }
  pthread_mutex_lock(&pager->mutex);
  atomic_fetch_add(&pager->sleeper_count, 1);
  while (!condition(pager, count)) pthread_cond_wait(&pager->changed, &pager->mutex);
  atomic_fetch_sub(&pager->sleeper_count, 1);
  pthread_mutex_unlock(&pager->mutex);
}

static int is_turn(mlc_pager *pager, uint32_t fetch) {
  return atomic_load(&pager->fetched) == fetch || atomic_load(&pager->has_failed) || atomic_load(&pager->is_cancelled);
}

/* A fetch that this thread has claimed and that is free. Fetches are done in order, whoever is the faster one. */
static void fetch(mlc_pager *pager, const mlc_stream *stream, uint32_t lane, uint32_t i) {
  const int is_right = mlc_pages_read(pager->pages, lane, stream->pages[i], pager->memory + stream->addresses[i]);
  await(pager, is_turn, i);
  if (atomic_load(&pager->fetched) != i) return;
  if (is_right) atomic_store(&pager->fetched, i + 1);
  else atomic_store(&pager->has_failed, 1);
  announce(pager);
}

static void fetch_all(mlc_pager *pager, const mlc_stream *stream) {
  for (;;) {
    const uint32_t i = atomic_fetch_add(&pager->claimed, 1);
    if (i >= stream->fetch_count) return;
    await(pager, is_free, stream->freed_by[i]);
    if (atomic_load(&pager->is_cancelled)) return;
    fetch(pager, stream, PAGER_LANE, i);
    if (atomic_load(&pager->has_failed) || atomic_load(&pager->is_cancelled)) return;
  }
}

/*
 * Instead of waiting: where records take less time than their pages, the thread that computes would do nothing else. Only
 * what it waits for: of a sound stream, neither that nor any fetch before it waits for a record that is still to come.
 */
static int fetch_one(mlc_pager *pager, uint32_t fetch_count) {
  uint32_t i = atomic_load(&pager->claimed);
  if (i >= fetch_count || !atomic_compare_exchange_strong(&pager->claimed, &i, i + 1)) return 0;
  fetch(pager, pager->stream, CALLER_LANE, i);
  return 1;
}

static void *thread_main(void *argument) {
  mlc_pager *pager = argument;
  pthread_mutex_lock(&pager->mutex);
  for (;;) {
    while (!pager->is_busy && !atomic_load(&pager->is_stopping)) pthread_cond_wait(&pager->changed, &pager->mutex);
    if (atomic_load(&pager->is_stopping)) break;
    const mlc_stream *stream = pager->stream;
    pthread_mutex_unlock(&pager->mutex);
    fetch_all(pager, stream);
    pthread_mutex_lock(&pager->mutex);
    pager->is_busy = 0;
    pthread_cond_broadcast(&pager->changed);
  }
  pthread_mutex_unlock(&pager->mutex);
  return NULL;
}

/* Under the mutex: ends what is being fetched. */
static void interrupt(mlc_pager *pager) {
  atomic_store(&pager->is_cancelled, 1);
  pthread_cond_broadcast(&pager->changed);
  while (pager->is_busy) pthread_cond_wait(&pager->changed, &pager->mutex);
}

mlc_pager *mlc_pager_create(mlc_pages *pages, uint8_t *memory) {
  mlc_pager *pager = calloc(1, sizeof *pager);
  if (pager != NULL) {
    pager->pages = pages;
    pager->memory = memory;
    pthread_mutex_init(&pager->mutex, NULL);
    pthread_cond_init(&pager->changed, NULL);
    if (pthread_create(&pager->thread, NULL, thread_main, pager) == 0) return pager;
    pthread_mutex_destroy(&pager->mutex);
    pthread_cond_destroy(&pager->changed);
    free(pager);
  }
  mlc_pages_close(pages);
  return NULL;
}

const mlc_pages *mlc_pager_pages(const mlc_pager *pager) { return pager->pages; }

void mlc_pager_begin(mlc_pager *pager, const mlc_stream *stream) {
  pthread_mutex_lock(&pager->mutex);
  interrupt(pager);
  atomic_store(&pager->claimed, 0);
  atomic_store(&pager->fetched, 0);
  atomic_store(&pager->released, 0);
  atomic_store(&pager->has_failed, 0);
  atomic_store(&pager->is_cancelled, 0);
  pager->stream = stream;
  pager->is_busy = stream != NULL;
  pthread_cond_broadcast(&pager->changed);
  pthread_mutex_unlock(&pager->mutex);
}

uint32_t mlc_pager_fetched(mlc_pager *pager, int *has_failed) {
  *has_failed = atomic_load(&pager->has_failed); /* first: what follows is final then */
  return atomic_load(&pager->fetched);
}

int mlc_pager_wait(mlc_pager *pager, uint32_t fetch_count) {
  while (!is_fetched(pager, fetch_count)) {
    if (!fetch_one(pager, fetch_count)) await(pager, is_fetched, fetch_count);
  }
  return atomic_load(&pager->fetched) >= fetch_count;
}

void mlc_pager_release(mlc_pager *pager, uint32_t record_count) {
  atomic_store(&pager->released, record_count);
  announce(pager);
}

void mlc_pager_destroy(mlc_pager *pager) {
  pthread_mutex_lock(&pager->mutex);
  interrupt(pager);
  atomic_store(&pager->is_stopping, 1);
  pthread_cond_broadcast(&pager->changed);
  pthread_mutex_unlock(&pager->mutex);
  pthread_join(pager->thread, NULL);
  pthread_mutex_destroy(&pager->mutex);
  pthread_cond_destroy(&pager->changed);
  mlc_pages_close(pager->pages);
  free(pager);
}
