/* Binance spot: REST and streams as of binance-spot-api-docs a5e0bc3 (changelog to 2026-07-17).
 * The codec's parts, private to this folder. */
#pragma once
#include "exchanges/codec.h"

bool binance_supports(enum op op);
void binance_cost(enum op op, const struct op_args *args, struct op_cost *out);
int binance_build(const struct codec_env *env, enum op op, const struct op_args *args,
                  struct wire *out, struct flt_error *error);

void binance_parse(const struct instruments *table, enum op op, const struct op_args *args,
                   const struct codec_reply *reply, struct result *out);
/* 0: no instrument (not spot, or without a usable grid); for binance_parse. */
bool binance_instrument(struct json_object *symbol, struct instrument *out);

/* Fills `out` when the reply is an error (status, or {"code":<0,"msg":..}); else false. */
bool binance_failure(enum op op, const struct codec_reply *reply, struct json_object *body,
                     struct result *out);
enum exchange_error binance_error_class(int http_status, int64_t code, const char *message);
void binance_words(const char *text, size_t size, struct exchange_failure *out); /* cleaned */

/* Words of the wire, "" or unknown ones give the fallback. */
enum order_status binance_status(const char *word);
enum tif binance_tif(const char *word);
struct flt_dec binance_average(struct flt_amt quote, struct flt_dec filled);

int binance_stream_url(const struct exchange_urls *urls, bool account, char *out, size_t size);
int binance_subscribe(bool on, const struct stream_channel *channels, size_t count, int64_t id,
                      struct flt_buf *out);
int binance_login(const struct signer *signer, int64_t now_ms, unsigned step, struct flt_buf *out);
void binance_frame(const struct instruments *table, const char *data, size_t size,
                   struct stream_scratch *scratch, stream_event_fn *emit, void *ctx);

enum { BINANCE_WEIGHT, BINANCE_ORDERS_10S, BINANCE_ORDERS_DAY };
