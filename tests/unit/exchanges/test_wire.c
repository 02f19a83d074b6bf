#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "exchanges/codec.h"
#include "lib/crypto.h"

/* The venue's own example (rest-api.md of binance-spot-api-docs). */
static void the_official_example_has_its_signature(void **ctx)
{
    static const char text[] =
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
        "&recvWindow=5000&timestamp=1499827319559";
    const struct exchange_credentials keys = {
        .key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
        .secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    };
    struct signer *signer = NULL;
    char signature[SIGNATURE_SIZE];

    (void)ctx;
    assert_int_equal(signer_create(&keys, &signer), 0);
    assert_int_equal(signer_sign(signer, text, strlen(text), SIGNATURE_HEX, signature), 0);
    assert_string_equal(signature,
                        "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71");
    signer_destroy(signer);
}

/* RFC 8032, test 1's key, as PKCS#8. */
static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                          "-----END PRIVATE KEY-----\n";
static const char public_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                                 "-----END PUBLIC KEY-----\n";

/* What is signed is what is sent, percent-encoded; the signature is base64 and encoded itself. */
static void an_order_with_an_ed25519_key_verifies(void **ctx)
{
    const struct exchange_credentials keys = { .key = "k", .private_key_pem = pem };
    const struct instrument btc = {
        .name = "BTC-USDT", .venue_symbol = "BTCUSDT", .tick = { 1, 2 }, .lot = { 1, 5 }
    };
    const struct op_args args = { .instrument = &btc, .client_order_id = "abc" };
    struct signer *signer = NULL;
    struct wire wire = { 0 };

    (void)ctx;
    assert_int_equal(signer_create(&keys, &signer), 0);
    const struct codec_env env = { "http://h", signer, 1700000000000, 0 };

    assert_int_equal(codec_find("binance")->build(&env, OP_QUERY_ORDER, &args, &wire, NULL), 0);
    const char *query = strchr(wire.url.data, '?') + 1, *sign = strstr(query, "&signature=");
    char text[128] = "";
    uint8_t signature[64];
    size_t size = 0;

    assert_non_null(sign);
    for (const char *at = sign + 11; *at; at++, size++) {
        if (*at == '%') {
            uint8_t byte;
            const char code[3] = { at[1], at[2], '\0' };

            assert_int_equal(flt_unhex(code, &byte, 1), 0);
            text[size] = (char)byte;
            at += 2;
        } else {
            text[size] = *at;
        }
    }
    assert_int_equal(flt_unbase64(text, size, signature, sizeof signature), 64);
    assert_int_equal(flt_ed25519_verify(public_pem, query, (size_t)(sign - query), signature), 0);
    assert_string_equal(wire.headers[0], "X-MBX-APIKEY: k");
    wire_finish(&wire);
    signer_destroy(signer);
}

static void bad_keys_are_refused(void **ctx)
{
    const struct exchange_credentials bad[] = {
        { .key = NULL, .secret = "s" },
        { .key = "k", .secret = NULL },
        { .key = "k", .secret = "" },
        { .key = "k", .private_key_pem = "not a key" },
    };
    struct signer *signer = NULL;

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(bad); i++)
        assert_true(signer_create(&bad[i], &signer) < 0);
    assert_null(signer);
}

static void a_header_cannot_smuggle_another(void **ctx)
{
    struct wire wire = { 0 };

    (void)ctx;
    wire_reset(&wire, "GET");
    assert_true(wire_header(&wire, "X-MBX-APIKEY", "a\r\nX-Evil: 1") < 0);
    assert_int_equal(wire.header_count, 0);
    wire_finish(&wire);
}

static void parameters_are_percent_encoded(void **ctx)
{
    struct flt_buf buf = FLT_BUF_INIT;

    (void)ctx;
    wire_param(&buf, 0, "a", "[\"x\"] &=+%~._-");
    wire_param_dec(&buf, 0, "b", flt_dec_parse("1e-8"));
    assert_string_equal(buf.data, "a=%5B%22x%22%5D%20%26%3D%2B%25~._-&b=0.00000001");
    flt_buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_official_example_has_its_signature),
        cmocka_unit_test(an_order_with_an_ed25519_key_verifies),
        cmocka_unit_test(bad_keys_are_refused),
        cmocka_unit_test(a_header_cannot_smuggle_another),
        cmocka_unit_test(parameters_are_percent_encoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
