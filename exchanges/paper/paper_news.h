/* What a paper account will tell at the next turn of the loop, in order: results never come inside
 * the call that asked. Private to this folder; thread: the loop's. */
#pragma once
#include "exchanges/exchange.h"

enum news_kind {
    NEWS_LINK,
    NEWS_ORDER,
    NEWS_FILL,
    NEWS_BALANCE,
    NEWS_PLACED,
    NEWS_CANCELLED,
    NEWS_ANSWER_ORDER,
    NEWS_ANSWER_ORDERS,
    NEWS_ANSWER_FILLS,
    NEWS_ANSWER_BALANCES
};

struct news { /* what will be told at the next turn of the loop, in order */
    struct news *next;
    enum news_kind kind;
    struct exchange_failure failure;
    char client_order_id[FLT_COID_MAX];
    bool has_order, up;
    union {
        struct order order;
        struct fill fill;
        struct balance balance;
    };
    void *list; /* of answers */
    size_t count;
    union {
        exchange_order_fn *order_fn;
        exchange_orders_fn *orders_fn;
        exchange_fills_fn *fills_fn;
        exchange_balances_fn *balances_fn;
    };
    void *ctx;
};

struct news_queue {
    struct exchange_account_events events;
    struct news *head, **tail;
    struct flt_timer *timer;
};

FLT_MUST_USE int news_open(struct news_queue *queue, struct flt_loop *loop,
                           const struct exchange_account_events *events);
void news_close(struct news_queue *queue); /* what waits is dropped */
/* A zeroed piece of news at the end of the queue; NULL: no memory (logged). */
struct news *news_add(struct news_queue *queue, enum news_kind kind);
void news_fail(struct exchange_failure *failure, enum exchange_error error, const char *why);
void news_order(struct news_queue *queue, enum news_kind kind, const struct order *order);
/* The end of a request; EXCHANGE_OK: it was done. */
void news_result(struct news_queue *queue, enum news_kind kind, const char *client_order_id,
                 enum exchange_error error, const char *why);
