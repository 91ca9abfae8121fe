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
 * Opens a ciphertext piece by piece: begin, then open each piece in its place, in order, then end with the tag. Each returns
 * 1, or 0 where it failed. Until mlc_cipher_end has returned 1 nothing says that what was opened is authentic.
 */
int mlc_cipher_begin(mlc_cipher *cipher, const uint8_t nonce[MLC_CIPHER_NONCE_SIZE_BYTES], const uint8_t *associated_data,
                     size_t associated_data_size_bytes);
int mlc_cipher_open(mlc_cipher *cipher, uint8_t *piece, size_t size_bytes);
int mlc_cipher_end(mlc_cipher *cipher, uint8_t tag[MLC_CIPHER_TAG_SIZE_BYTES]);

/* Wipes the key. */
void mlc_cipher_destroy(mlc_cipher *cipher);

#endif
