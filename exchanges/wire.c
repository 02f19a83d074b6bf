#include "exchanges/wire.h"
#define FLT_MOD "wire"
#include "exchanges/exchange.h"
#include "lib/crypto.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void wire_reset(struct wire *wire, const char *method)
{
    wire->method = method;
    flt_buf_reset(&wire->url);
    flt_buf_reset(&wire->body);
    flt_buf_reset(&wire->scratch);
    wire->header_count = 0;
}

static void finish_buf(struct flt_buf *buf)
{
    if (buf->data)
        flt_wipe(buf->data, buf->capacity);
    flt_buf_finish(buf);
}

void wire_finish(struct wire *wire)
{
    finish_buf(&wire->url);
    finish_buf(&wire->body);
    finish_buf(&wire->scratch);
    flt_wipe(wire->headers, sizeof wire->headers);
    wire->header_count = 0;
}

int wire_header(struct wire *wire, const char *name, const char *value)
{
    if (wire->header_count == WIRE_HEADERS_MAX)
        return -EINVAL;
    for (const char *at = value; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return -EINVAL; /* a line break would start a header of its own */
    char *out = wire->headers[wire->header_count];

    if (snprintf(out, WIRE_HEADER_SIZE, "%s: %s", name, value) >= WIRE_HEADER_SIZE)
        return -EINVAL;
    wire->header_count++;
    return 0;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void wire_escape(struct flt_buf *buf, const char *text, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t done = 0;

    for (size_t i = 0; i < size; i++) {
        if (is_unreserved(text[i]))
            continue;
        const unsigned char byte = (unsigned char)text[i];
        const char code[3] = { '%', digits[byte >> 4], digits[byte & 15] };

        flt_buf_append(buf, text + done, i - done);
        flt_buf_append(buf, code, sizeof code);
        done = i + 1;
    }
    flt_buf_append(buf, text + done, size - done);
}

void wire_param(struct flt_buf *buf, size_t start, const char *name, const char *value)
{
    if (buf->length > start)
        flt_buf_append(buf, "&", 1);
    flt_buf_append(buf, name, strlen(name));
    flt_buf_append(buf, "=", 1);
    wire_escape(buf, value, strlen(value));
}

void wire_param_int(struct flt_buf *buf, size_t start, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, value);
    wire_param(buf, start, name, text);
}

void wire_param_dec(struct flt_buf *buf, size_t start, const char *name, struct flt_dec value)
{
    char text[FLT_DEC_TEXT_MAX];

    wire_param(buf, start, name, flt_dec_format(value, text));
}

struct signer {
    char key[256];
    char passphrase[128];
    char secret[512]; /* HMAC */
    size_t secret_size;
    struct flt_signer *ed25519; /* NULL: HMAC */
};

static int copy_text(char *out, size_t size, const char *text)
{
    const size_t length = text ? strlen(text) : 0;

    if (length >= size)
        return -EINVAL;
    if (length)
        memcpy(out, text, length);
    out[length] = '\0';
    return 0;
}

int signer_create(const struct exchange_credentials *credentials, struct signer **out)
{
    const char *pem = credentials->private_key_pem, *secret = pem ? "" : credentials->secret;
    struct signer *signer = calloc(1, sizeof *signer);

    if (!signer)
        return -ENOMEM;
    (void)mlock(signer, sizeof *signer); /* best effort: the limit may be low */
    if (!credentials->key || !*credentials->key || !secret || (!pem && !*secret) ||
        copy_text(signer->key, sizeof signer->key, credentials->key) != 0 ||
        copy_text(signer->passphrase, sizeof signer->passphrase, credentials->passphrase) != 0 ||
        copy_text(signer->secret, sizeof signer->secret, secret) != 0) {
        signer_destroy(signer);
        return FLT_FAIL(-EINVAL, "why=\"key or secret is missing or too long\"");
    }
    signer->secret_size = strlen(signer->secret);
    const int err = pem ? flt_signer_open(pem, &signer->ed25519) : 0;

    if (err != 0) {
        signer_destroy(signer);
        return FLT_FAIL(err, "why=\"the private key is not an Ed25519 PEM\"");
    }
    *out = signer;
    return 0;
}

void signer_destroy(struct signer *signer)
{
    if (!signer)
        return;
    flt_signer_close(signer->ed25519);
    flt_wipe(signer, sizeof *signer);
    (void)munlock(signer, sizeof *signer);
    free(signer);
}

const char *signer_key(const struct signer *signer)
{
    return signer->key;
}

const char *signer_passphrase(const struct signer *signer)
{
    return signer->passphrase;
}

bool signer_is_ed25519(const struct signer *signer)
{
    return signer->ed25519 != NULL;
}

int signer_sign(const struct signer *signer, const void *text, size_t size,
                enum signature_form form, char out[SIGNATURE_SIZE])
{
    uint8_t digest[64];

    if (signer->ed25519) {
        const int err = flt_signer_sign(signer->ed25519, text, size, digest);

        if (err == 0)
            flt_base64(digest, 64, out);
        return err;
    }
    flt_hmac_sha256(signer->secret, signer->secret_size, text, size, digest);
    if (form == SIGNATURE_HEX)
        flt_hex(digest, 32, out);
    else
        flt_base64(digest, 32, out);
    return 0;
}
