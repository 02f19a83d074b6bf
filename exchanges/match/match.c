#include "exchanges/match/match.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ORDERS_MAX_DEFAULT 4096
#define LEVELS_DEFAULT 20
#define LOTS_UNLIMITED (INT64_MAX / 4)

/* Sorted worst first, so that the best order, which comes and goes most, is at the end. */
struct book {
    struct match_order **orders;
    size_t count;
};

/* The outside's levels of one side: how much of each was taken since the last quote. */
struct outside {
    int64_t taken[MATCH_LEVELS_MAX + 1];
    bool touched; /* anything in `taken` is above zero */
};

struct match {
    struct match_options options;
    struct match_events events;
    struct match_order *pool;
    struct match_order **unused;
    size_t unused_count;
    struct book books[2];      /* by side */
    struct outside outside[2]; /* by side */
    struct quote quote;        /* as last told */
    struct quote left;         /* the same, reduced by what was taken */
    uint64_t sequence, trade_number;
    bool busy; /* inside a call: callbacks must not come back */
};

static void set_defaults(struct match_options *options)
{
    if (options->orders_max == 0)
        options->orders_max = ORDERS_MAX_DEFAULT;
    if (options->depth_levels == 0)
        options->depth_levels = LEVELS_DEFAULT;
    if (options->depth_levels > MATCH_LEVELS_MAX)
        options->depth_levels = MATCH_LEVELS_MAX;
    if (options->depth_step_ticks <= 0)
        options->depth_step_ticks = 1;
    if (options->candle_spread_ticks <= 0)
        options->candle_spread_ticks = 1;
    if (options->candle_lots <= 0)
        options->candle_lots = LOTS_UNLIMITED;
}

int match_create(const struct match_options *options, const struct match_events *events,
                 struct match **out)
{
    struct match *match = calloc(1, sizeof *match);

    if (!match)
        return -ENOMEM;
    if (options)
        match->options = *options;
    set_defaults(&match->options);
    if (events)
        match->events = *events;
    const size_t max = match->options.orders_max;

    match->pool = calloc(max, sizeof *match->pool);
    match->unused = calloc(max, sizeof(struct match_order *));
    match->books[SIDE_BUY].orders = calloc(max, sizeof(struct match_order *));
    match->books[SIDE_SELL].orders = calloc(max, sizeof(struct match_order *));
    if (!match->pool || !match->unused || !match->books[SIDE_BUY].orders ||
        !match->books[SIDE_SELL].orders) {
        match_destroy(match);
        return -ENOMEM;
    }
    while (match->unused_count < max) {
        match->unused[match->unused_count] = &match->pool[max - 1 - match->unused_count];
        match->unused_count++;
    }
    *out = match;
    return 0;
}

void match_destroy(struct match *match)
{
    if (!match)
        return;
    free(match->books[SIDE_BUY].orders);
    free(match->books[SIDE_SELL].orders);
    free(match->unused);
    free(match->pool);
    free(match);
}

/* --- the book -------------------------------------------------------------------------------- */

/* Is price `a` better than `b` for somebody resting on `side`? */
static bool is_better(enum side side, int64_t a, int64_t b)
{
    return side == SIDE_BUY ? a > b : a < b;
}

/* Where an order of that price and sequence stands: behind its equals, which came before. */
static size_t place_of(const struct book *book, enum side side, int64_t price, uint64_t sequence)
{
    size_t low = 0, high = book->count;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const struct match_order *order = book->orders[mid];
        const bool before = is_better(side, price, order->req.price_ticks) ||
                            (price == order->req.price_ticks && sequence < order->sequence);

        if (before)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void book_insert(struct book *book, struct match_order *order)
{
    const size_t at = place_of(book, order->req.side, order->req.price_ticks, order->sequence);

    memmove(&book->orders[at + 1], &book->orders[at],
            (book->count - at) * sizeof(struct match_order *));
    book->orders[at] = order;
    book->count++;
}

static void book_remove(struct book *book, const struct match_order *order)
{
    const size_t at = place_of(book, order->req.side, order->req.price_ticks, order->sequence);

    assert(at < book->count && book->orders[at] == order);
    memmove(&book->orders[at], &book->orders[at + 1],
            (book->count - at - 1) * sizeof(struct match_order *));
    book->count--;
}

static struct match_order *best_of(const struct book *book)
{
    return book->count ? book->orders[book->count - 1] : NULL;
}

static int64_t rest_of(const struct match_order *order)
{
    return order->req.qty_lots - order->filled_lots;
}

static void finish(struct match *match, struct match_order *order, bool in_book, enum match_end end)
{
    if (in_book)
        book_remove(&match->books[order->req.side], order);
    if (match->events.on_done)
        match->events.on_done(match->events.ctx, order, end);
    match->unused[match->unused_count++] = order;
}

static void report(struct match *match, struct match_order *order, const struct match_order *other,
                   int64_t ts_ms, int64_t price, int64_t lots, enum liquidity liquidity)
{
    const struct match_fill fill = {
        order, other, ts_ms, price, lots, liquidity, match->trade_number
    };

    if (match->events.on_fill)
        match->events.on_fill(match->events.ctx, &fill);
}

static void count_fill(struct match_order *order, int64_t price, int64_t lots)
{
    order->filled_lots += lots;
    order->cost += (flt_i128)price * lots;
    assert(order->req.qty_lots == 0 || order->filled_lots <= order->req.qty_lots);
}

/* A resting order trades with the outside. */
static void fill_maker(struct match *match, struct match_order *order, int64_t ts_ms, int64_t lots)
{
    match->trade_number++;
    count_fill(order, order->req.price_ticks, lots);
    report(match, order, NULL, ts_ms, order->req.price_ticks, lots, LIQUIDITY_MAKER);
    if (rest_of(order) == 0)
        finish(match, order, true, MATCH_FILLED);
}

/* --- the outside's depth -----------------------------------------------------------------------
 */

static int64_t quote_price(const struct quote *quote, enum side side)
{
    return side == SIDE_BUY ? quote->bid_ticks : quote->ask_ticks;
}

static int64_t quote_lots(const struct quote *quote, enum side side)
{
    return side == SIDE_BUY ? quote->bid_lots : quote->ask_lots;
}

static int64_t level_price(const struct match *match, enum side side, unsigned level)
{
    const int64_t away = match->options.depth_step_ticks * (int64_t)level;

    return side == SIDE_BUY ? match->quote.bid_ticks - away : match->quote.ask_ticks + away;
}

/* 50 to 150 of a hundred, always the same at the same price, so that depth looks alike each time.
 */
static int64_t size_pct(int64_t price)
{
    uint64_t x = (uint64_t)price * 0x9e3779b97f4a7c15u;

    x ^= x >> 29;
    return 50 + (int64_t)(x % 101);
}

static int64_t level_shown(const struct match *match, enum side side, unsigned level)
{
    const int64_t top = quote_lots(&match->quote, side);
    const int64_t base = match->options.depth_lots ? match->options.depth_lots : top;

    if (quote_price(&match->quote, side) <= 0)
        return 0;
    if (level == 0)
        return top;
    if (level_price(match, side, level) <= 0)
        return 0;
    if (base >= LOTS_UNLIMITED)
        return base;
    const int64_t lots =
        (int64_t)((flt_i128)base * size_pct(level_price(match, side, level)) / 100);

    return lots > 0 ? lots : 1;
}

static int64_t level_left(const struct match *match, enum side side, unsigned level)
{
    return level_shown(match, side, level) - match->outside[side].taken[level];
}

static void level_take(struct match *match, enum side side, unsigned level, int64_t lots)
{
    match->outside[side].taken[level] += lots;
    match->outside[side].touched = true;
    if (level == 0 && side == SIDE_BUY)
        match->left.bid_lots -= lots;
    if (level == 0 && side == SIDE_SELL)
        match->left.ask_lots -= lots;
}

/* The outside quantity that a new order of this price stands behind. */
static int64_t queue_ahead(const struct match *match, enum side side, int64_t price)
{
    const int64_t top = quote_price(&match->quote, side);

    if (top <= 0 || is_better(side, price, top))
        return 0;
    const int64_t away = side == SIDE_BUY ? top - price : price - top;
    const int64_t level = away / match->options.depth_step_ticks;

    if (away % match->options.depth_step_ticks != 0 || level > match->options.depth_levels)
        return match->options.depth_lots ? match->options.depth_lots
                                         : quote_lots(&match->quote, side);
    return level_left(match, side, (unsigned)level);
}

/* --- takers ------------------------------------------------------------------------------------
 */

/* Walks what a taker meets, best price first; the outside before ours at one price. */
struct walk {
    const struct match *match;
    enum side side; /* of the resting side */
    unsigned level;
    size_t own_left; /* our orders not yet met: orders[own_left - 1] is next */
};

struct piece {
    int64_t price_ticks, lots;
    struct match_order *order; /* NULL: the outside */
    unsigned level;
};

static struct walk walk_begin(const struct match *match, enum side taker_side)
{
    const enum side side = side_opposite(taker_side);

    return (struct walk){ match, side, 0, match->books[side].count };
}

static bool walk_next(struct walk *walk, struct piece *out)
{
    const struct match *match = walk->match;
    const struct book *book = &match->books[walk->side];
    struct match_order *own = walk->own_left ? book->orders[walk->own_left - 1] : NULL;

    while (walk->level <= match->options.depth_levels &&
           level_left(match, walk->side, walk->level) <= 0)
        walk->level++;
    const bool outside = walk->level <= match->options.depth_levels;

    if (!own && !outside)
        return false;
    const int64_t price = outside ? level_price(match, walk->side, walk->level) : 0;

    if (own && (!outside || is_better(walk->side, own->req.price_ticks, price))) {
        *out = (struct piece){ own->req.price_ticks, rest_of(own), own, 0 };
        walk->own_left--;
        return true;
    }
    *out = (struct piece){ price, level_left(match, walk->side, walk->level), NULL, walk->level };
    walk->level++;
    return true;
}

/* Is a resting price within what the taker accepts? */
static bool accepts(const struct match_request *taker, int64_t price)
{
    if (taker->kind == MATCH_MARKET)
        return true;
    return taker->side == SIDE_BUY ? price <= taker->price_ticks : price >= taker->price_ticks;
}

/* Lots the taker still wants at this price. */
static int64_t wanted(const struct match_request *taker, int64_t filled, flt_i128 cost,
                      int64_t price)
{
    int64_t lots = taker->qty_lots ? taker->qty_lots - filled : LOTS_UNLIMITED;

    if (taker->budget) {
        const flt_i128 afford = (taker->budget - cost) / price;

        if (afford < lots)
            lots = (int64_t)afford;
    }
    return lots;
}

static bool is_own(const struct match_request *taker, const struct match_order *maker)
{
    return maker && taker->stp != MATCH_STP_NONE && maker->req.account == taker->account;
}

void match_preview(const struct match *match, const struct match_request *request,
                   struct match_preview *out)
{
    struct walk walk = walk_begin(match, request->side);
    struct piece piece;

    *out = (struct match_preview){ 0, 0, MATCH_NO_PRICE };
    while (walk_next(&walk, &piece) && accepts(request, piece.price_ticks)) {
        if (is_own(request, piece.order)) {
            if (request->stp != MATCH_STP_EXPIRE_MAKER)
                break;
            continue;
        }
        int64_t lots = wanted(request, out->lots, out->cost, piece.price_ticks);

        if (lots <= 0)
            break;
        if (lots > piece.lots)
            lots = piece.lots;
        out->lots += lots;
        out->cost += (flt_i128)lots * piece.price_ticks;
        out->worst_ticks = piece.price_ticks;
    }
}

static void trade_with(struct match *match, struct match_order *taker, const struct piece *piece,
                       int64_t ts_ms, int64_t lots)
{
    struct match_order *maker = piece->order;

    match->trade_number++;
    count_fill(taker, piece->price_ticks, lots);
    if (maker)
        count_fill(maker, piece->price_ticks, lots);
    else
        level_take(match, side_opposite(taker->req.side), piece->level, lots);
    report(match, taker, maker, ts_ms, piece->price_ticks, lots, LIQUIDITY_TAKER);
    if (!maker)
        return;
    report(match, maker, taker, ts_ms, piece->price_ticks, lots, LIQUIDITY_MAKER);
    if (rest_of(maker) == 0)
        finish(match, maker, true, MATCH_FILLED);
}

/* Takes all it may. True: the taker ended by self-trade prevention (and is finished). */
static bool take(struct match *match, struct match_order *taker, int64_t ts_ms)
{
    const enum match_stp stp = taker->req.stp;

    for (;;) {
        struct walk walk = walk_begin(match, taker->req.side);
        struct piece piece;

        if (!walk_next(&walk, &piece) || !accepts(&taker->req, piece.price_ticks))
            return false;
        int64_t lots = wanted(&taker->req, taker->filled_lots, taker->cost, piece.price_ticks);

        if (lots <= 0)
            return false;
        if (is_own(&taker->req, piece.order)) {
            if (stp != MATCH_STP_EXPIRE_TAKER)
                finish(match, piece.order, true, MATCH_EXPIRED_STP);
            if (stp == MATCH_STP_EXPIRE_MAKER)
                continue;
            finish(match, taker, false, MATCH_EXPIRED_STP);
            return true;
        }
        trade_with(match, taker, &piece, ts_ms, lots < piece.lots ? lots : piece.lots);
    }
}

static bool request_ok(const struct match_request *request)
{
    if (request->qty_lots < 0 || request->budget < 0 ||
        (request->qty_lots == 0 && !request->budget))
        return false;
    if (request->kind == MATCH_LIMIT)
        return request->price_ticks > 0 && request->qty_lots > 0 && !request->budget;
    return !request->post_only;
}

/* Would a limit order of this kind trade at once? */
static bool would_take(const struct match *match, const struct match_request *request)
{
    const int64_t best = match_best(match, request->side);

    return best != MATCH_NO_PRICE && accepts(request, best);
}

static struct match_order *take_slot(struct match *match, int64_t ts_ms,
                                     const struct match_request *request)
{
    struct match_order *order = match->unused[--match->unused_count];

    *order =
        (struct match_order){ .req = *request, .placed_ms = ts_ms, .sequence = ++match->sequence };
    return order;
}

/* What becomes of an accepted order. True: it rests. */
static bool settle_new(struct match *match, struct match_order *order, int64_t ts_ms)
{
    const struct match_request *req = &order->req;

    if (req->kind == MATCH_LIMIT && req->tif == TIF_FOK) {
        struct match_preview preview;

        match_preview(match, req, &preview);
        if (preview.lots < req->qty_lots) {
            finish(match, order, false, MATCH_EXPIRED);
            return false;
        }
    }
    if (take(match, order, ts_ms))
        return false;
    if (req->qty_lots && rest_of(order) == 0) {
        finish(match, order, false, MATCH_FILLED);
        return false;
    }
    if (req->kind == MATCH_MARKET || req->tif != TIF_GTC) {
        const bool spent = req->budget && !req->qty_lots && order->filled_lots > 0;

        finish(match, order, false, spent ? MATCH_FILLED : MATCH_EXPIRED);
        return false;
    }
    order->queue_lots = queue_ahead(match, req->side, req->price_ticks);
    book_insert(&match->books[req->side], order);
    return true;
}

int match_place(struct match *match, int64_t ts_ms, const struct match_request *request,
                struct match_order **out)
{
    if (out)
        *out = NULL;
    if (!request_ok(request))
        return -EINVAL;
    if (match->unused_count == 0)
        return MATCH_FULL;
    if (request->post_only && would_take(match, request))
        return MATCH_WOULD_TAKE;
    assert(!match->busy);
    match->busy = true;
    struct match_order *order = take_slot(match, ts_ms, request);

    if (match->events.on_ack)
        match->events.on_ack(match->events.ctx, order);
    const bool rests = settle_new(match, order, ts_ms);

    match->busy = false;
    if (rests && out)
        *out = order;
    return 0;
}

void match_cancel(struct match *match, int64_t ts_ms, struct match_order *order)
{
    (void)ts_ms;
    assert(!match->busy);
    match->busy = true;
    finish(match, order, true, MATCH_CANCELLED);
    match->busy = false;
}

int match_shrink(struct match *match, struct match_order *order, int64_t qty_lots)
{
    (void)match;
    if (qty_lots >= order->req.qty_lots || qty_lots <= order->filled_lots)
        return -EINVAL;
    order->req.qty_lots = qty_lots;
    return 0;
}

int match_restore(struct match *match, int64_t placed_ms, const struct match_request *request,
                  int64_t filled_lots, flt_i128 cost, struct match_order **out)
{
    if (!request_ok(request) || request->kind != MATCH_LIMIT || filled_lots < 0 ||
        filled_lots >= request->qty_lots)
        return -EINVAL;
    if (match->unused_count == 0)
        return MATCH_FULL;
    struct match_order *order = take_slot(match, placed_ms, request);

    order->filled_lots = filled_lots;
    order->cost = cost;
    order->queue_lots = queue_ahead(match, request->side, request->price_ticks);
    book_insert(&match->books[request->side], order);
    *out = order;
    return 0;
}

/* --- the outside moves -------------------------------------------------------------------------
 */

static void fresh_levels(struct match *match, enum side side)
{
    if (!match->outside[side].touched)
        return;
    memset(match->outside[side].taken, 0, sizeof match->outside[side].taken);
    match->outside[side].touched = false;
}

/* The outside stands at `price` on the other side of `side`: what of ours is beyond it is gone. */
static void fill_passed(struct match *match, enum side side, int64_t ts_ms, int64_t price)
{
    struct match_order *order;

    while ((order = best_of(&match->books[side])) && is_better(side, order->req.price_ticks, price))
        fill_maker(match, order, ts_ms, rest_of(order));
}

/* The outside's new quote stands at our orders' price: they trade up to the displayed size. */
static void fill_touched(struct match *match, enum side side, int64_t ts_ms)
{
    const enum side outside = side_opposite(side);
    const int64_t price = quote_price(&match->quote, outside);
    struct match_order *order;

    while ((order = best_of(&match->books[side])) && order->req.price_ticks == price) {
        const int64_t left = level_left(match, outside, 0), rest = rest_of(order);
        const int64_t lots = rest < left ? rest : left;

        if (lots <= 0)
            return;
        level_take(match, outside, 0, lots);
        fill_maker(match, order, ts_ms, lots);
    }
}

/* Nobody can be ahead of us in a queue longer than what is displayed at our price. */
static void shorten_queues(struct match *match, enum side side)
{
    const struct book *book = &match->books[side];
    const int64_t top = quote_price(&match->quote, side);

    for (size_t i = book->count; i > 0; i--) {
        struct match_order *order = book->orders[i - 1];

        if (is_better(side, top, order->req.price_ticks))
            return;
        const int64_t shown = order->req.price_ticks == top ? quote_lots(&match->quote, side) : 0;

        if (order->queue_lots > shown)
            order->queue_lots = shown;
    }
}

static void fill_by_quote(struct match *match, enum side side, int64_t ts_ms)
{
    const int64_t price = quote_price(&match->quote, side_opposite(side));

    if (price <= 0 || match->options.trades_only)
        return;
    fill_passed(match, side, ts_ms, price);
    if (match->options.touch != MATCH_TOUCH_STRICT)
        fill_touched(match, side, ts_ms);
}

void match_quote(struct match *match, const struct quote *quote)
{
    assert(!match->busy);
    match->busy = true;
    match->quote = *quote;
    match->left = *quote;
    fresh_levels(match, SIDE_BUY);
    fresh_levels(match, SIDE_SELL);
    fill_by_quote(match, SIDE_BUY, quote->ts_ms);
    fill_by_quote(match, SIDE_SELL, quote->ts_ms);
    shorten_queues(match, SIDE_BUY);
    shorten_queues(match, SIDE_SELL);
    match->busy = false;
}

/* At the trade's own price, oldest first: each of ours waits until the outside quantity that was
 * there before it is served. That quantity is the same for all who came after it: counted once. */
static int64_t trade_at_price(struct match *match, enum side side, int64_t ts_ms, int64_t price,
                              int64_t qty)
{
    const struct book *book = &match->books[side];
    const bool queues = match->options.touch == MATCH_TOUCH_QUEUE;
    int64_t taken = 0, served = 0; /* by us, and by the queue ahead */

    for (size_t i = book->count; i > 0; i--) {
        struct match_order *order = book->orders[i - 1];

        if (order->req.price_ticks != price)
            break;
        int64_t ahead = queues && order->queue_lots > served ? order->queue_lots - served : 0;

        if (ahead > qty - taken - served)
            ahead = qty - taken - served;
        served += ahead;
        order->queue_lots = order->queue_lots > served ? order->queue_lots - served : 0;
        const int64_t left = qty - taken - served, rest = rest_of(order);

        if (left <= 0 || (queues && order->queue_lots > 0))
            continue; /* those behind still move up */
        taken += rest < left ? rest : left;
        fill_maker(match, order, ts_ms, rest < left ? rest : left);
    }
    return taken;
}

static int64_t fill_by_trade(struct match *match, const struct trade *trade)
{
    const enum side side = side_opposite(trade->aggressor);
    struct match_order *order;
    int64_t taken = 0;

    while ((order = best_of(&match->books[side])) && taken < trade->qty_lots &&
           is_better(side, order->req.price_ticks, trade->price_ticks)) {
        const int64_t rest = rest_of(order), left = trade->qty_lots - taken;
        const int64_t lots = rest < left ? rest : left;

        taken += lots;
        fill_maker(match, order, trade->ts_ms, lots);
    }
    if (taken < trade->qty_lots && match->options.touch != MATCH_TOUCH_STRICT)
        taken +=
            trade_at_price(match, side, trade->ts_ms, trade->price_ticks, trade->qty_lots - taken);
    return taken;
}

int64_t match_trade(struct match *match, const struct trade *trade)
{
    assert(!match->busy);
    match->busy = true;
    const int64_t taken = fill_by_trade(match, trade);

    match->busy = false;
    return taken;
}

/* One leg of a candle's path: the price goes to `price`, and trades there in any quantity. */
static void candle_leg(struct match *match, int64_t ts_ms, int64_t price, bool up)
{
    const enum side side = up ? SIDE_SELL : SIDE_BUY; /* whose resting orders it meets */
    struct match_order *order;

    fill_passed(match, side, ts_ms, price);
    if (match->options.touch != MATCH_TOUCH_FILL)
        return;
    while ((order = best_of(&match->books[side])) && order->req.price_ticks == price)
        fill_maker(match, order, ts_ms, rest_of(order));
}

void match_candle(struct match *match, const struct bar *bar, int64_t timeframe_ms)
{
    const bool rising = bar->close_ticks >= bar->open_ticks;
    const int64_t half = match->options.candle_spread_ticks / 2;
    const int64_t bid = bar->close_ticks - half;
    const struct quote quote = { bar->ts_ms + timeframe_ms, bid,
                                 bid + match->options.candle_spread_ticks,
                                 match->options.candle_lots, match->options.candle_lots };

    assert(!match->busy);
    match->busy = true;
    candle_leg(match, bar->ts_ms, bar->open_ticks, true); /* a gap may open beyond either side */
    candle_leg(match, bar->ts_ms, bar->open_ticks, false);
    const int64_t first = rising ? bar->low_ticks : bar->high_ticks;
    const int64_t second = rising ? bar->high_ticks : bar->low_ticks;

    candle_leg(match, bar->ts_ms + timeframe_ms / 4, first, !rising);
    candle_leg(match, bar->ts_ms + timeframe_ms / 2, second, rising);
    candle_leg(match, bar->ts_ms + timeframe_ms - 1, bar->close_ticks, !rising);
    match->quote = quote;
    match->left = quote;
    fresh_levels(match, SIDE_BUY);
    fresh_levels(match, SIDE_SELL);
    match->busy = false;
}

/* --- views -------------------------------------------------------------------------------------
 */

int64_t match_best(const struct match *match, enum side taker_side)
{
    struct walk walk = walk_begin(match, taker_side);
    struct piece piece;

    return walk_next(&walk, &piece) ? piece.price_ticks : MATCH_NO_PRICE;
}

const struct quote *match_outside(const struct match *match)
{
    return &match->left;
}

size_t match_depth(const struct match *match, enum side side, struct match_level *out, size_t max)
{
    struct walk walk = walk_begin(match, side_opposite(side));
    struct piece piece;
    size_t count = 0;

    while (walk_next(&walk, &piece)) {
        if (count > 0 && out[count - 1].price_ticks == piece.price_ticks) {
            out[count - 1].qty_lots += piece.lots;
            continue;
        }
        if (count == max)
            break;
        out[count++] = (struct match_level){ piece.price_ticks, piece.lots };
    }
    return count;
}

size_t match_count(const struct match *match, enum side side)
{
    return match->books[side].count;
}

struct match_order *match_at(const struct match *match, enum side side, size_t index)
{
    const struct book *book = &match->books[side];

    return index < book->count ? book->orders[book->count - 1 - index] : NULL;
}
