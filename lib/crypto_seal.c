/* Seals: AES-256-GCM under a key, and to a public key. */
#define FLT_MOD "crypto"
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <pthread.h>
#include <string.h>
#include "lib/crypto.h"
#include "lib/fail.h"

#define NONCE_SIZE 12
#define TAG_SIZE 16
#define TEXT_MAX INT32_MAX /* libcrypto counts in int */

static EVP_CIPHER *cipher_gcm; /* fetched once, kept while the process lives */
static EVP_KDF *kdf_hkdf;
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    cipher_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    kdf_hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
}

static int refused(const char *what)
{
    return FLT_FAIL(-EIO, "what=%s why=\"libcrypto refused\"", what);
}

static bool encrypt(EVP_CIPHER_CTX *ctx, const uint8_t *key, const char *aad, const void *text,
                    size_t size, uint8_t *out)
{
    uint8_t *const body = out + NONCE_SIZE;
    int written = 0;

    return EVP_EncryptInit_ex(ctx, cipher_gcm, NULL, key, out) == 1 &&
           EVP_EncryptUpdate(ctx, NULL, &written, (const uint8_t *)aad, (int)strlen(aad)) == 1 &&
           EVP_EncryptUpdate(ctx, body, &written, text, (int)size) == 1 &&
           EVP_EncryptFinal_ex(ctx, body + size, &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, body + size) == 1;
}

int flt_seal(const uint8_t key[FLT_KEY_SIZE], const char *aad, const void *text, size_t size,
             uint8_t *out)
{
    pthread_once(&fetch_once, fetch);
    if (size > TEXT_MAX - FLT_SEAL_OVERHEAD)
        return FLT_FAIL(-EINVAL, "size=%zu", size);
    const int err = flt_random(out, NONCE_SIZE);

    if (err)
        return err;
    EVP_CIPHER_CTX *const ctx = EVP_CIPHER_CTX_new();
    const bool ok = ctx && encrypt(ctx, key, aad, text, size, out);

    EVP_CIPHER_CTX_free(ctx);
    return ok ? 0 : refused("seal");
}

/* What it writes is only to be trusted when it returns true. */
static bool decrypt(EVP_CIPHER_CTX *ctx, const uint8_t *key, const char *aad, const uint8_t *seal,
                    size_t size, uint8_t *out)
{
    const uint8_t *const body = seal + NONCE_SIZE;
    uint8_t tag[TAG_SIZE];
    int written = 0;

    memcpy(tag, body + size, TAG_SIZE);
    return EVP_DecryptInit_ex(ctx, cipher_gcm, NULL, key, seal) == 1 &&
           EVP_DecryptUpdate(ctx, NULL, &written, (const uint8_t *)aad, (int)strlen(aad)) == 1 &&
           EVP_DecryptUpdate(ctx, out, &written, body, (int)size) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
           EVP_DecryptFinal_ex(ctx, out + size, &written) == 1;
}

int flt_unseal(const uint8_t key[FLT_KEY_SIZE], const char *aad, const uint8_t *seal,
               size_t seal_size, void *out)
{
    pthread_once(&fetch_once, fetch);
    if (seal_size < FLT_SEAL_OVERHEAD || seal_size > TEXT_MAX)
        return FLT_FAIL(-EBADMSG, "size=%zu why=\"not a seal\"", seal_size);
    const size_t size = seal_size - FLT_SEAL_OVERHEAD;
    EVP_CIPHER_CTX *const ctx = EVP_CIPHER_CTX_new();
    const bool ok = ctx && decrypt(ctx, key, aad, seal, size, out);

    EVP_CIPHER_CTX_free(ctx);
    if (ok)
        return 0;
    flt_wipe(out, size);
    return ctx ? FLT_FAIL(-EBADMSG, "size=%zu why=\"the seal does not open\"", seal_size)
               : FLT_FAIL(-ENOMEM, "what=unseal");
}

int flt_box_keypair(uint8_t private_key[32], uint8_t public_key[32])
{
    size_t private_size = 32, public_size = 32;
    EVP_PKEY *const pair = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    const bool ok = pair && EVP_PKEY_get_raw_private_key(pair, private_key, &private_size) == 1 &&
                    EVP_PKEY_get_raw_public_key(pair, public_key, &public_size) == 1;

    EVP_PKEY_free(pair);
    return ok ? 0 : refused("keypair");
}

int flt_box_public(const uint8_t private_key[32], uint8_t public_key[32])
{
    size_t public_size = 32;
    EVP_PKEY *const pair = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, 32);
    const bool ok = pair && EVP_PKEY_get_raw_public_key(pair, public_key, &public_size) == 1;

    EVP_PKEY_free(pair);
    return ok ? 0 : refused("public key");
}

/* X25519 (RFC 7748). Fails for points of low order, whose secret would be all zeros. */
static int agree(EVP_PKEY *ours, const uint8_t theirs[32], uint8_t secret[32])
{
    EVP_PKEY *const peer = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, theirs, 32);
    EVP_PKEY_CTX *const ctx = ours ? EVP_PKEY_CTX_new_from_pkey(NULL, ours, NULL) : NULL;
    size_t size = 32;
    const bool ready = peer && ctx && EVP_PKEY_derive_init(ctx) == 1;
    const bool ok = ready && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
                    EVP_PKEY_derive(ctx, secret, &size) == 1 && size == 32;

    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    if (ok)
        return 0;
    return ready ? FLT_FAIL(-EBADMSG, "why=\"a bad public key\"") : refused("agree");
}

/* HKDF-SHA256 (RFC 5869) of the secret; the info binds both public keys (RFC 9180 does the same).
 */
static int derive(const uint8_t secret[32], const uint8_t ephemeral[32], const uint8_t public[32],
                  uint8_t key[FLT_KEY_SIZE])
{
    static char digest[] = "SHA2-256";
    static const char label[] = "flotilla box 1";
    uint8_t info[sizeof label - 1 + 64], ikm[32];

    memcpy(info, label, sizeof label - 1);
    memcpy(info + sizeof label - 1, ephemeral, 32);
    memcpy(info + sizeof label - 1 + 32, public, 32);
    memcpy(ikm, secret, 32);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, ikm, sizeof ikm),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof info),
        OSSL_PARAM_construct_end(),
    };

    pthread_once(&fetch_once, fetch);
    EVP_KDF_CTX *const ctx = kdf_hkdf ? EVP_KDF_CTX_new(kdf_hkdf) : NULL;
    const bool ok = ctx && EVP_KDF_derive(ctx, key, FLT_KEY_SIZE, params) == 1;

    EVP_KDF_CTX_free(ctx);
    flt_wipe(ikm, sizeof ikm);
    return ok ? 0 : refused("hkdf");
}

/* The key of one box, from either side. */
static int box_key(EVP_PKEY *ours, const uint8_t theirs[32], const uint8_t ephemeral[32],
                   const uint8_t public[32], uint8_t key[FLT_KEY_SIZE])
{
    uint8_t secret[32];
    int err = agree(ours, theirs, secret);

    if (!err)
        err = derive(secret, ephemeral, public, key);
    flt_wipe(secret, sizeof secret);
    return err;
}

int flt_box_seal(const uint8_t public_key[32], const char *aad, const void *text, size_t size,
                 uint8_t *out)
{
    uint8_t key[FLT_KEY_SIZE];
    size_t public_size = 32;
    EVP_PKEY *const pair = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    int err = 0;

    if (!pair || EVP_PKEY_get_raw_public_key(pair, out, &public_size) != 1)
        err = refused("keygen");
    if (!err)
        err = box_key(pair, public_key, out, public_key, key);
    if (!err)
        err = flt_seal(key, aad, text, size, out + 32);
    EVP_PKEY_free(pair);
    flt_wipe(key, sizeof key);
    return err;
}

int flt_box_open(const uint8_t private_key[32], const char *aad, const uint8_t *box,
                 size_t box_size, void *out)
{
    uint8_t key[FLT_KEY_SIZE], public[32];
    size_t public_size = sizeof public;
    EVP_PKEY *const ours = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, 32);
    int err = 0;

    if (box_size < FLT_SEALED_BOX_OVERHEAD)
        err = FLT_FAIL(-EBADMSG, "size=%zu why=\"not a box\"", box_size);
    else if (!ours || EVP_PKEY_get_raw_public_key(ours, public, &public_size) != 1)
        err = refused("key");
    if (!err)
        err = box_key(ours, box, box, public, key);
    if (!err)
        err = flt_unseal(key, aad, box + 32, box_size - 32, out);
    EVP_PKEY_free(ours);
    flt_wipe(key, sizeof key);
    return err;
}
