#define FLT_MOD "streams"
#include "exchanges/sim/streams.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/fault.h"

#define TOPICS_MAX 1024 /* of one connection, as at the venue */
#define DAY_MS ((int64_t)86400000)

/* --- sending -------------------------------------------------------------------------------------
 */

/* `json` goes out plain on raw connections and wrapped with the stream's name on combined ones. */
static void publish(struct sim_topic *topic, const struct flt_buf *json)
{
    struct flt_buf wrapped = FLT_BUF_INIT;

    if (json->failed || !topic->subscribers)
        return;
    const int copies = sim_fault_copies(topic->subscribers->session->sim, false);

    flt_buf_printf(&wrapped, "{\"stream\":\"%s\",\"data\":%s}", topic->name, json->data);
    for (struct sim_subscription *sub = topic->subscribers; sub; sub = sub->topic_next) {
        const struct flt_buf *out = sub->session->kind == SIM_SESSION_COMBINED ? &wrapped : json;

        for (int i = 0; i < copies && !out->failed; i++)
            (void)flt_peer_send(sub->session->peer, out->data, out->length);
    }
    flt_buf_finish(&wrapped);
}

static void jw_head(struct flt_buf *buf, const struct sim_market *market, const char *event)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "e", event);
    flt_jw_int(buf, "E", sim_now(market->sim));
    flt_jw_str(buf, "s", market->instrument.venue_symbol);
}

static void jw_trade(struct flt_buf *buf, const struct sim_market *market,
                     const struct trade *trade, bool aggregate)
{
    jw_head(buf, market, aggregate ? "aggTrade" : "trade");
    flt_jw_int(buf, aggregate ? "a" : "t", trade->trade_id);
    sim_jw_price(buf, "p", market, trade->price_ticks);
    sim_jw_qty(buf, "q", market, trade->qty_lots);
    if (aggregate) {
        flt_jw_int(buf, "f", trade->trade_id);
        flt_jw_int(buf, "l", trade->trade_id);
    }
    flt_jw_int(buf, "T", trade->ts_ms);
    flt_jw_bool(buf, "m", trade->aggressor == SIDE_SELL);
    flt_jw_bool(buf, "M", true);
    flt_jw_end(buf, '}');
}

void sim_streams_trade(struct sim_market *market, const struct trade *trade)
{
    struct flt_buf buf = FLT_BUF_INIT;

    for (struct sim_topic *topic = market->topics; topic; topic = topic->next) {
        if (topic->feed != SIM_FEED_TRADE && topic->feed != SIM_FEED_AGG_TRADE)
            continue;
        flt_buf_reset(&buf);
        jw_trade(&buf, market, trade, topic->feed == SIM_FEED_AGG_TRADE);
        publish(topic, &buf);
    }
    flt_buf_finish(&buf);
}

static void best_of(const struct sim_market *market, struct quote *out)
{
    struct match_level bid = { 0, 0 }, ask = { 0, 0 };

    (void)match_depth(market->match, SIDE_BUY, &bid, 1);
    (void)match_depth(market->match, SIDE_SELL, &ask, 1);
    *out = (struct quote){ 0, bid.price_ticks, ask.price_ticks, bid.qty_lots, ask.qty_lots };
}

void sim_streams_book(struct sim_market *market)
{
    struct flt_buf buf = FLT_BUF_INIT;
    struct quote quote;
    struct sim_topic *topic = market->topics;

    while (topic && topic->feed != SIM_FEED_BOOK)
        topic = topic->next;
    if (!topic)
        return;
    best_of(market, &quote);
    if (memcmp(&quote, &market->told, sizeof quote) == 0)
        return;
    market->told = quote;
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_int(&buf, "u", market->update_id);
    flt_jw_str(&buf, "s", market->instrument.venue_symbol);
    sim_jw_price(&buf, "b", market, quote.bid_ticks);
    sim_jw_qty(&buf, "B", market, quote.bid_lots);
    sim_jw_price(&buf, "a", market, quote.ask_ticks);
    sim_jw_qty(&buf, "A", market, quote.ask_lots);
    flt_jw_end(&buf, '}');
    publish(topic, &buf);
    flt_buf_finish(&buf);
}

static void send_kline(struct sim_topic *topic, const struct sim_kline *k, bool closed)
{
    const struct sim_market *market = topic->market;
    struct flt_buf buf = FLT_BUF_INIT;

    jw_head(&buf, market, "kline");
    flt_jw_begin(&buf, "k", '{');
    flt_jw_int(&buf, "t", k->ts_ms);
    flt_jw_int(&buf, "T", sim_interval_close(topic->interval, k->ts_ms));
    flt_jw_str(&buf, "s", market->instrument.venue_symbol);
    flt_jw_str(&buf, "i", sim_intervals[topic->interval].name);
    flt_jw_int(&buf, "f", k->first_id);
    flt_jw_int(&buf, "L", k->last_id);
    sim_jw_price(&buf, "o", market, k->open);
    sim_jw_price(&buf, "c", market, k->close);
    sim_jw_price(&buf, "h", market, k->high);
    sim_jw_price(&buf, "l", market, k->low);
    sim_jw_qty(&buf, "v", market, k->lots);
    flt_jw_int(&buf, "n", k->trades);
    flt_jw_bool(&buf, "x", closed);
    sim_jw_cost(&buf, "q", market, k->cost);
    sim_jw_qty(&buf, "V", market, k->buy_lots);
    sim_jw_cost(&buf, "Q", market, k->buy_cost);
    flt_jw_str(&buf, "B", "0");
    flt_jw_end(&buf, '}');
    flt_jw_end(&buf, '}');
    publish(topic, &buf);
    flt_buf_finish(&buf);
}

/* A minute ended: each longer candle that ended with it is sent once more, closed. */
void sim_streams_kline_closed(struct sim_market *market, const struct sim_kline *minute)
{
    const int64_t end = minute->ts_ms + 60000;

    for (struct sim_topic *topic = market->topics; topic; topic = topic->next) {
        struct sim_kline kline;

        if (topic->feed != SIM_FEED_KLINE || topic->interval == 0)
            continue;
        const int64_t open = sim_interval_open(topic->interval, minute->ts_ms);

        if (sim_interval_close(topic->interval, open) != end - 1 ||
            sim_klines(market, topic->interval, open, open, &kline, 1) != 1)
            continue;
        send_kline(topic, &kline, true);
        topic->last_ms = sim_now(market->sim);
        topic->last_seen = -1;
    }
}

static void tick_kline(struct sim_topic *topic)
{
    struct sim_kline klines[2];
    const size_t count = sim_klines(topic->market, topic->interval, -1, INT64_MAX, klines, 2);

    if (count == 0)
        return;
    if (topic->interval == 0 && count == 2) /* the second that ended */
        send_kline(topic, &klines[0], true);
    send_kline(topic, &klines[count - 1], false);
}

/* --- 24 h statistics
 * ------------------------------------------------------------------------------ */

static bool sum_window(const struct sim_market *market, int64_t window_ms, struct sim_kline *sum)
{
    const size_t minutes = (size_t)(window_ms / 60000);
    size_t back = market->minutes.count < minutes ? market->minutes.count : minutes;

    if (back == 0)
        return false;
    *sum = *sim_candles_back(&market->minutes, back - 1);
    while (--back > 0)
        sim_kline_merge(sum, sim_candles_back(&market->minutes, back - 1));
    return true;
}

static void jw_change(struct flt_buf *buf, const struct sim_market *market,
                      const struct sim_kline *sum, bool stream)
{
    const int64_t change = sum->close - sum->open;
    char text[32];
    struct flt_amt average = sim_price_amt(market, sum->close);

    if (sum->lots > 0)
        average = flt_amt_div(sim_cost_amt(market, sum->cost), sim_qty_amt(market, sum->lots),
                              FLT_ROUND_HALF_EVEN);
    snprintf(text, sizeof text, "%.3f",
             sum->open ? 100.0 * (double)change / (double)sum->open : 0.0);
    sim_jw_price(buf, stream ? "p" : "priceChange", market, change);
    flt_jw_str(buf, stream ? "P" : "priceChangePercent", text);
    sim_jw_amt(buf, stream ? "w" : "weightedAvgPrice", average);
    sim_jw_price(buf, stream ? "x" : "prevClosePrice", market, sum->open);
}

static void jw_top(struct flt_buf *buf, const struct sim_market *market, bool stream)
{
    const struct trade *last = sim_market_trade(market, market->trade_count);
    struct quote quote;

    best_of(market, &quote);
    sim_jw_qty(buf, stream ? "Q" : "lastQty", market, last ? last->qty_lots : 0);
    sim_jw_price(buf, stream ? "b" : "bidPrice", market, quote.bid_ticks);
    sim_jw_qty(buf, stream ? "B" : "bidQty", market, quote.bid_lots);
    sim_jw_price(buf, stream ? "a" : "askPrice", market, quote.ask_ticks);
    sim_jw_qty(buf, stream ? "A" : "askQty", market, quote.ask_lots);
}

void sim_jw_ticker(struct flt_buf *buf, const struct sim_market *market, bool mini, bool stream,
                   int64_t window_ms)
{
    struct sim_kline sum = { .open = market->last_ticks,
                             .high = market->last_ticks,
                             .low = market->last_ticks,
                             .close = market->last_ticks };
    const int64_t now = sim_now(market->sim);

    (void)sum_window(market, window_ms, &sum);
    if (stream) {
        jw_head(buf, market, mini ? "24hrMiniTicker" : "24hrTicker");
    } else {
        flt_jw_begin(buf, NULL, '{');
        flt_jw_str(buf, "symbol", market->instrument.venue_symbol);
    }
    if (!mini)
        jw_change(buf, market, &sum, stream);
    sim_jw_price(buf, stream ? "c" : "lastPrice", market, sum.close);
    if (!mini)
        jw_top(buf, market, stream);
    sim_jw_price(buf, stream ? "o" : "openPrice", market, sum.open);
    sim_jw_price(buf, stream ? "h" : "highPrice", market, sum.high);
    sim_jw_price(buf, stream ? "l" : "lowPrice", market, sum.low);
    sim_jw_qty(buf, stream ? "v" : "volume", market, sum.lots);
    sim_jw_cost(buf, stream ? "q" : "quoteVolume", market, sum.cost);
    if (!mini || !stream) {
        flt_jw_int(buf, stream ? "O" : "openTime", now - window_ms);
        flt_jw_int(buf, stream ? "C" : "closeTime", now);
        flt_jw_int(buf, stream ? "F" : "firstId", sum.first_id < 0 ? 0 : sum.first_id);
        flt_jw_int(buf, stream ? "L" : "lastId", sum.last_id < 0 ? 0 : sum.last_id);
        flt_jw_int(buf, stream ? "n" : "count", sum.trades);
    }
    flt_jw_end(buf, '}');
}

static void tick_ticker(struct sim_topic *topic)
{
    struct flt_buf buf = FLT_BUF_INIT;

    sim_jw_ticker(&buf, topic->market, topic->feed == SIM_FEED_MINI, true, DAY_MS);
    publish(topic, &buf);
    flt_buf_finish(&buf);
}

/* Every market in one array; the venue leaves out what did not change, and here all does. */
static void tick_all(struct sim_topic *topic)
{
    const struct sim *sim = topic->market->sim;
    struct flt_buf buf = FLT_BUF_INIT, one = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '[');
    for (size_t i = 0; i < sim->market_count; i++) {
        flt_buf_reset(&one);
        sim_jw_ticker(&one, sim->markets[i], true, true, DAY_MS);
        flt_jw_raw(&buf, NULL, one.failed ? "null" : one.data);
    }
    flt_jw_end(&buf, ']');
    publish(topic, &buf);
    flt_buf_finish(&one);
    flt_buf_finish(&buf);
}

/* --- depth
 * ------------------------------------------------------------------------------------------ */

static void tick_partial(struct sim_topic *topic)
{
    struct match_level levels[20];
    struct flt_buf buf = FLT_BUF_INIT;
    const size_t max = (size_t)topic->interval;

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_int(&buf, "lastUpdateId", topic->market->update_id);
    size_t count = match_depth(topic->market->match, SIDE_BUY, levels, max);

    sim_jw_levels(&buf, "bids", topic->market, levels, count);
    count = match_depth(topic->market->match, SIDE_SELL, levels, max);
    sim_jw_levels(&buf, "asks", topic->market, levels, count);
    flt_jw_end(&buf, '}');
    publish(topic, &buf);
    flt_buf_finish(&buf);
}

/* Levels of `now` that differ from `before`, and those gone with quantity 0. */
static size_t diff_levels(const struct match_level *before, size_t before_count,
                          const struct match_level *now, size_t now_count, struct match_level *out)
{
    size_t count = 0;

    for (size_t i = 0; i < now_count; i++) {
        bool same = false;

        for (size_t k = 0; k < before_count && !same; k++)
            same = before[k].price_ticks == now[i].price_ticks &&
                   before[k].qty_lots == now[i].qty_lots;
        if (!same)
            out[count++] = now[i];
    }
    for (size_t k = 0; k < before_count; k++) {
        bool there = false;

        for (size_t i = 0; i < now_count && !there; i++)
            there = before[k].price_ticks == now[i].price_ticks;
        if (!there)
            out[count++] = (struct match_level){ before[k].price_ticks, 0 };
    }
    return count;
}

void sim_streams_diff(struct sim_market *market)
{
    static struct match_level now[SIM_DIFF_MAX], changes[2][2 * SIM_DIFF_MAX];
    size_t counts[2];
    struct flt_buf buf = FLT_BUF_INIT;

    if (market->shown_id == market->update_id)
        return;
    for (int side = 0; side < 2; side++) {
        const size_t count = match_depth(market->match, (enum side)side, now, SIM_DIFF_MAX);

        counts[side] =
            diff_levels(market->shown[side], market->shown_count[side], now, count, changes[side]);
        memcpy(market->shown[side], now, count * sizeof now[0]);
        market->shown_count[side] = count;
    }
    jw_head(&buf, market, "depthUpdate");
    flt_jw_int(&buf, "U", market->shown_id + 1);
    flt_jw_int(&buf, "u", market->update_id);
    sim_jw_levels(&buf, "b", market, changes[SIDE_BUY], counts[SIDE_BUY]);
    sim_jw_levels(&buf, "a", market, changes[SIDE_SELL], counts[SIDE_SELL]);
    flt_jw_end(&buf, '}');
    market->shown_id = market->update_id;
    for (struct sim_topic *topic = market->topics; topic; topic = topic->next)
        if (topic->feed == SIM_FEED_DIFF)
            publish(topic, &buf);
    flt_buf_finish(&buf);
}

/* --- by time
 * ----------------------------------------------------------------------------------------- */

static void tick_topic(struct sim_topic *topic, int64_t now_ms)
{
    const struct sim_market *market = topic->market;

    if (topic->period_ms == 0 || now_ms - topic->last_ms < topic->period_ms)
        return;
    const int64_t seen = topic->feed == SIM_FEED_PARTIAL ? market->update_id : market->trade_count;

    const bool always = topic->feed == SIM_FEED_TICKER || topic->feed == SIM_FEED_MINI ||
                        topic->feed == SIM_FEED_ALL_MINI;

    if (seen == topic->last_seen && !always && topic->interval != 0)
        return; /* nothing new to tell */
    topic->last_ms = now_ms;
    topic->last_seen = seen;
    if (topic->feed == SIM_FEED_KLINE)
        tick_kline(topic);
    else if (topic->feed == SIM_FEED_PARTIAL)
        tick_partial(topic);
    else if (topic->feed == SIM_FEED_ALL_MINI)
        tick_all(topic);
    else
        tick_ticker(topic);
}

void sim_streams_tick(struct sim *sim, int64_t now_ms)
{
    for (size_t i = 0; i < sim->market_count; i++) {
        bool diffs = false;

        for (struct sim_topic *topic = sim->markets[i]->topics; topic; topic = topic->next) {
            if (topic->feed == SIM_FEED_DIFF)
                diffs = true;
            else
                tick_topic(topic, now_ms);
        }
        if (diffs)
            sim_streams_diff(sim->markets[i]);
    }
}

/* --- subscriptions
 * ------------------------------------------------------------------------------------ */

/* "btcusdt@kline_1m" -> a topic's kind; false: no such stream. */
static bool parse_name(const struct sim *sim, const char *name, struct sim_topic *out)
{
    const char *at = strchr(name, '@');
    char symbol[INSTRUMENT_NAME_MAX];
    int levels = 0, used = 0;

    if (!at || (size_t)(at - name) >= sizeof symbol || strlen(name) >= sizeof out->name)
        return false;
    if (strcmp(name, "!miniTicker@arr") == 0 && sim->market_count > 0) {
        *out = (struct sim_topic){ .market = sim->markets[0], /* it hangs there, and tells of all */
                                   .feed = SIM_FEED_ALL_MINI,
                                   .interval = -1,
                                   .period_ms = 1000 };
        snprintf(out->name, sizeof out->name, "%s", name);
        return true;
    }
    for (size_t i = 0; i < (size_t)(at - name); i++)
        symbol[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
    symbol[at - name] = '\0';
    at++;
    *out = (struct sim_topic){ .market = sim_market_find(sim, symbol), .interval = -1 };
    snprintf(out->name, sizeof out->name, "%s", name);
    if (!out->market)
        return false;
    out->period_ms = strcmp(at, "miniTicker") == 0 || strcmp(at, "ticker") == 0 ? 1000 : 0;
    if (strcmp(at, "trade") == 0)
        out->feed = SIM_FEED_TRADE;
    else if (strcmp(at, "aggTrade") == 0)
        out->feed = SIM_FEED_AGG_TRADE;
    else if (strcmp(at, "bookTicker") == 0)
        out->feed = SIM_FEED_BOOK;
    else if (strcmp(at, "miniTicker") == 0)
        out->feed = SIM_FEED_MINI;
    else if (strcmp(at, "ticker") == 0)
        out->feed = SIM_FEED_TICKER;
    else if (strcmp(at, "depth") == 0 || strcmp(at, "depth@100ms") == 0)
        out->feed = SIM_FEED_DIFF;
    else if (strncmp(at, "kline_", 6) == 0) {
        out->feed = SIM_FEED_KLINE;
        out->interval = sim_interval_find(at + 6);
        out->period_ms = out->interval == 0 ? 1000 : 2000;
        return out->interval >= 0;
    } else if (sscanf(at, "depth%2d%n", &levels, &used) == 1 &&
               (levels == 5 || levels == 10 || levels == 20) &&
               (!at[used] || strcmp(at + used, "@100ms") == 0 ||
                strcmp(at + used, "@1000ms") == 0)) {
        out->feed = SIM_FEED_PARTIAL;
        out->interval = levels;
        out->period_ms = strstr(at, "@100ms") ? 100 : 1000;
    } else {
        return false;
    }
    return true;
}

/* A diff stream begins with the book as it is: the snapshot by REST is then never older. */
static void start_diff(struct sim_market *market)
{
    for (int side = 0; side < 2; side++)
        market->shown_count[side] =
            match_depth(market->match, (enum side)side, market->shown[side], SIM_DIFF_MAX);
    market->shown_id = market->update_id;
}

static struct sim_topic *topic_of(const struct sim *sim, const char *name)
{
    struct sim_topic parsed, *topic;
    bool diffs = false;

    if (!parse_name(sim, name, &parsed))
        return NULL;
    for (topic = parsed.market->topics; topic; topic = topic->next) {
        if (strcmp(topic->name, name) == 0)
            return topic;
        diffs = diffs || topic->feed == SIM_FEED_DIFF;
    }
    topic = malloc(sizeof *topic);
    if (!topic)
        return NULL;
    *topic = parsed;
    topic->next = parsed.market->topics;
    parsed.market->topics = topic;
    if (topic->feed == SIM_FEED_DIFF && !diffs)
        start_diff(topic->market);
    if (topic->feed == SIM_FEED_BOOK)
        topic->market->told = (struct quote){ 0 };
    return topic;
}

bool sim_stream_subscribe(struct sim_session *session, const char *name)
{
    struct sim_topic *topic = topic_of(session->sim, name);
    struct sim_subscription *sub;

    if (!topic || session->topic_count >= TOPICS_MAX)
        return false;
    for (sub = session->topics; sub; sub = sub->session_next)
        if (sub->topic == topic)
            return true;
    sub = malloc(sizeof *sub);
    if (!sub)
        return false;
    *sub = (struct sim_subscription){ topic, session, topic->subscribers, session->topics };
    topic->subscribers = sub;
    session->topics = sub;
    session->topic_count++;
    return true;
}

static void free_topic(struct sim_topic *topic)
{
    struct sim_topic **at = &topic->market->topics;

    while (*at != topic)
        at = &(*at)->next;
    *at = topic->next;
    free(topic);
}

static void leave(struct sim_subscription *sub)
{
    struct sim_topic *topic = sub->topic;
    struct sim_subscription **at = &topic->subscribers;

    while (*at != sub)
        at = &(*at)->topic_next;
    *at = sub->topic_next;
    at = &sub->session->topics;
    while (*at != sub)
        at = &(*at)->session_next;
    *at = sub->session_next;
    sub->session->topic_count--;
    free(sub);
    if (!topic->subscribers)
        free_topic(topic);
}

bool sim_stream_unsubscribe(struct sim_session *session, const char *name)
{
    for (struct sim_subscription *sub = session->topics; sub; sub = sub->session_next)
        if (strcmp(sub->topic->name, name) == 0) {
            leave(sub);
            return true;
        }
    return false;
}

void sim_stream_leave_all(struct sim_session *session)
{
    while (session->topics)
        leave(session->topics);
}
