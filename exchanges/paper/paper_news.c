#define FLT_MOD "paper"
#include "exchanges/paper/paper_news.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct news *news_add(struct news_queue *queue, enum news_kind kind)
{
    struct news *news = calloc(1, sizeof *news);

    if (!news) {
        (void)FLT_FAIL(-ENOMEM, "why=\"an event of a paper account is lost\"");
        return NULL;
    }
    news->kind = kind;
    *queue->tail = news;
    queue->tail = &news->next;
    flt_timer_start(queue->timer, 0, 0);
    return news;
}

static void deliver(const struct news_queue *queue, const struct news *news)
{
    const struct exchange_account_events *to = &queue->events;
    const struct order *order = news->has_order ? &news->order : NULL;

    switch (news->kind) {
    case NEWS_LINK:
        if (to->on_link)
            to->on_link(to->ctx, news->up, news->up ? "paper" : "no market");
        break;
    case NEWS_ORDER:
        if (to->on_order)
            to->on_order(to->ctx, order);
        break;
    case NEWS_FILL:
        if (to->on_fill)
            to->on_fill(to->ctx, &news->fill);
        break;
    case NEWS_BALANCE:
        if (to->on_balance)
            to->on_balance(to->ctx, &news->balance);
        break;
    case NEWS_PLACED:
        if (to->on_place_result)
            to->on_place_result(to->ctx, news->client_order_id, &news->failure, order);
        break;
    case NEWS_CANCELLED:
        if (to->on_cancel_result)
            to->on_cancel_result(to->ctx, news->client_order_id, &news->failure);
        break;
    case NEWS_ANSWER_ORDER:
        news->order_fn(news->ctx, &news->failure, order);
        break;
    case NEWS_ANSWER_ORDERS:
        news->orders_fn(news->ctx, &news->failure, news->list, news->count);
        break;
    case NEWS_ANSWER_FILLS:
        news->fills_fn(news->ctx, &news->failure, news->list, news->count);
        break;
    case NEWS_ANSWER_BALANCES:
        news->balances_fn(news->ctx, &news->failure, news->list, news->count);
        break;
    }
}

/* What is told while telling waits for the next turn, so that one account cannot hold the loop. */
static void on_timer(void *ctx)
{
    struct news_queue *queue = ctx;
    struct news *news = queue->head, *next;

    queue->head = NULL;
    queue->tail = &queue->head;
    for (; news; news = next) {
        next = news->next;
        deliver(queue, news);
        free(news->list);
        free(news);
    }
}

void news_fail(struct exchange_failure *failure, enum exchange_error error, const char *why)
{
    *failure = (struct exchange_failure){ .error = error };
    snprintf(failure->message, sizeof failure->message, "%s", why);
}

void news_order(struct news_queue *queue, enum news_kind kind, const struct order *order)
{
    struct news *news = news_add(queue, kind);

    if (!news)
        return;
    news->order = *order;
    news->has_order = true;
    memcpy(news->client_order_id, order->client_order_id, sizeof news->client_order_id);
}

void news_result(struct news_queue *queue, enum news_kind kind, const char *client_order_id,
                 enum exchange_error error, const char *why)
{
    struct news *news = news_add(queue, kind);

    if (!news)
        return;
    snprintf(news->client_order_id, sizeof news->client_order_id, "%s", client_order_id);
    news_fail(&news->failure, error, why);
}

int news_open(struct news_queue *queue, struct flt_loop *loop,
              const struct exchange_account_events *events)
{
    queue->events = *events;
    queue->head = NULL;
    queue->tail = &queue->head;
    return flt_timer_create(loop, on_timer, queue, &queue->timer);
}

void news_close(struct news_queue *queue)
{
    for (struct news *news = queue->head, *next; news; news = next) {
        next = news->next;
        if (news->kind >= NEWS_ANSWER_ORDER) { /* who asked frees what it kept */
            news_fail(&news->failure, EXCHANGE_UNKNOWN_OUTCOME, "the account was closed");
            news->has_order = false;
            news->count = 0;
            deliver(queue, news);
        }
        free(news->list);
        free(news);
    }
    queue->head = NULL;
    flt_timer_destroy(queue->timer);
}
