#define FLT_MOD "lists"
#include "botnode/lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/hosts.h"
#include "botnode/owner.h"
#include "lib/fail.h"

/* Of one pair a question leaves at most that often, so that those who come meanwhile share the next
 * one; a node asks some 40 times a second at most, however many pairs it has. */
#define GAP_MIN_MS 250
#define GAP_MAX_MS 1000
#define GAP_EACH_MS 25

struct waiter {
    uint64_t serial;
    unsigned leg;
};

struct waiters {
    struct waiter *list;
    size_t count, capacity;
};

struct pair { /* somebody asks, or has asked a moment ago */
    struct pair *next;
    struct lists *lists;
    const struct account *account; /* compared only: a live host says whether it still is one */
    const struct instrument *instrument;
    struct waiters waiting, asked; /* for the next question; for the one under way */
    bool flying;
    uint64_t link; /* of the account, when the question left */
    int64_t sent_ms;
};

struct lists {
    struct botnode *node;
    struct pair *pairs;
    size_t pair_count;
    struct flt_timer *timer;
};

static int64_t now_ms(const struct lists *lists)
{
    return flt_mono_ms(lists->node->clock);
}

static int waiters_add(struct waiters *waiters, struct waiter waiter)
{
    for (size_t i = 0; i < waiters->count; i++)
        if (waiters->list[i].serial == waiter.serial && waiters->list[i].leg == waiter.leg)
            return 0; /* it lost its patience, or its link */
    if (waiters->count == waiters->capacity) {
        const size_t capacity = waiters->capacity ? 2 * waiters->capacity : 8;
        struct waiter *list = realloc(waiters->list, capacity * sizeof *list);

        if (!list)
            return -ENOMEM;
        waiters->list = list;
        waiters->capacity = capacity;
    }
    waiters->list[waiters->count++] = waiter;
    return 0;
}

/* --- answers
 * ---------------------------------------------------------------------------------------- */

struct own { /* an order of the list, and the bot whose it is */
    uint64_t owner;
    const struct order *order;
};

static int compare(const void *a, const void *b)
{
    const struct own *x = a, *y = b;

    return x->owner != y->owner ? (x->owner < y->owner ? -1 : 1)
                                : (x->order > y->order) - (x->order < y->order);
}

/* Orders of our form, sorted by bot, else in the venue's order. */
static struct own *sorted(const struct order *orders, size_t count, size_t *out_count)
{
    struct own *own = calloc(count + 1, sizeof *own);
    struct flt_coid id;

    *out_count = 0;
    for (size_t i = 0; own && i < count; i++)
        if (flt_coid_parse(orders[i].client_order_id, &id))
            own[(*out_count)++] = (struct own){ id.owner, &orders[i] };
    if (own)
        qsort(own, *out_count, sizeof *own, compare);
    return own;
}

/* The first of this bot or a later one. */
static size_t first_of(const struct own *own, size_t count, uint64_t owner)
{
    size_t low = 0, high = count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (own[middle].owner < owner)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct host *host_of(const struct pair *pair, const struct waiter *waiter)
{
    struct host *host = hosts_by_serial(pair->lists->node->hosts, waiter->serial);

    return host && host->bot && host->account == pair->account &&
                   host->legs[waiter->leg] == pair->instrument
               ? host
               : NULL;
}

/* A bot may ask again when it is told: the pair has let go of these waiters by then. */
static void tell(const struct pair *pair, const struct waiters *waiters,
                 const struct exchange_failure *failure, const struct order *orders, size_t count)
{
    const struct exchange_failure no_memory = { .error = EXCHANGE_VENUE_BUSY,
                                                .message = "no memory for the list" };
    size_t own_count = 0;
    struct own *own = sorted(orders, count, &own_count);
    struct order *part = calloc(own_count + 1, sizeof *part);

    for (size_t i = 0; i < waiters->count; i++) {
        struct host *host = host_of(pair, &waiters->list[i]);
        size_t n = 0;

        if (!host)
            continue;
        for (size_t k = own && part ? first_of(own, own_count, host->owner) : own_count;
             k < own_count && own[k].owner == host->owner; k++)
            part[n++] = *own[k].order;
        bot_on_open_orders(host->bot, waiters->list[i].leg, own && part ? failure : &no_memory,
                           part, n);
    }
    free(own);
    free(part);
}

static void schedule(struct lists *lists);

static void on_list(void *ctx, const struct exchange_failure *failure, const struct order *orders,
                    size_t count)
{
    struct pair *pair = ctx;
    struct waiters asked = pair->asked;
    bool current = false;

    pair->asked = (struct waiters){ 0 };
    pair->flying = false;
    for (size_t i = 0; !current && i < asked.count; i++) {
        const struct host *host = host_of(pair, &asked.list[i]);

        current = host && account_link(host->account) == pair->link;
    }
    if (current) /* else the link was lost since, and who needs the list has asked again */
        tell(pair, &asked, failure, orders, failure->error == EXCHANGE_OK ? count : 0);
    free(asked.list);
    if (!pair->lists->node->stopping)
        schedule(pair->lists);
}

/* --- questions
 * -------------------------------------------------------------------------------------- */

static int64_t gap_ms(const struct lists *lists)
{
    const int64_t gap = (int64_t)lists->pair_count * GAP_EACH_MS;

    return gap < GAP_MIN_MS ? GAP_MIN_MS : gap > GAP_MAX_MS ? GAP_MAX_MS : gap;
}

/* One of the bots that wait, by which the account is known to be there. */
static struct host *anybody(const struct pair *pair)
{
    struct host *host = NULL;

    for (size_t i = 0; !host && i < pair->waiting.count; i++)
        host = host_of(pair, &pair->waiting.list[i]);
    return host;
}

static void ask(struct pair *pair)
{
    const struct exchange_failure busy = { .error = EXCHANGE_VENUE_BUSY,
                                           .message = "the venue takes no question now" };
    const struct host *host = anybody(pair);
    struct waiters waiting = pair->waiting;
    int err = -ENOTCONN;

    pair->waiting = (struct waiters){ 0 };
    pair->sent_ms = now_ms(pair->lists);
    if (host && account_handle(host->account) &&
        owner_opens_account(pair->lists->node->owner, host->account)) {
        pair->asked = waiting;
        pair->flying = true;
        pair->link = account_link(host->account);
        err = account_ops(host->account)
                  ->open_orders(account_handle(host->account), pair->instrument, on_list, pair);
    }
    if (!err)
        return;
    pair->asked = (struct waiters){ 0 };
    pair->flying = false;
    tell(pair, &waiting, &busy, NULL, 0);
    free(waiting.list);
}

static void pair_free(struct pair *pair)
{
    free(pair->waiting.list);
    free(pair->asked.list);
    free(pair);
}

/* Asks what is due, and forgets pairs that nobody has asked about for a while. */
static void on_timer(void *ctx)
{
    struct lists *lists = ctx;
    const int64_t now = now_ms(lists), gap = gap_ms(lists);

    for (struct pair **at = &lists->pairs; *at;) {
        struct pair *pair = *at;

        if (!pair->flying && pair->waiting.count == 0 && now - pair->sent_ms > GAP_MAX_MS) {
            *at = pair->next;
            lists->pair_count--;
            pair_free(pair);
            continue;
        }
        if (!pair->flying && pair->waiting.count > 0 && now - pair->sent_ms >= gap)
            ask(pair);
        at = &pair->next;
    }
    schedule(lists);
}

static void schedule(struct lists *lists)
{
    const int64_t now = now_ms(lists), gap = gap_ms(lists);
    int64_t wait = INT64_MAX;

    for (const struct pair *pair = lists->pairs; pair; pair = pair->next) {
        const int64_t due = pair->sent_ms + (pair->waiting.count > 0 ? gap : GAP_MAX_MS + 1) - now;

        if (!pair->flying && due < wait)
            wait = due > 0 ? due : 0;
    }
    if (wait != INT64_MAX)
        flt_timer_start(lists->timer, (uint64_t)wait, 0);
}

static struct pair *pair_get(struct lists *lists, const struct account *account,
                             const struct instrument *instrument)
{
    struct pair *pair = lists->pairs;

    while (pair && !(pair->account == account && pair->instrument == instrument))
        pair = pair->next;
    if (pair || !(pair = calloc(1, sizeof *pair)))
        return pair;
    pair->lists = lists;
    pair->account = account;
    pair->instrument = instrument;
    pair->sent_ms = now_ms(lists) - GAP_MAX_MS; /* the first leaves with this turn of the loop */
    pair->next = lists->pairs;
    lists->pairs = pair;
    lists->pair_count++;
    return pair;
}

int lists_ask(struct lists *lists, const struct host *host, unsigned leg)
{
    struct pair *pair = pair_get(lists, host->account, host->legs[leg]);
    const int err =
        pair ? waiters_add(&pair->waiting, (struct waiter){ host->serial, leg }) : -ENOMEM;

    if (!err && !pair->flying)
        schedule(lists);
    return err;
}

int lists_create(struct botnode *node, struct lists **out)
{
    struct lists *lists = calloc(1, sizeof *lists);
    const int err = lists ? flt_timer_create(node->loop, on_timer, lists, &lists->timer) : -ENOMEM;

    if (err) {
        free(lists);
        return err;
    }
    lists->node = node;
    *out = lists;
    return 0;
}

void lists_destroy(struct lists *lists)
{
    if (!lists)
        return;
    flt_timer_destroy(lists->timer);
    while (lists->pairs) {
        struct pair *pair = lists->pairs;

        lists->pairs = pair->next;
        pair_free(pair);
    }
    free(lists);
}
