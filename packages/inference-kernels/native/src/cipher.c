/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "cipher.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Of OpenSSL's <openssl/evp.h>; its ABI has kept these since 1.1. */
#define CTRL_AEAD_SET_TAG 0x11
typedef struct evp_cipher_ctx_st evp_context;

typedef struct {
  evp_context *(*context_new)(void);
  void (*context_free)(evp_context *);
  const void *(*aes_256_gcm)(void);
  int (*decrypt_init)(evp_context *, const void *cipher, void *engine, const uint8_t *key, const uint8_t *nonce);
  int (*control)(evp_context *, int type, int argument, void *pointer);
  int (*decrypt_update)(evp_context *, uint8_t *out, int *out_size, const uint8_t *in, int in_size);
  int (*decrypt_final)(evp_context *, uint8_t *out, int *out_size);
} evp_functions;

struct mlc_cipher {
  evp_context *context;
};

static evp_functions evp;
static int is_found;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find_functions(void) {
  static const char *const names[] = {"EVP_CIPHER_CTX_new",  "EVP_CIPHER_CTX_free", "EVP_aes_256_gcm",    "EVP_DecryptInit_ex",
                                      "EVP_CIPHER_CTX_ctrl", "EVP_DecryptUpdate",   "EVP_DecryptFinal_ex"};
  void *found[sizeof names / sizeof names[0]];
  _Static_assert(sizeof found == sizeof evp, "one pointer for each name");
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    found[i] = dlsym(RTLD_DEFAULT, names[i]);
    if (found[i] == NULL) return;
  }
  memcpy(&evp, found, sizeof evp);
  is_found = 1;
}

int mlc_cipher_begin(mlc_cipher *cipher, const uint8_t nonce[MLC_CIPHER_NONCE_SIZE_BYTES], const uint8_t *associated_data,
                     size_t associated_data_size_bytes) {
  int written = 0;
  return evp.decrypt_init(cipher->context, NULL, NULL, NULL, nonce) == 1 &&
         evp.decrypt_update(cipher->context, NULL, &written, associated_data, (int)associated_data_size_bytes) == 1;
}

int mlc_cipher_open(mlc_cipher *cipher, uint8_t *piece, size_t size_bytes) {
  int written = 0;
  return evp.decrypt_update(cipher->context, piece, &written, piece, (int)size_bytes) == 1 && written == (int)size_bytes;
}

int mlc_cipher_end(mlc_cipher *cipher, uint8_t tag[MLC_CIPHER_TAG_SIZE_BYTES]) {
  uint8_t rest[MLC_CIPHER_TAG_SIZE_BYTES];
  int written = 0;
  return evp.control(cipher->context, CTRL_AEAD_SET_TAG, MLC_CIPHER_TAG_SIZE_BYTES, tag) == 1 &&
         evp.decrypt_final(cipher->context, rest, &written) == 1;
}

/* The empty text under a key and a nonce of zeros (McGrew and Viega, The Galois/Counter Mode of Operation, test case 13). */
static int answers_rightly(void) {
  static const uint8_t zeros[MLC_CIPHER_KEY_SIZE_BYTES];
  uint8_t tag[MLC_CIPHER_TAG_SIZE_BYTES] = {0x53, 0x0f, 0x8a, 0xfb, 0xc7, 0x45, 0x36, 0xb9,
                                            0xa9, 0x63, 0xb4, 0xf1, 0xc4, 0xcb, 0x73, 0x8b};
  mlc_cipher cipher = {evp.context_new()};
  if (cipher.context == NULL) return 0;
  int right = evp.decrypt_init(cipher.context, evp.aes_256_gcm(), NULL, zeros, zeros) == 1 &&
              mlc_cipher_begin(&cipher, zeros, zeros, 0) && mlc_cipher_end(&cipher, tag);
  tag[0] ^= 1;
  right = right && mlc_cipher_begin(&cipher, zeros, zeros, 0) && !mlc_cipher_end(&cipher, tag);
  evp.context_free(cipher.context);
  return right;
}

mlc_cipher *mlc_cipher_create(const uint8_t key[MLC_CIPHER_KEY_SIZE_BYTES]) {
  pthread_once(&once, find_functions);
  if (!is_found || !answers_rightly()) return NULL;
  mlc_cipher *cipher = malloc(sizeof *cipher);
  if (cipher == NULL) return NULL;
  cipher->context = evp.context_new();
  if (cipher->context != NULL && evp.decrypt_init(cipher->context, evp.aes_256_gcm(), NULL, key, NULL) == 1) return cipher;
  mlc_cipher_destroy(cipher);
  return NULL;
}

void mlc_cipher_destroy(mlc_cipher *cipher) {
  if (cipher->context != NULL) evp.context_free(cipher->context); /* OpenSSL wipes what it frees */
  free(cipher);
}
