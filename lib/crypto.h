/* Cryptography, all of it OpenSSL's (libcrypto): signatures, sealing, key derivation, random bytes.
 *
 * Failures: -EINVAL (bad key or text), -EBADMSG (a seal that does not open: wrong key, wrong
 * context, changed bytes), -ENOMEM, -EIO (OpenSSL refused). Threads: any; nothing is shared. Key
 * derivation burns 50-100 ms: call it from uv_queue_work. Callers wipe secrets with flt_wipe(). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"

void flt_wipe(void *data, size_t size); /* not optimised away */
FLT_MUST_USE int flt_random(void *out, size_t size);
bool flt_equal(const void *a, const void *b, size_t size); /* in constant time */

void flt_sha256(const void *data, size_t size, uint8_t out[32]);
/* Of a whole file, read in pieces; `size` (may be NULL) gets its length. Negative errno on failure.
 */
FLT_MUST_USE int flt_sha256_file(const char *path, uint8_t out[32], uint64_t *size);
void flt_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                     uint8_t out[32]);
void flt_sha1(const void *data, size_t size, uint8_t out[20]); /* WebSocket handshakes only */

char *flt_hex(const uint8_t *data, size_t size, char *out); /* 2 * size + 1 bytes */
int flt_unhex(const char *text, uint8_t *out, size_t size); /* exactly `size` bytes, or -EINVAL */
char *flt_base64(const uint8_t *data, size_t size, char *out); /* 4 * ((size + 2) / 3) + 1 bytes */
/* Returns the bytes written, or -EINVAL; `out` holds `size`. */
int flt_unbase64(const char *text, size_t length, uint8_t *out, size_t size);

/* Ed25519 with a PKCS#8 PEM private key, as venues hand out. */
FLT_MUST_USE int flt_ed25519_sign(const char *private_pem, const void *data, size_t size,
                                  uint8_t out[64]);
FLT_MUST_USE int flt_ed25519_verify(const char *public_pem, const void *data, size_t size,
                                    const uint8_t signature[64]);

/* The same with the key read once, for every order: reading the PEM costs more than signing. A
 * signer belongs to one thread at a time. */
struct flt_signer;
FLT_MUST_USE int flt_signer_open(const char *private_pem, struct flt_signer **out);
FLT_MUST_USE int flt_signer_sign(struct flt_signer *signer, const void *data, size_t size,
                                 uint8_t out[64]);
void flt_signer_close(struct flt_signer *signer); /* NULL is fine; wipes the key */

/* AES-256-GCM. A seal is nonce (12) | ciphertext | tag (16), 28 bytes longer than the text; `aad`
 * is bound to it (tenant:account:field:key version), so that a seal cannot be moved to another
 * place. */
#define FLT_SEAL_OVERHEAD 28
#define FLT_KEY_SIZE 32
FLT_MUST_USE int flt_seal(const uint8_t key[FLT_KEY_SIZE], const char *aad, const void *text,
                          size_t size, uint8_t *out);
FLT_MUST_USE int flt_unseal(const uint8_t key[FLT_KEY_SIZE], const char *aad, const uint8_t *seal,
                            size_t seal_size, void *out);

/* To a public key (X25519 + HKDF + AES-256-GCM): ephemeral key (32) | seal. Nobody but the holder
 * of the private key, not even the sender, can open it. */
#define FLT_SEALED_BOX_OVERHEAD (32 + FLT_SEAL_OVERHEAD)
FLT_MUST_USE int flt_box_keypair(uint8_t private_key[32], uint8_t public_key[32]);
/* The public key of a private one that was kept (any 32 random bytes are one). */
FLT_MUST_USE int flt_box_public(const uint8_t private_key[32], uint8_t public_key[32]);
FLT_MUST_USE int flt_box_seal(const uint8_t public_key[32], const char *aad, const void *text,
                              size_t size, uint8_t *out);
FLT_MUST_USE int flt_box_open(const uint8_t private_key[32], const char *aad, const uint8_t *box,
                              size_t box_size, void *out);

/* scrypt (N=2^15, r=8, p=1): a key from a passphrase. */
FLT_MUST_USE int flt_scrypt(const char *passphrase, const uint8_t salt[16], uint8_t out[32]);
/* With a salt and cost of one's own (RFC 7914); memory is 128 * n * r bytes, up to 64 MiB. */
struct flt_scrypt_cost {
    uint64_t n, r, p;
};
FLT_MUST_USE int flt_scrypt_cost(const char *passphrase, const void *salt, size_t salt_size,
                                 const struct flt_scrypt_cost *cost, uint8_t *out, size_t size);

/* PBKDF2-HMAC-SHA512, as mosquitto stores passwords. */
FLT_MUST_USE int flt_pbkdf2_sha512(const char *password, const uint8_t *salt, size_t salt_size,
                                   unsigned iterations, uint8_t out[64]);

/* A key file: 32 random bytes in hex, mode 0600. Created when missing; refused, and left as it is,
 * when others may read it (-EPERM) or it holds something else (-EINVAL). */
FLT_MUST_USE int flt_key_file(const char *path, uint8_t key[FLT_KEY_SIZE]);

/* When the first certificate of a PEM file ends, Unix ms. -ENOENT: no file; -EINVAL: none in it. */
FLT_MUST_USE int flt_cert_expiry_ms(const char *path, int64_t *out);
