#define FLT_MOD "crypto"
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>
#include "lib/crypto.h"

int flt_cert_expiry_ms(const char *path, int64_t *out)
{
    BIO *file = BIO_new_file(path, "r");
    X509 *cert = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
    struct tm tm = { 0 };
    int err = -EINVAL;

    if (cert && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm)) {
        *out = (int64_t)timegm(&tm) * 1000;
        err = 0;
    }
    X509_free(cert);
    BIO_free(file);
    return file ? err : -ENOENT;
}
