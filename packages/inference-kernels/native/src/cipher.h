/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM by the OpenSSL inside Node, so that a thread of ours can open pages without passing through JavaScript. */
#ifndef MLC_CIPHER_H
#define MLC_CIPHER_H

#include <stddef.h>
#include <stdint.h>

#define MLC_CIPHER_KEY_SIZE_BYTES 32
#define MLC_CIPHER_NONCE_SIZE_BYTES 12
#define MLC_CIPHER_TAG_SIZE_BYTES 16

typedef struct mlc_cipher mlc_cipher;

/* NULL where this Node does not show OpenSSL's functions, or they do not answer a known question rightly. */
mlc_cipher *mlc_cipher_create(const uint8_t key[MLC_CIPHER_KEY_SIZE_BYTES]);

/*
 * Opens `size_bytes` of ciphertext, followed by its tag. `sealed` may be memory that somebody else changes meanwhile: each
 * byte of it is read once, into memory of our own. Returns 1, or 0 with `to` zeroed.
 */
int mlc_cipher_open(mlc_cipher *cipher, const uint8_t nonce[MLC_CIPHER_NONCE_SIZE_BYTES], const uint8_t *associated_data,
                    size_t associated_data_size_bytes, const uint8_t *sealed, size_t size_bytes, uint8_t *to);

/* Wipes the key. */
void mlc_cipher_destroy(mlc_cipher *cipher);

#endif
