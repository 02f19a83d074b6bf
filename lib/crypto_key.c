/* Keys: Ed25519 signers, passphrases, key files. */
#define FLT_MOD "crypto"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/fail.h"

#define SCRYPT_MEMORY_MAX ((uint64_t)64 * 1024 * 1024)

struct flt_signer {
    EVP_PKEY *key;
    EVP_MD_CTX *ctx;
};

/* An encrypted PEM would make OpenSSL ask the terminal. */
static int no_passphrase(char *out, int size, int writing, void *ctx)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

typedef EVP_PKEY *read_pem(BIO *bio, EVP_PKEY **key, pem_password_cb *ask, void *ctx);

static EVP_PKEY *key_from_pem(const char *pem, read_pem *read)
{
    BIO *const bio = pem ? BIO_new_mem_buf(pem, -1) : NULL;
    EVP_PKEY *key = bio ? read(bio, NULL, no_passphrase, NULL) : NULL;

    BIO_free(bio);
    if (key && !EVP_PKEY_is_a(key, "ED25519")) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

int flt_signer_open(const char *private_pem, struct flt_signer **out)
{
    struct flt_signer *const signer = calloc(1, sizeof *signer);

    if (!signer || !(signer->ctx = EVP_MD_CTX_new())) {
        free(signer);
        return FLT_FAIL(-ENOMEM, "what=signer");
    }
    signer->key = key_from_pem(private_pem, PEM_read_bio_PrivateKey);
    if (!signer->key) {
        flt_signer_close(signer);
        return FLT_FAIL(-EINVAL, "why=\"not an Ed25519 private key in PEM\"");
    }
    *out = signer;
    return 0;
}

int flt_signer_sign(struct flt_signer *signer, const void *data, size_t size, uint8_t out[64])
{
    size_t written = 64;

    if (EVP_DigestSignInit(signer->ctx, NULL, NULL, NULL, signer->key) != 1 ||
        EVP_DigestSign(signer->ctx, out, &written, data, size) != 1 || written != 64)
        return FLT_FAIL(-EIO, "what=sign why=\"libcrypto refused\"");
    return 0;
}

void flt_signer_close(struct flt_signer *signer)
{
    if (!signer)
        return;
    EVP_MD_CTX_free(signer->ctx);
    EVP_PKEY_free(signer->key);
    free(signer);
}

int flt_ed25519_sign(const char *private_pem, const void *data, size_t size, uint8_t out[64])
{
    struct flt_signer *signer = NULL;
    int err = flt_signer_open(private_pem, &signer);

    if (!err)
        err = flt_signer_sign(signer, data, size, out);
    flt_signer_close(signer);
    return err;
}

int flt_ed25519_verify(const char *public_pem, const void *data, size_t size,
                       const uint8_t signature[64])
{
    EVP_PKEY *const key = key_from_pem(public_pem, PEM_read_bio_PUBKEY);
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();
    int err = 0;

    if (!key)
        err = FLT_FAIL(-EINVAL, "why=\"not an Ed25519 public key in PEM\"");
    else if (!ctx || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1)
        err = FLT_FAIL(-EIO, "what=verify why=\"libcrypto refused\"");
    else if (EVP_DigestVerify(ctx, signature, 64, data, size) != 1)
        err = -EBADMSG; /* not logged: it is what a server answers to a stranger */
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return err;
}

int flt_scrypt_cost(const char *passphrase, const void *salt, size_t salt_size,
                    const struct flt_scrypt_cost *cost, uint8_t *out, size_t size)
{
    if (EVP_PBE_scrypt(passphrase, strlen(passphrase), salt, salt_size, cost->n, cost->r, cost->p,
                       SCRYPT_MEMORY_MAX, out, size) != 1)
        return FLT_FAIL(-EIO, "what=scrypt why=\"libcrypto refused\"");
    return 0;
}

int flt_scrypt(const char *passphrase, const uint8_t salt[16], uint8_t out[32])
{
    return flt_scrypt_cost(passphrase, salt, 16, &(struct flt_scrypt_cost){ 1u << 15, 8, 1 }, out,
                           32);
}

/* 64 hex digits and perhaps the newline of an editor. */
static int key_from_text(char *text, ssize_t size, uint8_t key[FLT_KEY_SIZE])
{
    if (size == 2 * FLT_KEY_SIZE + 1 && text[size - 1] == '\n')
        size--;
    if (size != 2 * FLT_KEY_SIZE)
        return -EINVAL;
    text[size] = '\0';
    return flt_unhex(text, key, FLT_KEY_SIZE);
}

static int read_key(const char *path, uint8_t key[FLT_KEY_SIZE])
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[2 * FLT_KEY_SIZE + 3];
    struct stat info;
    int err = 0;

    if (fd < 0)
        return -errno; /* -ENOENT is an outcome; the caller logs the rest */
    const ssize_t size = read(fd, text, sizeof text - 1);

    if (size < 0 || fstat(fd, &info) != 0)
        err = FLT_FAIL(-errno, "path=%s", path);
    else if ((info.st_mode & 077) != 0)
        err = FLT_FAIL(-EPERM, "path=%s mode=%03o why=\"others may read it; chmod 600\"", path,
                       (unsigned)info.st_mode & 0777);
    else if (key_from_text(text, size, key) != 0)
        err = FLT_FAIL(-EINVAL, "path=%s why=\"not a key of 64 hex digits\"", path);
    close(fd);
    flt_wipe(text, sizeof text);
    return err;
}

/* Whole under another name first, then linked: never half written, and never over a key that
 * another process made in the same moment. */
static int create_key(const char *path)
{
    uint8_t fresh[FLT_KEY_SIZE];
    char text[2 * FLT_KEY_SIZE + 2], temporary[PATH_MAX];
    int err = flt_random(fresh, sizeof fresh);

    if (err)
        return err;
    if (snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid()) >= PATH_MAX)
        return FLT_FAIL(-ENAMETOOLONG, "path=%s", path);
    flt_hex(fresh, sizeof fresh, text);
    text[2 * FLT_KEY_SIZE] = '\n';
    err = flt_file_write(temporary, text, 2 * FLT_KEY_SIZE + 1, 0600);
    if (!err && link(temporary, path) != 0 && errno != EEXIST)
        err = FLT_FAIL(-errno, "path=%s", path);
    (void)unlink(temporary);
    flt_wipe(fresh, sizeof fresh);
    flt_wipe(text, sizeof text);
    return err;
}

int flt_key_file(const char *path, uint8_t key[FLT_KEY_SIZE])
{
    int err = read_key(path, key);

    if (err == -ENOENT) {
        err = create_key(path);
        if (!err)
            err = read_key(path, key);
    }
    return err;
}
