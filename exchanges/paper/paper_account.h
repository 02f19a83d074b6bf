/* A paper account: see paper.c. Private to this folder. */
#pragma once
#include "exchanges/market_base.h"

extern const struct exchange_ops exchange_paper;

int paper_account_open(struct exchange_market *market,
                       const struct exchange_credentials *credentials,
                       const struct exchange_account_events *events, struct exchange_account **out);
void paper_account_close(struct exchange_account *account);
int paper_place(struct exchange_account *account, const struct order_request *request);
int paper_cancel(struct exchange_account *account, const struct instrument *instrument,
                 const char *client_order_id);
int paper_query_order(struct exchange_account *account, const struct instrument *instrument,
                      const char *client_order_id, exchange_order_fn *fn, void *ctx);
int paper_query_order_id(struct exchange_account *account, const struct instrument *instrument,
                         const char *order_id, exchange_order_fn *fn, void *ctx);
int paper_open_orders(struct exchange_account *account, const struct instrument *instrument,
                      exchange_orders_fn *fn, void *ctx);
int paper_fills(struct exchange_account *account, const struct fills_query *query,
                exchange_fills_fn *fn, void *ctx);
int paper_balances(struct exchange_account *account, exchange_balances_fn *fn, void *ctx);
int64_t paper_request_life_ms(struct exchange_account *account);
