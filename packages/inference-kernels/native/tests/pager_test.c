/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pager under the thread sanitizer, with a cipher that leaves bytes as they are: every record finds its pages, whoever
 * is the faster one, and pages that are slow are opened by both threads; a page that fails, or that the file has lost meanwhile, ends the run; what is begun anew or destroyed
 * midway leaves nothing behind.
 */
#include "pager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_SIZE_BYTES 256u
#define PAGE_COUNT 64u
#define MOST_PAGES (PAGE_COUNT + 1) /* that are ever asked for: one more than there are */
#define RING_PAGE_COUNT 6u
#define SEALED_SIZE_BYTES (PAGE_SIZE_BYTES + MLC_CIPHER_TAG_SIZE_BYTES)

struct mlc_cipher {
  uint32_t slowness;
  uint8_t wanted_tag;
};

mlc_cipher *mlc_cipher_create(const uint8_t key[MLC_CIPHER_KEY_SIZE_BYTES]) {
  mlc_cipher *cipher = malloc(sizeof *cipher);
  if (cipher != NULL) cipher->slowness = key[0];
  return cipher;
}

void mlc_cipher_destroy(mlc_cipher *cipher) { free(cipher); }

int mlc_cipher_begin(mlc_cipher *cipher, const uint8_t nonce[MLC_CIPHER_NONCE_SIZE_BYTES], const uint8_t *associated_data,
                     size_t associated_data_size_bytes) {
  cipher->wanted_tag = nonce[0];
  return associated_data_size_bytes == 1 && associated_data[0] == nonce[0];
}

int mlc_cipher_open(mlc_cipher *cipher, uint8_t *piece, size_t size_bytes) {
  (void)piece;
  for (volatile uint32_t i = 0; i < cipher->slowness * 1000u; i++) continue;
  return size_bytes == PAGE_SIZE_BYTES;
}

int mlc_cipher_end(mlc_cipher *cipher, uint8_t tag[MLC_CIPHER_TAG_SIZE_BYTES]) { return tag[0] == cipher->wanted_tag; }

static uint32_t failures;
static uint8_t memory[RING_PAGE_COUNT * PAGE_SIZE_BYTES] __attribute__((aligned(64)));
static int fd;

static void check(int condition, const char *what) {
  if (condition) return;
  printf("%s\n", what);
  failures++;
}

static mlc_pages *open_pages(uint8_t slowness, uint32_t count) {
  uint8_t key[MLC_CIPHER_KEY_SIZE_BYTES] = {slowness}, nonces[MOST_PAGES * MLC_CIPHER_NONCE_SIZE_BYTES] = {0};
  uint8_t associated_data[MOST_PAGES];
  for (uint32_t i = 0; i < MOST_PAGES; i++) nonces[i * MLC_CIPHER_NONCE_SIZE_BYTES] = associated_data[i] = (uint8_t)i;
  const mlc_pages_source source = {fd, 3, PAGE_SIZE_BYTES, count, key, nonces, associated_data, 1};
  return mlc_pages_open(&source);
}

/* Record i reads page i and the one after it; pages follow one another in the ring. */
static uint32_t words[1 + 3 * PAGE_COUNT + PAGE_COUNT - 1];
static const size_t word_count = sizeof words / sizeof words[0];

static void fill_words(void) {
  words[0] = PAGE_COUNT;
  for (uint32_t i = 0; i < PAGE_COUNT; i++) {
    words[1 + i] = i;
    words[1 + PAGE_COUNT + i] = i % RING_PAGE_COUNT * PAGE_SIZE_BYTES;
    words[1 + 2 * PAGE_COUNT + i] = i < RING_PAGE_COUNT ? 0 : i - RING_PAGE_COUNT + 1;
  }
  for (uint32_t i = 0; i + 1 < PAGE_COUNT; i++) words[1 + 3 * PAGE_COUNT + i] = i + 2;
}

/* Records up to `end`, each of which takes a while. */
static int run(mlc_pager *pager, const mlc_stream *stream, uint32_t end, uint32_t slowness) {
  mlc_pager_begin(pager, stream);
  for (uint32_t record = 0; record < end; record++) {
    if (!mlc_pager_wait(pager, stream->needed_by[record])) return 0;
    for (uint32_t page = record; page < record + 2; page++) {
      const uint8_t *at = memory + page % RING_PAGE_COUNT * PAGE_SIZE_BYTES;
      for (uint32_t b = 0; b < PAGE_SIZE_BYTES; b++) check(at[b] == (uint8_t)(page + b), "another byte");
    }
    for (volatile uint32_t i = 0; i < slowness * 1000u; i++) continue;
    mlc_pager_release(pager, record + 1);
  }
  return 1;
}

/* What is in place while the pager goes on filling; all of it, or up to the page that fails. */
static uint32_t fill(mlc_pager *pager, const mlc_stream *stream) {
  mlc_pager_begin(pager, stream);
  uint32_t checked = 0;
  for (;;) {
    int has_failed;
    const uint32_t count = mlc_pager_fetched(pager, &has_failed);
    for (; checked < count; checked++) {
      const uint32_t page = stream->pages[checked];
      const uint8_t *at = memory + stream->addresses[checked];
      for (uint32_t b = 0; b < PAGE_SIZE_BYTES; b++) check(at[b] == (uint8_t)(page + b), "another byte is filled in");
    }
    if (has_failed || count == stream->fetch_count) return count;
  }
}

static void test_filling(mlc_pager *pager, const mlc_pages *pages) {
  uint32_t list[1 + 3 * RING_PAGE_COUNT + 1] = {RING_PAGE_COUNT};
  for (uint32_t i = 0; i < RING_PAGE_COUNT; i++) {
    list[1 + i] = PAGE_COUNT - RING_PAGE_COUNT + i;
    list[1 + RING_PAGE_COUNT + i] = (RING_PAGE_COUNT - 1 - i) * PAGE_SIZE_BYTES;
  }
  list[1 + 3 * RING_PAGE_COUNT] = RING_PAGE_COUNT;
  mlc_stream *stream = mlc_stream_copy(list, sizeof list / sizeof list[0], 1, pages, sizeof memory);
  check(stream != NULL, "what is to be filled is refused");
  check(fill(pager, stream) == RING_PAGE_COUNT, "not all is filled");
  const off_t end = 3 + PAGE_COUNT * (off_t)SEALED_SIZE_BYTES;
  check(ftruncate(fd, end - 2 * (off_t)SEALED_SIZE_BYTES - 1) == 0, "truncate");
  check(fill(pager, stream) == RING_PAGE_COUNT - 3, "pages that the file has lost");
  for (uint32_t b = 0; b < PAGE_SIZE_BYTES; b++) check(memory[2 * PAGE_SIZE_BYTES + b] == 0, "a failed page is left");
  mlc_pager_begin(pager, NULL);
  mlc_stream_free(stream);
}

static void write_file(void) {
  if (fd == 0) {
    FILE *file = tmpfile();
    check(file != NULL, "no file");
    if (file == NULL) exit(1);
    fd = fileno(file);
  }
  check(lseek(fd, 0, SEEK_SET) == 0, "seek");
  uint8_t page[SEALED_SIZE_BYTES] = {0};
  check(write(fd, page, 3) == 3, "write");
  for (uint32_t i = 0; i < PAGE_COUNT; i++) {
    for (uint32_t b = 0; b < PAGE_SIZE_BYTES; b++) page[b] = (uint8_t)(i + b);
    page[PAGE_SIZE_BYTES] = (uint8_t)i;
    check(write(fd, page, sizeof page) == (ssize_t)sizeof page, "write");
  }
}

static void test_streams(const mlc_pages *pages) {
  const uint32_t records = PAGE_COUNT - 1;
  const struct {
    size_t word;
    uint32_t value;
  } wrong[] = {{0, PAGE_COUNT + 1}, {1, PAGE_COUNT}, {1 + PAGE_COUNT, 32}, {1 + PAGE_COUNT, sizeof memory - 192},
               {1 + PAGE_COUNT, 0xffffffc0}, {1 + 2 * PAGE_COUNT, 1}, {1 + 3 * PAGE_COUNT, PAGE_COUNT + 1},
               {2 + 3 * PAGE_COUNT, 1}, {word_count - 1, PAGE_COUNT - 1}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    fill_words();
    words[wrong[i].word] = wrong[i].value;
    check(mlc_stream_copy(words, word_count, records, pages, sizeof memory) == NULL, "a wrong stream was taken");
  }
  fill_words();
  check(mlc_stream_copy(words, word_count - 1, records, pages, sizeof memory) == NULL, "a short stream was taken");
  check(mlc_stream_copy(words, word_count, records, pages, sizeof memory - 1) == NULL, "a stream left the memory");
}

int main(void) {
  write_file();
  check(open_pages(0, MOST_PAGES) == NULL, "more pages than the file has");
  mlc_pages *pages = open_pages(0, PAGE_COUNT);
  check(pages != NULL, "no pages");
  test_streams(pages);
  mlc_pages_close(pages);
  for (uint32_t round = 0; round < 40; round++) {
    const uint8_t slow_pages = (uint8_t)(round % 4 == 0 ? 40 : 0), slow_records = (uint8_t)(round % 4 == 1 ? 40 : 0);
    pages = open_pages(slow_pages, PAGE_COUNT);
    fill_words();
    mlc_stream *stream = mlc_stream_copy(words, word_count, PAGE_COUNT - 1, pages, sizeof memory);
    mlc_pager *pager = mlc_pager_create(pages, memory);
    for (uint32_t i = 0; i < 3; i++) check(run(pager, stream, PAGE_COUNT - 1, slow_records), "a page failed");
    check(run(pager, stream, round % PAGE_COUNT, slow_records), "a page failed"); /* left midway */
    check(run(pager, stream, PAGE_COUNT - 1, slow_records), "a page failed");
    const uint8_t damaged = 0xff;
    const off_t tag = 3 + 50 * (off_t)SEALED_SIZE_BYTES + PAGE_SIZE_BYTES;
    uint8_t before;
    check(pread(fd, &before, 1, tag) == 1 && pwrite(fd, &damaged, 1, tag) == 1, "damage");
    check(!run(pager, stream, PAGE_COUNT - 1, slow_records), "a page that is another one was taken");
    check(pwrite(fd, &before, 1, tag) == 1, "repair");
    check(run(pager, stream, PAGE_COUNT - 1, slow_records), "after a failure");
    test_filling(pager, pages);
    write_file();
    if (round % 2 == 0) (void)run(pager, stream, 5, 0);
    mlc_pager_destroy(pager);
    mlc_stream_free(stream);
  }
  printf("%u failures\n", failures);
  return failures != 0;
}
