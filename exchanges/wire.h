/* A request as it goes out, and the pieces codecs build it from: percent-encoding, parameters,
 * signatures. Memory is kept from request to request. */
#pragma once
#include "lib/attr.h"
#include "lib/fail.h"
#include "lib/json.h"

#define WIRE_HEADERS_MAX 8
#define WIRE_HEADER_SIZE 384

struct wire {
    const char *method;
    struct flt_buf url; /* whole, percent-encoded */
    struct flt_buf body;
    char headers[WIRE_HEADERS_MAX][WIRE_HEADER_SIZE]; /* "Name: value" */
    size_t header_count;
    struct flt_buf scratch; /* for codecs: the text to sign */
};

void wire_reset(struct wire *wire, const char *method);
void wire_finish(struct wire *wire); /* wipes: headers hold keys */
/* -EINVAL: too long, too many, or with control characters. */
FLT_MUST_USE int wire_header(struct wire *wire, const char *name, const char *value);

/* "name=value" of a query or form, percent-encoded (RFC 3986 unreserved stay), with the '&' where
 * one is needed: `start` is the buffer's length at which the parameters begin. */
void wire_param(struct flt_buf *buf, size_t start, const char *name, const char *value);
void wire_param_int(struct flt_buf *buf, size_t start, const char *name, int64_t value);
void wire_param_dec(struct flt_buf *buf, size_t start, const char *name, struct flt_dec value);
void wire_escape(struct flt_buf *buf, const char *text, size_t size);

/* An account's keys, in locked memory where the system allows. One thread at a time. */
struct signer;
struct exchange_credentials;
FLT_MUST_USE int signer_create(const struct exchange_credentials *credentials, struct signer **out);
void signer_destroy(struct signer *signer); /* wipes; NULL is fine */
const char *signer_key(const struct signer *signer);
const char *signer_passphrase(const struct signer *signer); /* "" when none */

enum signature_form { SIGNATURE_HEX, SIGNATURE_BASE64 };
#define SIGNATURE_SIZE 96
/* HMAC-SHA256 of the text in the venue's form, or Ed25519 (always base64) for PEM keys. */
FLT_MUST_USE int signer_sign(const struct signer *signer, const void *text, size_t size,
                             enum signature_form form, char out[SIGNATURE_SIZE]);
bool signer_is_ed25519(const struct signer *signer);
