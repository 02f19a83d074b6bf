/* Random bytes, hashes and the texts of bytes. Keys and seals: lib/crypto_seal.c. */
#define FLT_MOD "crypto"
#include "lib/crypto.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/fail.h"

/* Fetched once: in OpenSSL 3 a lookup by name costs more than the hash of a short message. They
 * live as long as the process. */
static EVP_MD *md_sha256, *md_sha1;
static EVP_MAC *mac_hmac;
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

/* SHA-2 of libcrypto fails only when memory is gone or the installation is broken; a wrong hash
 * must not go on from there. */
static void require(bool ok, const char *what)
{
    if (ok)
        return;
    (void)FLT_FAIL(-EIO, "what=%s why=\"libcrypto refused\"", what);
    abort();
}

static void fetch(void)
{
    md_sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    md_sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    mac_hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    require(md_sha256 && md_sha1 && mac_hmac, "fetch");
}

void flt_wipe(void *data, size_t size)
{
    OPENSSL_cleanse(data, size);
}

int flt_random(void *out, size_t size)
{
    if (size > INT32_MAX)
        return FLT_FAIL(-EINVAL, "size=%zu", size);
    if (RAND_bytes(out, (int)size) != 1)
        return FLT_FAIL(-EIO, "what=random why=\"libcrypto refused\"");
    return 0;
}

bool flt_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

void flt_sha256(const void *data, size_t size, uint8_t out[32])
{
    pthread_once(&fetch_once, fetch);
    require(EVP_Digest(data, size, out, NULL, md_sha256, NULL) == 1, "sha256");
}

int flt_sha256_file(const char *path, uint8_t out[32], uint64_t *size)
{
    static const size_t piece = 64 * 1024;
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    uint8_t *data = malloc(piece);
    FILE *file = fopen(path, "rbe");
    uint64_t total = 0;
    int err = !hash || !data ? -ENOMEM : !file ? -errno : 0;

    pthread_once(&fetch_once, fetch);
    if (!err)
        require(EVP_DigestInit_ex(hash, md_sha256, NULL) == 1, "sha256");
    for (size_t got; !err && (got = fread(data, 1, piece, file)) > 0; total += got)
        require(EVP_DigestUpdate(hash, data, got) == 1, "sha256");
    if (!err && ferror(file))
        err = -EIO;
    if (!err)
        require(EVP_DigestFinal_ex(hash, out, NULL) == 1, "sha256");
    if (file)
        fclose(file);
    free(data);
    EVP_MD_CTX_free(hash);
    if (!err && size)
        *size = total;
    return err;
}

void flt_sha1(const void *data, size_t size, uint8_t out[20])
{
    pthread_once(&fetch_once, fetch);
    require(EVP_Digest(data, size, out, NULL, md_sha1, NULL) == 1, "sha1");
}

void flt_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                     uint8_t out[32])
{
    static char digest[] = "SHA2-256";
    const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                                  OSSL_PARAM_construct_end() };
    size_t written = 0;

    pthread_once(&fetch_once, fetch);
    EVP_MAC_CTX *const ctx = EVP_MAC_CTX_new(mac_hmac);
    /* a NULL key means "the one set before", so an empty one needs an address */
    require(ctx &&
                EVP_MAC_init(ctx, key_size > 0 ? key : (const void *)"", key_size, params) == 1 &&
                EVP_MAC_update(ctx, data, size) == 1 &&
                EVP_MAC_final(ctx, out, &written, 32) == 1 && written == 32,
            "hmac");
    EVP_MAC_CTX_free(ctx);
}

char *flt_hex(const uint8_t *data, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * size] = '\0';
    return out;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int flt_unhex(const char *text, uint8_t *out, size_t size)
{
    if (!text || strlen(text) != 2 * size)
        return -EINVAL;
    for (size_t i = 0; i < size; i++) {
        const int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return -EINVAL;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *flt_base64(const uint8_t *data, size_t size, char *out)
{
    char *p = out;

    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const unsigned word = (unsigned)data[i] << 16 |
                              (left > 1 ? (unsigned)data[i + 1] << 8 : 0) |
                              (left > 2 ? (unsigned)data[i + 2] : 0);

        *p++ = base64_digits[word >> 18];
        *p++ = base64_digits[word >> 12 & 63];
        *p++ = left > 1 ? base64_digits[word >> 6 & 63] : '=';
        *p++ = left > 2 ? base64_digits[word & 63] : '=';
    }
    *p = '\0';
    return out;
}

static int base64_value(char c)
{
    const char *const found = c ? strchr(base64_digits, c) : NULL;

    return found ? (int)(found - base64_digits) : -1;
}

/* RFC 4648 section 4, strict: whole quanta, '=' at the end only, unused bits zero. */
int flt_unbase64(const char *text, size_t length, uint8_t *out, size_t size)
{
    size_t used = 0;

    if (length % 4 != 0 || length > INT32_MAX)
        return -EINVAL;
    for (size_t i = 0; i < length; i += 4) {
        const bool last = i + 4 == length;
        const size_t pad = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
        unsigned word = 0;

        for (size_t k = 0; k < 4; k++) {
            const int value = k >= 4 - pad ? 0 : base64_value(text[i + k]);

            if (value < 0)
                return -EINVAL;
            word = word << 6 | (unsigned)value;
        }
        if (size - used < 3 - pad || (pad > 0 && (word & (pad == 1 ? 0xffu : 0xffffu)) != 0))
            return -EINVAL;
        for (size_t k = 0; k < 3 - pad; k++)
            out[used++] = (uint8_t)(word >> (16 - 8 * k));
    }
    return (int)used;
}

int flt_pbkdf2_sha512(const char *password, const uint8_t *salt, size_t salt_size,
                      unsigned iterations, uint8_t out[64])
{
    const int done = PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, (int)salt_size,
                                       (int)iterations, EVP_sha512(), 64, out);

    return done == 1 ? 0 : FLT_FAIL(-EIO, "what=pbkdf2");
}
