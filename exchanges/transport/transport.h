/* The shared transport: any codec's market data and accounts over REST and WebSocket.
 *
 * One market is one venue address: its clock, its rate limits, its instruments and stream
 * connections, shared by all that trade there. A venue's table names transport_market_open with its
 * codec; all else is the same for every venue. Thread: the loop's. */
#pragma once
#include "exchanges/codec.h"

int transport_market_open(const struct exchange_ops *ops, const struct codec *codec,
                          const struct exchange_env *env, const struct exchange_urls *urls,
                          const struct exchange_market_events *events,
                          struct exchange_market **out);
void transport_market_close(struct exchange_market *market);
const struct instrument *const *transport_instruments(struct exchange_market *market,
                                                      size_t *count);
int transport_subscribe(struct exchange_market *market, const struct instrument *instrument,
                        unsigned feeds);
void transport_unsubscribe(struct exchange_market *market, const struct instrument *instrument,
                           unsigned feeds);
int transport_bars(struct exchange_market *market, const struct instrument *instrument,
                   const char *timeframe, int64_t since_ms, int limit, exchange_bars_fn *fn,
                   void *ctx);
int64_t transport_clock_offset_ms(struct exchange_market *market);

int transport_account_open(struct exchange_market *market,
                           const struct exchange_credentials *credentials,
                           const struct exchange_account_events *events,
                           struct exchange_account **out);
void transport_account_close(struct exchange_account *account);
int transport_place(struct exchange_account *account, const struct order_request *request);
int transport_cancel(struct exchange_account *account, const struct instrument *instrument,
                     const char *client_order_id);
int transport_query_order(struct exchange_account *account, const struct instrument *instrument,
                          const char *client_order_id, exchange_order_fn *fn, void *ctx);
int transport_query_order_id(struct exchange_account *account, const struct instrument *instrument,
                             const char *order_id, exchange_order_fn *fn, void *ctx);
void transport_set_deadline(struct exchange_account *account, int64_t not_after_boot_ns);
int transport_open_orders(struct exchange_account *account, const struct instrument *instrument,
                          exchange_orders_fn *fn, void *ctx);
int transport_fills(struct exchange_account *account, const struct fills_query *query,
                    exchange_fills_fn *fn, void *ctx);
int transport_balances(struct exchange_account *account, exchange_balances_fn *fn, void *ctx);
int transport_rights(struct exchange_account *account, exchange_rights_fn *fn, void *ctx);
int64_t transport_request_life_ms(struct exchange_account *account);

/* The rows of a venue's table that are the same for all. */
#define TRANSPORT_OPS                                                                              \
    .market_close = transport_market_close, .instruments = transport_instruments,                  \
    .subscribe = transport_subscribe, .unsubscribe = transport_unsubscribe,                        \
    .bars = transport_bars, .clock_offset_ms = transport_clock_offset_ms,                          \
    .account_open = transport_account_open, .account_close = transport_account_close,              \
    .place = transport_place, .cancel = transport_cancel, .query_order = transport_query_order,    \
    .query_order_id = transport_query_order_id, .set_deadline = transport_set_deadline,            \
    .open_orders = transport_open_orders, .fills = transport_fills,                                \
    .balances = transport_balances, .rights = transport_rights,                                    \
    .request_life_ms = transport_request_life_ms

/* Between the transport's own files: what an account needs of its market. */
struct rest;
struct transport_link {
    const struct codec *codec;
    const struct exchange_env *env;
    const struct exchange_urls *urls;
    const struct instruments *table;
    struct rest *rest;
};
void transport_link(struct exchange_market *market, struct transport_link *out);
