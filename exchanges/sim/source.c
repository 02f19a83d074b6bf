#include "exchanges/sim/source.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_FILE, KIND_CANDLES, KIND_RANDOM };

struct sim_source {
    enum kind kind;
    bool loop;
    uint64_t dice;
    struct sim_rows trades, quotes, candles;
    /* files: the next row of each, and the direction of this pass */
    int64_t pass_begin_ms, pass_ms;
    bool backwards;
    size_t next_trade, next_quote;
    /* candles: the path within the present one */
    size_t candle, step;
    int64_t candle_ms;
    /* random */
    double price, anchor, vol, rate;
    int64_t now_ms;
    double tick;
    int64_t lots;   /* a usual size */
    bool trade_due; /* candles and random: the quote went out, its trade comes next */
    struct sim_event pending;
};

static uint64_t roll(struct sim_source *source)
{
    uint64_t x = source->dice;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return source->dice = x;
}

static double uniform(struct sim_source *source) /* above 0, below 1 */
{
    return ((double)(roll(source) >> 11) + 0.5) / 9007199254740992.0;
}

static double gauss(struct sim_source *source)
{
    const double radius = sqrt(-2.0 * log(uniform(source)));

    return radius * cos(6.283185307179586 * uniform(source));
}

/* A quote around a trade at `price`, and the trade; out first the quote. */
static void make_pair(struct sim_source *source, int64_t at_ms, int64_t price, int64_t lots,
                      enum side aggressor, struct sim_event *out)
{
    const int64_t spread = 1 + (int64_t)(roll(source) % 2);
    const int64_t bid = aggressor == SIDE_SELL ? price : price - spread;
    const int64_t size = source->lots;
    struct quote quote = { 0, bid > 0 ? bid : 1, 0,
                           size / 2 + (int64_t)(roll(source) % (uint64_t)size) + 1,
                           size / 2 + (int64_t)(roll(source) % (uint64_t)size) + 1 };

    quote.ask_ticks = aggressor == SIDE_SELL ? price + spread : price;
    *out = (struct sim_event){ .at_ms = at_ms, .quote = quote };
    source->pending = (struct sim_event){
        .at_ms = at_ms,
        .is_trade = true,
        .trade = { .price_ticks = price, .qty_lots = lots, .aggressor = aggressor }
    };
    source->trade_due = true;
}

/* --- recorded trades and quotes ----------------------------------------------------------------
 */

static int64_t file_first_ms(const struct sim_source *source)
{
    const int64_t trade = source->trades.trades[0].ts_ms;

    if (source->quotes.count && source->quotes.quotes[0].ts_ms < trade)
        return source->quotes.quotes[0].ts_ms;
    return trade;
}

static int64_t file_last_ms(const struct sim_source *source)
{
    const int64_t trade = source->trades.trades[source->trades.count - 1].ts_ms;
    const size_t n = source->quotes.count;

    return n && source->quotes.quotes[n - 1].ts_ms > trade ? source->quotes.quotes[n - 1].ts_ms
                                                           : trade;
}

/* The time of row `index` of this pass, counted from the pass's begin. */
static int64_t pass_time(const struct sim_source *source, int64_t ts_ms)
{
    return source->backwards ? file_last_ms(source) - ts_ms : ts_ms - file_first_ms(source);
}

static bool next_pass(struct sim_source *source)
{
    if (!source->loop)
        return false;
    source->pass_begin_ms += source->pass_ms + 1;
    source->backwards = !source->backwards;
    source->next_trade = source->next_quote = 0;
    return true;
}

static bool file_next(struct sim_source *source, struct sim_event *out)
{
    const size_t trades = source->trades.count, quotes = source->quotes.count;

    if (source->next_trade >= trades && source->next_quote >= quotes && !next_pass(source))
        return false;
    const size_t t = source->backwards ? trades - 1 - source->next_trade : source->next_trade;
    const size_t q = source->backwards ? quotes - 1 - source->next_quote : source->next_quote;
    const bool has_trade = source->next_trade < trades, has_quote = source->next_quote < quotes;
    const int64_t trade_ms =
        has_trade ? pass_time(source, source->trades.trades[t].ts_ms) : INT64_MAX;
    const int64_t quote_ms =
        has_quote ? pass_time(source, source->quotes.quotes[q].ts_ms) : INT64_MAX;

    if (quote_ms <= trade_ms) {
        *out = (struct sim_event){ .at_ms = source->pass_begin_ms + quote_ms,
                                   .quote = source->quotes.quotes[q] };
        source->next_quote++;
        return true;
    }
    const struct trade *trade = &source->trades.trades[t];

    source->next_trade++;
    if (quotes == 0) {
        make_pair(source, source->pass_begin_ms + trade_ms, trade->price_ticks, trade->qty_lots,
                  trade->aggressor, out);
        return true;
    }
    *out = (struct sim_event){ .at_ms = source->pass_begin_ms + trade_ms,
                               .is_trade = true,
                               .trade = *trade };
    return true;
}

/* --- candles: open, low and high in the order of the candle's direction, close
 * -------------------- */

/* Steps of a candle: one a second or so for a minute, one in three seconds for an hour. */
static size_t steps_of(const struct sim_source *source)
{
    return source->candle_ms <= 60000 ? 48 : (size_t)(source->candle_ms / 3000);
}

static int64_t path_price(struct sim_source *source, const struct sim_candle *candle, size_t step,
                          size_t steps)
{
    const bool rising = (candle->close >= candle->open) != source->backwards;
    const double begin = (double)(source->backwards ? candle->close : candle->open);
    const double end = (double)(source->backwards ? candle->open : candle->close);
    const double points[4] = { begin, (double)(rising ? candle->low : candle->high),
                               (double)(rising ? candle->high : candle->low), end };
    const double at = 3.0 * (double)step / (double)(steps - 1);
    const size_t leg = at >= 2.0 ? 2 : (size_t)at;
    const double part = at - (double)leg;
    const double range = (double)(candle->high - candle->low);
    const double noise = (uniform(source) - 0.5) * range * 0.6 * part * (1.0 - part);
    double price = points[leg] + (points[leg + 1] - points[leg]) * part + noise;

    if (price < (double)candle->low)
        price = (double)candle->low;
    if (price > (double)candle->high)
        price = (double)candle->high;
    return llround(price);
}

static bool candles_next(struct sim_source *source, struct sim_event *out)
{
    const size_t steps = steps_of(source);

    if (source->step >= steps) {
        source->step = 0;
        source->candle++;
        source->now_ms += source->candle_ms;
        if (source->candle >= source->candles.count) {
            if (!source->loop)
                return false;
            source->candle = 0;
            source->backwards = !source->backwards;
        }
    }
    const size_t index =
        source->backwards ? source->candles.count - 1 - source->candle : source->candle;
    const struct sim_candle *candle = &source->candles.candles[index];
    const int64_t share = candle->volume_lots / (int64_t)steps;
    const int64_t lots = 1 + share / 2 + (int64_t)(roll(source) % (uint64_t)(share + 1));
    const enum side aggressor = roll(source) % 2 ? SIDE_BUY : SIDE_SELL;
    const int64_t at = source->now_ms + source->candle_ms * (int64_t)source->step / (int64_t)steps;

    make_pair(source, at, path_price(source, candle, source->step, steps), lots, aggressor, out);
    source->step++;
    return true;
}

/* --- a random walk, drawn back to where it began -------------------------------------------------
 */

static bool random_next(struct sim_source *source, struct sim_event *out)
{
    const double wait_s = -log(uniform(source)) / source->rate;
    const double days = wait_s / 86400.0;
    const double pull = 2.0 * days * log(source->anchor / source->price);

    source->now_ms += 1 + (int64_t)(wait_s * 1000.0);
    source->price *= exp(pull + source->vol * sqrt(days) * gauss(source));
    const int64_t price = llround(source->price / source->tick);
    const int64_t lots = 1 + (int64_t)((double)source->lots * -log(uniform(source)) * 0.3);

    make_pair(source, source->now_ms, price > 2 ? price : 2, lots,
              roll(source) % 2 ? SIDE_BUY : SIDE_SELL, out);
    return true;
}

bool sim_source_next(struct sim_source *source, struct sim_event *out)
{
    if (source->trade_due) {
        source->trade_due = false;
        *out = source->pending;
        return true;
    }
    if (source->kind == KIND_FILE)
        return file_next(source, out);
    return source->kind == KIND_CANDLES ? candles_next(source, out) : random_next(source, out);
}

/* Two passes of a file end where they began. What else there is was drawn from the dice, event by
 * event, and is played by the caller. */
void sim_source_skip(struct sim_source *source, int64_t at_ms)
{
    const int64_t round_ms = 2 * (source->pass_ms + 1);

    if (source->kind == KIND_FILE && source->loop && source->quotes.count && at_ms > 0)
        source->pass_begin_ms += at_ms / round_ms * round_ms;
}

/* --- opening --------------------------------------------------------------------------------- */

/* The text of `name` up to the next comma; false: not there. */
static bool part(const char *spec, const char *name, char *out, size_t size)
{
    const size_t length = strlen(name);

    for (const char *at = spec; at; at = strchr(at, ',')) {
        if (*at == ',')
            at++;
        if (strncmp(at, name, length) != 0)
            continue;
        at += length;
        snprintf(out, size, "%.*s", (int)strcspn(at, ","), at);
        return true;
    }
    return false;
}

static double number(const char *spec, const char *name, double otherwise)
{
    char text[64], *end;

    if (!part(spec, name, text, sizeof text))
        return otherwise;
    const double value = strtod(text, &end);

    return *end || !isfinite(value) || value <= 0 ? (double)NAN : value;
}

static int open_files(struct sim_source *source, const char *spec,
                      const struct instrument *instrument, struct flt_error *error)
{
    char path[512];
    int err = 0;

    if (part(spec, "candles:", path, sizeof path)) {
        source->kind = KIND_CANDLES;
        err = sim_rows_load(SIM_ROWS_CANDLES, instrument, path, &source->candles, error);
        if (err)
            return err;
        const struct sim_candle *c = source->candles.candles;

        source->candle_ms = 60000;
        int64_t step = INT64_MAX;
        for (size_t i = 1; i < source->candles.count; i++)
            if (c[i].ts_ms - c[i - 1].ts_ms < step)
                step = c[i].ts_ms - c[i - 1].ts_ms;
        if (source->candles.count > 1)
            source->candle_ms = step;
        source->lots = 1 + c[0].volume_lots / (int64_t)steps_of(source);
        return 0;
    }
    if (!part(spec, "trades:", path, sizeof path))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "market",
                             "Begin with trades:, candles: or random:.", "Unknown source: %s.",
                             spec);
    err = sim_rows_load(SIM_ROWS_TRADES, instrument, path, &source->trades, error);
    if (!err && part(spec, "bookticker:", path, sizeof path))
        err = sim_rows_load(SIM_ROWS_QUOTES, instrument, path, &source->quotes, error);
    if (err)
        return err;
    source->pass_ms = file_last_ms(source) - file_first_ms(source);
    flt_i128 sum = 0;
    for (size_t i = 0; i < source->trades.count; i++)
        sum += source->trades.trades[i].qty_lots;
    source->lots = 1 + (int64_t)(sum / (flt_i128)source->trades.count) * 10;
    return 0;
}

static int open_random(struct sim_source *source, const char *spec,
                       const struct instrument *instrument, struct flt_error *error)
{
    const double seed = number(spec, "seed=", 1);

    source->kind = KIND_RANDOM;
    source->price = source->anchor = number(spec, "price=", 100);
    source->vol = number(spec, "vol=", 0.04);
    source->rate = number(spec, "rate=", 2);
    source->tick = flt_dec_to_double(instrument->tick);
    source->lots = (int64_t)(2000.0 / source->price / flt_dec_to_double(instrument->lot)) + 2;
    if (isnan(seed) || isnan(source->price) || isnan(source->vol) || isnan(source->rate))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "market", "They are numbers above zero.",
                             "price, seed, vol or rate is bad: %s.", spec);
    source->dice ^= (uint64_t)seed * 0x9e3779b97f4a7c15u;
    return 0;
}

int sim_source_open(const char *spec, const struct instrument *instrument, uint64_t seed, bool loop,
                    struct sim_source **out, struct flt_error *error)
{
    struct sim_source *source = calloc(1, sizeof *source);

    if (!source)
        return -ENOMEM;
    source->loop = loop;
    source->dice = 0x2545f4914f6cdd1du ^ (seed * 0x9e3779b97f4a7c15u);
    for (const char *c = instrument->name; *c; c++)
        source->dice = source->dice * 131 + (uint64_t)(unsigned char)*c;
    const bool random = strncmp(spec, "random:", 7) == 0;
    const int err = random ? open_random(source, spec + 7, instrument, error)
                           : open_files(source, spec, instrument, error);

    if (source->dice == 0)
        source->dice = 1;
    if (err) {
        sim_source_close(source);
        return err;
    }
    *out = source;
    return 0;
}

void sim_source_close(struct sim_source *source)
{
    if (!source)
        return;
    sim_rows_finish(&source->trades);
    sim_rows_finish(&source->quotes);
    sim_rows_finish(&source->candles);
    free(source);
}

int64_t sim_source_depth_lots(const struct sim_source *source)
{
    return source->lots;
}
