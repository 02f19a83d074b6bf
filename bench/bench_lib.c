/* lib: what a price, a message, a signature and a row cost, beside the plain way to do the same. */
#define FLT_MOD "bench_lib"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench/bench.h"
#include "lib/amt.h"
#include "lib/crypto.h"
#include "lib/db.h"
#include "lib/ids.h"
#include "lib/json.h"
#include "lib/ring.h"

static volatile int64_t sink; /* keeps the work from being optimised away */

static const char *const prices[] = { "64123.10000000", "0.00001234", "1873.25", "0.5",
                                      "118240.01",      "42",         "3.14159", "0.00000001" };

static void dec_parse(void *ctx, long rounds)
{
    (void)ctx;
    for (long i = 0; i < rounds; i++)
        sink += flt_dec_parse(prices[i & 7]).coef;
}

static void parse_double(void *ctx, long rounds)
{
    (void)ctx;
    for (long i = 0; i < rounds; i++)
        sink += (int64_t)strtod(prices[i & 7], NULL);
}

static void dec_format(void *ctx, long rounds)
{
    char text[FLT_DEC_TEXT_MAX];

    (void)ctx;
    for (long i = 0; i < rounds; i++)
        sink += flt_dec_format((struct flt_dec){ 6412310 + i, 2 }, text)[0];
}

static void print_double(void *ctx, long rounds)
{
    char text[32];

    (void)ctx;
    for (long i = 0; i < rounds; i++)
        sink += snprintf(text, sizeof text, "%.2f", (double)(6412310 + i) / 100);
}

static void notional(void *ctx, long rounds)
{
    const struct flt_dec qty = { 123450, 8 };
    struct flt_amt sum = FLT_AMT_ZERO;

    (void)ctx;
    for (long i = 0; i < rounds; i++)
        sum = flt_amt_add(sum,
                          flt_amt_product((struct flt_dec){ 6412310 + i, 2 }, qty, FLT_ROUND_DOWN));
    sink += flt_amt_sign(sum);
}

static void average_price(void *ctx, long rounds)
{
    const struct flt_amt qty = flt_amt_parse("1234.56789");

    (void)ctx;
    for (long i = 0; i < rounds; i++)
        sink += flt_amt_sign(flt_amt_div(flt_amt_from_int(1000000 + i), qty, FLT_ROUND_DOWN));
}

static const char fill[] =
    "{\"v\":1,\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"ts_ms\":1772366400125,\"src\":\"node/a\","
    "\"seq\":81723,\"kind\":\"fill\",\"bot\":\"grid-1\",\"epoch\":7,\"venue\":\"binance\","
    "\"account\":"
    "\"main\",\"instrument\":\"BTC-USDT\",\"trade_id\":\"8812\",\"order_id\":\"99120381\",\"side\":"
    "\"buy\",\"price\":\"64123.1\",\"qty\":\"0.01\",\"fee\":\"0.64\",\"fee_asset\":\"USDT\"}";

static void json_parse(void *ctx, long rounds)
{
    (void)ctx;
    for (long i = 0; i < rounds; i++)
        json_object_put(flt_json_parse(fill, sizeof fill - 1, NULL));
}

static void json_c_alone(void *ctx, long rounds)
{
    struct json_tokener *const tokener = ctx;

    for (long i = 0; i < rounds; i++) {
        json_tokener_reset(tokener);
        json_object_put(json_tokener_parse_ex(tokener, fill, (int)sizeof fill - 1));
    }
}

static void json_write(void *ctx, long rounds)
{
    struct flt_buf *const buf = ctx;

    for (long i = 0; i < rounds; i++) {
        flt_buf_reset(buf);
        flt_jw_begin(buf, NULL, '{');
        flt_jw_str(buf, "id", "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        flt_jw_int(buf, "ts_ms", INT64_C(1772366400125) + i);
        flt_jw_str(buf, "bot", "grid-1");
        flt_jw_str(buf, "instrument", "BTC-USDT");
        flt_jw_dec(buf, "price", (struct flt_dec){ 641231 + i, 1 });
        flt_jw_dec(buf, "qty", (struct flt_dec){ 1, 2 });
        flt_jw_end(buf, '}');
        sink += (int64_t)buf->length;
    }
}

static void json_print(void *ctx, long rounds)
{
    char text[256];

    (void)ctx;
    for (long i = 0; i < rounds; i++)
        sink += snprintf(text, sizeof text,
                         "{\"id\":\"%s\",\"ts_ms\":%" PRId64
                         ",\"bot\":\"%s\",\"instrument\":\"%s\",\"price\":\"%.1f\",\"qty\":\"%s\"}",
                         "01ARZ3NDEKTSV4RRFFQ69G5FAV", INT64_C(1772366400125) + i, "grid-1",
                         "BTC-USDT", (double)(641231 + i) / 10, "0.01");
}

static void coid(void *ctx, long rounds)
{
    char text[FLT_COID_MAX];
    struct flt_coid id = { 0xfedcba9876, 7, 0, 17 };

    (void)ctx;
    for (long i = 0; i < rounds; i++) {
        id.sequence = (uint32_t)i;
        sink += flt_coid_parse(flt_coid_format(&id, text), &id);
    }
}

static void hmac(void *ctx, long rounds)
{
    uint8_t mac[32];

    (void)ctx;
    for (long i = 0; i < rounds; i++) {
        flt_hmac_sha256(fill, 64, fill, 200, mac);
        sink += mac[0];
    }
}

static void sign(void *ctx, long rounds)
{
    uint8_t signature[64];

    for (long i = 0; i < rounds; i++)
        sink += flt_signer_sign(ctx, fill, 200, signature);
}

static void ring(void *ctx, long rounds)
{
    struct flt_ring *const ring = ctx;
    const struct flt_ring_part part = { fill, sizeof fill - 1 };
    size_t size = 0;

    for (long i = 0; i < rounds; i++) {
        sink += flt_ring_push(ring, &part, 1);
        sink += flt_ring_peek(ring, &size) != NULL;
        flt_ring_pop(ring);
    }
}

#define BATCH 256

/* Rounds are rows; a commit each BATCH of them, as the storage thread does. */
static void insert(void *ctx, long rounds)
{
    static int64_t id;
    struct flt_db *const db = ctx;

    for (long i = 0; i < rounds; i++) {
        sqlite3_stmt *const stmt =
            flt_db_stmt(db, "INSERT INTO fill(id, bot, price, qty, fee) VALUES(?,?,?,?,?)");

        if (i % BATCH == 0 && flt_db_begin(db) != 0)
            abort();
        flt_db_bind_int(stmt, 1, id++);
        flt_db_bind_str(stmt, 2, "grid-1");
        flt_db_bind_dec(stmt, 3, (struct flt_dec){ 641231, 1 });
        flt_db_bind_dec(stmt, 4, (struct flt_dec){ 1, 2 });
        flt_db_bind_amt(stmt, 5, flt_amt_from_int(1));
        if (flt_db_step(db, stmt) != 0)
            abort();
        if ((i % BATCH == BATCH - 1 || i == rounds - 1) && flt_db_commit(db) != 0)
            abort();
    }
}

static void bench_numbers(void)
{
    bench_ratio("dec: parse a price", bench_ns(dec_parse, NULL, 1000000), "ns",
                bench_ns(parse_double, NULL, 1000000), "strtod");
    bench_ratio("dec: format a price", bench_ns(dec_format, NULL, 1000000), "ns",
                bench_ns(print_double, NULL, 200000), "printf of a double");
    bench_row("amt: add price * quantity", bench_ns(notional, NULL, 1000000), "ns", "");
    bench_row("amt: divide to 18 decimals", bench_ns(average_price, NULL, 200000), "ns", "");
    bench_row("ids: write and read a client order id", bench_ns(coid, NULL, 200000), "ns", "");
}

static void bench_json(void)
{
    struct json_tokener *const tokener = json_tokener_new_ex(FLT_JSON_DEPTH_MAX);
    struct flt_buf buf = FLT_BUF_INIT;

    bench_ratio("json: parse a fill message, strictly", bench_ns(json_parse, NULL, 50000), "ns",
                bench_ns(json_c_alone, tokener, 50000), "json-c alone");
    bench_ratio("json: write six fields", bench_ns(json_write, &buf, 200000), "ns",
                bench_ns(json_print, NULL, 200000), "one printf");
    json_tokener_free(tokener);
    flt_buf_finish(&buf);
}

static void bench_crypto(void)
{
    static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
                              "-----END PRIVATE KEY-----\n"; /* RFC 8032, test 2 */
    struct flt_signer *signer = NULL;

    bench_row("crypto: HMAC-SHA256 of 200 bytes", bench_ns(hmac, NULL, 50000), "ns", "");
    if (flt_signer_open(pem, &signer) != 0)
        abort();
    bench_row("crypto: Ed25519 signature", bench_ns(sign, signer, 2000) / 1000, "us", "");
    flt_signer_close(signer);
}

static void bench_storage(void)
{
    static const struct flt_migration migration = {
        1, "CREATE TABLE fill(id INTEGER PRIMARY KEY, bot TEXT, price TEXT, qty TEXT, fee TEXT)"
    };
    char folder[] = "/tmp/bench_lib.XXXXXX", path[64];
    struct flt_ring *bytes = NULL;
    struct flt_db *db = NULL;

    if (!mkdtemp(folder) || flt_ring_create(1 << 20, &bytes) != 0)
        abort();
    (void)snprintf(path, sizeof path, "%s/x.db", folder);
    bench_row("ring: one fill in and out", bench_ns(ring, bytes, 1000000), "ns", "");
    flt_ring_destroy(bytes);
    if (flt_db_open(path, 1, &migration, 1, NULL, &db) != 0)
        abort();
    bench_row("db: rows a second, 256 a commit, synchronous FULL",
              1e9 / bench_ns(insert, db, 10 * BATCH), "rows/s", "");
    flt_db_close(db);
    (void)unlink(path);
    (void)rmdir(folder);
}

int main(void)
{
    bench_numbers();
    bench_json();
    bench_crypto();
    bench_storage();
    return 0;
}
