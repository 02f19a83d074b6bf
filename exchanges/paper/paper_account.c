#define FLT_MOD "paper"
#include "exchanges/paper/paper_account.h"
#include "exchanges/codec.h"
#include "exchanges/match/funds.h"
#include "exchanges/match/match.h"
#include "exchanges/paper/paper_news.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DONE_MAX 2000   /* ended orders that can still be asked for */
#define FILLS_MAX 20000 /* fills kept for paper_fills */

struct paper_order {
    struct paper_order *next;
    struct paper_book *book;
    struct order order;
    struct match_order *resting; /* NULL: not in the book */
    struct flt_amt lock, cost;   /* quote or base held; quote paid or got */
    bool ended;
};

struct paper_book { /* one instrument of one account */
    struct paper_book *next;
    struct exchange_account *account;
    const struct instrument *instrument;
    struct match *match;
    bool quoted;
};

struct exchange_account {
    struct exchange_market *market;
    struct news_queue news;
    struct market_tap tap;
    struct funds *funds;
    struct fee_rule fee;
    bool open_handed; /* unknown quote assets are credited at their first order */
    struct paper_book *books;
    struct paper_order *orders;
    size_t order_count;
    struct list fills; /* struct fill */
    int64_t run_ms;    /* wall time of opening: makes ids unique over restarts */
    uint64_t order_number, trade_number;
};

static int64_t now_ms(const struct exchange_account *account)
{
    return flt_wall_ms(flt_loop_clock(market_base(account->market)->env.loop)) +
           market_base(account->market)->ops->clock_offset_ms(account->market);
}

static void tell_balance(struct exchange_account *account, const char *asset)
{
    const struct balance *balance = funds_find(account->funds, asset);
    struct news *news = balance ? news_add(&account->news, NEWS_BALANCE) : NULL;

    if (news)
        news->balance = *balance;
}

static void tell_balances(struct exchange_account *account, const struct instrument *instrument)
{
    tell_balance(account, instrument->base);
    tell_balance(account, instrument->quote);
}

/* --- what the match says --- */

static struct flt_amt amount(const struct instrument *instrument, int64_t ticks, int64_t lots)
{
    return flt_amt_product(ticks_to_price(instrument, ticks), lots_to_qty(instrument, lots),
                           FLT_ROUND_HALF_EVEN);
}

/* What a resting order must still hold. */
static struct flt_amt rest_lock(const struct exchange_account *account,
                                const struct paper_order *order, int64_t rest_lots)
{
    const struct instrument *instrument = order->book->instrument;
    const struct flt_amt qty = flt_amt_from_dec(lots_to_qty(instrument, rest_lots));
    const char *asset;

    if (order->order.type == ORDER_MARKET)
        return order->lock; /* its rest is unlocked at its end, a moment later */
    return funds_needed(
        instrument, &account->fee, order->order.side, qty,
        flt_amt_product(order->order.price, lots_to_qty(instrument, rest_lots), FLT_ROUND_UP),
        &asset);
}

static void keep_fill(struct exchange_account *account, const struct fill *fill)
{
    if (account->fills.count >= FILLS_MAX) { /* the older half goes */
        struct fill *fills = account->fills.items;

        memmove(fills, fills + FILLS_MAX / 2, FILLS_MAX / 2 * sizeof *fills);
        account->fills.count = FILLS_MAX / 2;
    }
    struct fill *slot = list_add(&account->fills, sizeof *slot);

    if (slot)
        *slot = *fill;
}

static void book_fill(struct exchange_account *account, struct paper_order *order,
                      const struct match_fill *match_fill)
{
    const struct instrument *instrument = order->book->instrument;
    const struct flt_amt qty = flt_amt_from_dec(lots_to_qty(instrument, match_fill->qty_lots));
    struct funds_fill money = {
        .instrument = instrument,
        .side = order->order.side,
        .qty = qty,
        .cost = amount(instrument, match_fill->price_ticks, match_fill->qty_lots),
    };
    struct fill fill = { .side = order->order.side,
                         .price = ticks_to_price(instrument, match_fill->price_ticks),
                         .qty = lots_to_qty(instrument, match_fill->qty_lots),
                         .liquidity = match_fill->liquidity,
                         .ts_ms = match_fill->ts_ms };
    const int64_t rest = match_fill->order->req.qty_lots - match_fill->order->filled_lots;

    money.fee = funds_fee(&account->fee, money.side, match_fill->liquidity, money.qty, money.cost,
                          &money.fee_in_base);
    if (funds_settle(account->funds, &money, &order->lock, rest_lock(account, order, rest)) != 0)
        (void)FLT_FAIL(-EIO, "order=%s why=\"a paper fill beyond its lock\"",
                       order->order.client_order_id);
    order->cost = flt_amt_add(order->cost, money.cost);
    fill.fee = money.fee;
    memcpy(fill.instrument, instrument->name, sizeof fill.instrument);
    memcpy(fill.order_id, order->order.order_id, sizeof fill.order_id);
    memcpy(fill.client_order_id, order->order.client_order_id, sizeof fill.client_order_id);
    snprintf(fill.fee_asset, sizeof fill.fee_asset, "%s",
             money.fee_in_base ? instrument->base : instrument->quote);
    snprintf(fill.trade_id, sizeof fill.trade_id, "%" PRIx64 "-%" PRIu64, (uint64_t)account->run_ms,
             ++account->trade_number);
    keep_fill(account, &fill);
    struct news *news = news_add(&account->news, NEWS_FILL);

    if (news)
        news->fill = fill;
}

static void update(struct paper_order *order, const struct match_order *from, int64_t ts_ms)
{
    const struct instrument *instrument = order->book->instrument;
    const struct flt_dec filled = lots_to_qty(instrument, from->filled_lots);

    order->order.filled_qty = filled;
    order->order.ts_ms = ts_ms;
    if (from->filled_lots > 0) {
        order->order.status = ORDER_STATUS_PARTLY_FILLED;
        order->order.average_price =
            flt_amt_to_dec(flt_amt_div(order->cost, flt_amt_from_dec(filled), FLT_ROUND_HALF_EVEN),
                           10, FLT_ROUND_HALF_EVEN);
    }
}

static void on_fill(void *ctx, const struct match_fill *fill)
{
    struct paper_book *book = ctx;
    struct paper_order *order = fill->order->req.user;

    book_fill(book->account, order, fill);
    update(order, fill->order, fill->ts_ms);
    if (fill->order->filled_lots < fill->order->req.qty_lots)
        news_order(&book->account->news, NEWS_ORDER, &order->order);
}

static void on_done(void *ctx, const struct match_order *from, enum match_end end)
{
    struct paper_book *book = ctx;
    struct paper_order *order = from->req.user;
    const struct instrument *instrument = book->instrument;
    const char *asset = order->order.side == SIDE_BUY ? instrument->quote : instrument->base;

    order->order.status = end == MATCH_FILLED      ? ORDER_STATUS_FILLED
                          : end == MATCH_CANCELLED ? ORDER_STATUS_CANCELLED
                                                   : ORDER_STATUS_EXPIRED;
    order->order.ts_ms = now_ms(book->account);
    order->resting = NULL;
    order->ended = true;
    if (flt_amt_sign(order->lock) > 0)
        funds_unlock(book->account->funds, asset, order->lock);
    order->lock = FLT_AMT_ZERO;
    news_order(&book->account->news, NEWS_ORDER, &order->order);
    tell_balances(book->account, instrument);
}

/* --- the market --- */

static struct paper_book *find_book(const struct exchange_account *account,
                                    const struct instrument *instrument)
{
    struct paper_book *book = account->books;

    while (book && book->instrument != instrument)
        book = book->next;
    return book;
}

static void tap_quote(void *ctx, const struct instrument *instrument, const struct quote *quote)
{
    struct paper_book *book = find_book(ctx, instrument);

    if (!book)
        return;
    book->quoted = true;
    match_quote(book->match, quote);
}

static void tap_trade(void *ctx, const struct instrument *instrument, const struct trade *trade)
{
    struct paper_book *book = find_book(ctx, instrument);

    if (book)
        (void)match_trade(book->match, trade);
}

static void tap_link(void *ctx, bool up, const char *reason)
{
    struct exchange_account *account = ctx;

    (void)up;
    (void)reason;
    if (up)
        return;
    for (struct paper_book *book = account->books; book; book = book->next)
        book->quoted = false; /* nothing trades at prices that nobody sees */
}

static int open_book(struct exchange_account *account, const struct instrument *instrument,
                     struct paper_book **out)
{
    struct paper_book *book = find_book(account, instrument);
    const unsigned feeds = FEED_QUOTE | FEED_TRADE;

    if (book) {
        *out = book;
        return 0;
    }
    book = calloc(1, sizeof *book);
    if (!book)
        return -ENOMEM;
    book->account = account;
    book->instrument = instrument;
    const struct match_events events = { .ctx = book, .on_fill = on_fill, .on_done = on_done };
    int err = match_create(NULL, &events, &book->match);

    if (err == 0)
        err = market_base(account->market)->ops->subscribe(account->market, instrument, feeds);
    if (err != 0) {
        match_destroy(book->match);
        free(book);
        return err;
    }
    book->next = account->books;
    account->books = book;
    *out = book;
    return 0;
}

/* --- orders --- */

static struct paper_order *find_order(const struct exchange_account *account,
                                      const char *client_order_id)
{
    struct paper_order *order = account->orders;

    while (order && strcmp(order->order.client_order_id, client_order_id) != 0)
        order = order->next;
    return order;
}

/* Ended orders beyond DONE_MAX are forgotten, oldest first. */
static void prune(struct exchange_account *account)
{
    if (account->order_count < 2 * DONE_MAX)
        return;
    size_t seen = 0;

    for (struct paper_order **at = &account->orders, *order; (order = *at) != NULL;) {
        if (order->ended && ++seen > DONE_MAX) {
            *at = order->next;
            free(order);
            account->order_count--;
        } else {
            at = &order->next;
        }
    }
}

static struct paper_order *new_order(struct exchange_account *account, struct paper_book *book,
                                     const struct order_request *request)
{
    struct paper_order *order = calloc(1, sizeof *order);

    if (!order)
        return NULL;
    prune(account);
    order->book = book;
    order->order =
        (struct order){ .side = request->side,
                        .type = request->type,
                        .tif = request->tif,
                        .post_only = request->post_only,
                        .price = request->type == ORDER_LIMIT ? request->price : FLT_DEC_ZERO,
                        .qty = request->qty,
                        .status = ORDER_STATUS_OPEN,
                        .ts_ms = now_ms(account) };
    memcpy(order->order.instrument, book->instrument->name, sizeof order->order.instrument);
    memcpy(order->order.client_order_id, request->client_order_id,
           sizeof order->order.client_order_id);
    snprintf(order->order.order_id, sizeof order->order.order_id, "%" PRIx64 "-%" PRIu64,
             (uint64_t)account->run_ms, ++account->order_number);
    order->next = account->orders;
    account->orders = order;
    account->order_count++;
    return order;
}

static void match_request(const struct order_request *request, struct paper_order *order,
                          struct match_request *out)
{
    const struct instrument *instrument = request->instrument;

    *out = (struct match_request){
        .user = order,
        .side = request->side,
        .kind = request->type == ORDER_MARKET ? MATCH_MARKET : MATCH_LIMIT,
        .tif = request->tif,
        .post_only = request->post_only,
        .qty_lots = qty_to_lots(instrument, request->qty, FLT_ROUND_DOWN),
    };
    if (request->type == ORDER_LIMIT)
        out->price_ticks = price_to_ticks(instrument, request->price, FLT_ROUND_HALF_EVEN);
}

/* The most the order can spend. */
static int lock_funds(struct exchange_account *account, struct paper_order *order,
                      const struct match_request *request)
{
    const struct instrument *instrument = order->book->instrument;
    struct match_preview preview = { 0 };
    struct flt_amt cost = flt_amt_product(order->order.price, order->order.qty, FLT_ROUND_UP);
    const char *asset;

    if (request->kind == MATCH_MARKET) {
        match_preview(order->book->match, request, &preview);
        cost =
            flt_amt_product(ticks_to_price(instrument, preview.lots > 0 ? preview.worst_ticks : 0),
                            lots_to_qty(instrument, preview.lots), FLT_ROUND_UP);
    }
    order->lock = funds_needed(instrument, &account->fee, order->order.side,
                               flt_amt_from_dec(order->order.qty), cost, &asset);
    if (account->open_handed && !funds_find(account->funds, instrument->quote) &&
        funds_add(account->funds, instrument->quote, flt_amt_from_int(EXCHANGE_PAPER_FUNDS)) != 0)
        return -ENOMEM;
    const int outcome = funds_lock(account->funds, asset, order->lock);

    if (outcome != 0)
        order->lock = FLT_AMT_ZERO;
    return outcome;
}

static void unlock_funds(struct exchange_account *account, struct paper_order *order)
{
    const struct instrument *instrument = order->book->instrument;

    if (flt_amt_sign(order->lock) > 0)
        funds_unlock(account->funds,
                     order->order.side == SIDE_BUY ? instrument->quote : instrument->base,
                     order->lock);
    order->lock = FLT_AMT_ZERO;
}

static void reject(struct exchange_account *account, struct paper_order *order,
                   enum exchange_error error, const char *why)
{
    unlock_funds(account, order);
    order->order.status = ORDER_STATUS_REJECTED;
    order->ended = true;
    news_result(&account->news, NEWS_PLACED, order->order.client_order_id, error, why);
    /* A venue does not know an order that it refused. */
    account->orders = order->next;
    account->order_count--;
    free(order);
}

static void enter(struct exchange_account *account, struct paper_order *order,
                  const struct order_request *request)
{
    struct match_request wish;

    match_request(request, order, &wish);
    if (request->type == ORDER_MARKET && !order->book->quoted) {
        reject(account, order, EXCHANGE_MARKET_CLOSED, "no price has been seen yet");
        return;
    }
    if (lock_funds(account, order, &wish) != 0) {
        reject(account, order, EXCHANGE_INSUFFICIENT_FUNDS, "the paper account holds less");
        return;
    }
    const int outcome = match_place(order->book->match, now_ms(account), &wish, &order->resting);

    if (outcome == MATCH_WOULD_TAKE) {
        reject(account, order, EXCHANGE_POST_ONLY_WOULD_TAKE, "the order would match at once");
    } else if (outcome != 0) {
        reject(account, order, EXCHANGE_INVALID_ORDER, "the matching refused the order");
    } else {
        news_order(&account->news, NEWS_PLACED, &order->order);
        tell_balances(account, order->book->instrument);
    }
}

static int check(const struct order_request *request, struct flt_error *error)
{
    const struct op_args args = { .instrument = request->instrument,
                                  .type = request->type,
                                  .qty = request->qty,
                                  .price = request->price };

    if (request->post_only && (request->type != ORDER_LIMIT || request->tif != TIF_GTC))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "post_only", "",
                             "post_only needs a limit order that stays");
    return op_check_order(&args, error);
}

int paper_place(struct exchange_account *account, const struct order_request *request)
{
    struct flt_error error = { 0 };
    struct paper_book *book;
    struct paper_order *order = find_order(account, request->client_order_id);

    if (order && !order->ended) {
        news_result(&account->news, NEWS_PLACED, request->client_order_id,
                    EXCHANGE_DUPLICATE_CLIENT_ID, "an open order has this id");
        return 0;
    }
    if (check(request, &error) != 0) {
        news_result(&account->news, NEWS_PLACED, request->client_order_id, EXCHANGE_INVALID_ORDER,
                    error.message);
        return 0;
    }
    const int err = open_book(account, request->instrument, &book);

    if (err != 0)
        return err;
    order = new_order(account, book, request);
    if (!order)
        return -ENOMEM;
    enter(account, order, request);
    return 0;
}

int paper_cancel(struct exchange_account *account, const struct instrument *instrument,
                 const char *client_order_id)
{
    struct paper_order *order = find_order(account, client_order_id);

    (void)instrument;
    if (!order || !order->resting) {
        news_result(&account->news, NEWS_CANCELLED, client_order_id, EXCHANGE_ORDER_NOT_FOUND,
                    "unknown, or already done");
        return 0;
    }
    match_cancel(order->book->match, now_ms(account), order->resting);
    news_result(&account->news, NEWS_CANCELLED, client_order_id, EXCHANGE_OK, "");
    return 0;
}

/* --- questions --- */

static int answer_order(struct exchange_account *account, const struct paper_order *order,
                        exchange_order_fn *fn, void *ctx)
{
    struct news *news = news_add(&account->news, NEWS_ANSWER_ORDER);

    if (!news)
        return -ENOMEM;
    news->order_fn = fn;
    news->ctx = ctx;
    news->has_order = order != NULL;
    if (order)
        news->order = order->order;
    else
        news_fail(&news->failure, EXCHANGE_ORDER_NOT_FOUND, "no such order");
    return 0;
}

int paper_query_order(struct exchange_account *account, const struct instrument *instrument,
                      const char *client_order_id, exchange_order_fn *fn, void *ctx)
{
    (void)instrument;
    return answer_order(account, find_order(account, client_order_id), fn, ctx);
}

int paper_query_order_id(struct exchange_account *account, const struct instrument *instrument,
                         const char *order_id, exchange_order_fn *fn, void *ctx)
{
    const struct paper_order *order = account->orders;

    (void)instrument;
    while (order && strcmp(order->order.order_id, order_id) != 0)
        order = order->next;
    return answer_order(account, order, fn, ctx);
}

static int tell_list(struct exchange_account *account, enum news_kind kind, struct list *list,
                     void *ctx, struct news **out)
{
    *out = news_add(&account->news, kind);
    if (!*out) {
        free(list->items);
        return -ENOMEM;
    }
    (*out)->list = list->items;
    (*out)->count = list->count;
    (*out)->ctx = ctx;
    return 0;
}

int paper_open_orders(struct exchange_account *account, const struct instrument *instrument,
                      exchange_orders_fn *fn, void *ctx)
{
    struct list list = { 0 };
    struct news *news;

    for (const struct paper_order *order = account->orders; order; order = order->next) {
        if (order->ended || (instrument && order->book->instrument != instrument))
            continue;
        struct order *slot = list_add(&list, sizeof *slot);

        if (slot)
            *slot = order->order;
    }
    const int err = tell_list(account, NEWS_ANSWER_ORDERS, &list, ctx, &news);

    if (err == 0)
        news->orders_fn = fn;
    return err;
}

/* Where the wanted fills begin. */
static size_t first_fill(const struct exchange_account *account, const struct fills_query *query)
{
    const struct fill *fills = account->fills.items;

    for (size_t i = 0; query->from_trade_id && i < account->fills.count; i++)
        if (strcmp(fills[i].trade_id, query->from_trade_id) == 0)
            return i + 1;
    return 0;
}

int paper_fills(struct exchange_account *account, const struct fills_query *query,
                exchange_fills_fn *fn, void *ctx)
{
    const struct fill *fills = account->fills.items;
    const bool newest = !query->from_trade_id && query->since_ms == 0 && !query->order_id;
    const size_t limit = query->limit > 0 ? (size_t)query->limit : 1000;
    struct list list = { 0 };
    struct news *news;

    for (size_t i = first_fill(account, query); i < account->fills.count; i++) {
        if ((query->instrument && strcmp(fills[i].instrument, query->instrument->name) != 0) ||
            (query->order_id && strcmp(fills[i].order_id, query->order_id) != 0) ||
            fills[i].ts_ms < query->since_ms)
            continue;
        if (list.count == limit && !newest)
            break;
        if (list.count == limit) {
            memmove(list.items, (struct fill *)list.items + 1, (limit - 1) * sizeof *fills);
            list.count--;
        }
        struct fill *slot = list_add(&list, sizeof *slot);

        if (slot)
            *slot = fills[i];
    }
    const int err = tell_list(account, NEWS_ANSWER_FILLS, &list, ctx, &news);

    if (err == 0)
        news->fills_fn = fn;
    return err;
}

int paper_balances(struct exchange_account *account, exchange_balances_fn *fn, void *ctx)
{
    struct list list = { 0 };
    struct news *news;

    for (size_t i = 0; i < funds_count(account->funds); i++) {
        struct balance *slot = list_add(&list, sizeof *slot);

        if (slot)
            *slot = *funds_at(account->funds, i);
    }
    const int err = tell_list(account, NEWS_ANSWER_BALANCES, &list, ctx, &news);

    if (err == 0)
        news->balances_fn = fn;
    return err;
}

int64_t paper_request_life_ms(struct exchange_account *account)
{
    (void)account;
    return 1; /* nothing is ever under way */
}

/* --- life --- */

/* "USDT=100000,BTC=0.5" */
static int read_balances(struct exchange_account *account, const char *text)
{
    char copy[8192]; /* both assets of 64 legs */
    char *rest = copy, *item;

    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
        return FLT_FAIL(-EINVAL, "why=\"too many paper balances\"");
    while ((item = strsep(&rest, ",")) != NULL) {
        char *equals = strchr(item, '=');

        if (!equals)
            return FLT_FAIL(-EINVAL, "why=\"paper balances are like USDT=100000,BTC=0.5\"");
        *equals = '\0';
        const struct flt_amt value = flt_amt_parse(equals + 1);

        if (!flt_amt_ok(value) || flt_amt_sign(value) < 0 || strlen(item) >= ASSET_MAX ||
            funds_add(account->funds, item, value) != 0)
            return FLT_FAIL(-EINVAL, "asset=%s why=\"not an amount for paper balances\"", item);
    }
    return 0;
}

static int fill_funds(struct exchange_account *account,
                      const struct exchange_credentials *credentials)
{
    const char *text = credentials ? credentials->paper_balances : NULL;

    if (!text && credentials && credentials->key && strchr(credentials->key, '='))
        text = credentials->key;
    account->open_handed = text == NULL;
    return text ? read_balances(account, text) : 0;
}

int paper_account_open(struct exchange_market *market,
                       const struct exchange_credentials *credentials,
                       const struct exchange_account_events *events, struct exchange_account **out)
{
    struct exchange_account *account = calloc(1, sizeof *account);

    if (!account)
        return -ENOMEM;
    account->market = market;
    account->fee = (struct fee_rule){ .maker = flt_dec_parse("0.001"),
                                      .taker = flt_dec_parse("0.001"),
                                      .asset = FEE_RECEIVED };
    account->run_ms = now_ms(account);
    int err = news_open(&account->news, market_base(market)->env.loop, events);

    if (err == 0)
        err = funds_create(&account->funds);
    if (err == 0)
        err = fill_funds(account, credentials);
    if (err != 0) {
        paper_account_close(account);
        return err;
    }
    account->tap = (struct market_tap){
        .ctx = account, .on_quote = tap_quote, .on_trade = tap_trade, .on_link = tap_link
    };
    market_tap_add(market, &account->tap);
    struct news *news = news_add(&account->news, NEWS_LINK);

    if (news)
        news->up = true;
    *out = account;
    return 0;
}

static void free_books(struct exchange_account *account)
{
    for (struct paper_book *book = account->books, *next; book; book = next) {
        next = book->next;
        market_base(account->market)
            ->ops->unsubscribe(account->market, book->instrument, FEED_QUOTE | FEED_TRADE);
        match_destroy(book->match);
        free(book);
    }
}

void paper_account_close(struct exchange_account *account)
{
    if (!account)
        return;
    market_tap_remove(account->market, &account->tap);
    free_books(account);
    for (struct paper_order *order = account->orders, *next; order; order = next) {
        next = order->next;
        free(order);
    }
    news_close(&account->news);
    funds_destroy(account->funds);
    free(account->fills.items);
    free(account);
}
