#define FLT_MOD "run"
#include "backtest/run.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "backtest/run_impl.h"
#include "strategies/params.h"

#define SPAN_FIRST 64 /* bars scanned at a time, doubling while nothing is found */
#define SPAN_MAX 8192

/* --- one row
 * ----------------------------------------------------------------------------------------- */

static int keep_segment(struct run *run)
{
    struct run_result *result = run->result;
    const struct ledger *ledger = bot_ledger(run->bot, 0);
    const struct run_segment now = {
        .bar = run->bar,
        .cash = flt_amt_add(run->config->cash, ledger->cash),
        .cost = ledger->cost,
        .position_lots = bot_position_lots(run->bot, 0),
    };
    const int err = run_reserve(&result->segments, result->segment_count, &result->segment_cap,
                                sizeof *result->segments);

    if (!err)
        result->segments[result->segment_count++] = now;
    return err;
}

/* What the strategy knows while orders are matched: what it saw at the close before. */
static void seek_back(struct run *run)
{
    if (run->bars.step_ms == 0) {
        bot_seek(run->bot, 0, run->bar - 1);
    } else if (run->bars.seen > 0) {
        bot_seek(run->bot, 0, run->bars.seen - 1);
        bot_set_price(run->bot, 0, run->columns->close_ticks[run->bar - 1]);
    }
}

void run_match(struct run *run, size_t bar)
{
    const size_t before = run->result->fill_count;

    run->bar = bar;
    if (run->book.count == 0 || book_next(&run->book, run->columns, bar, bar + 1) != bar)
        return;
    if (!run->config->fill->tape)
        run_set_clock(run, run->columns->ts_ms[bar]);
    seek_back(run);
    if (run->config->fill->tape)
        run_match_tape(run);
    else
        run_match_bar(run);
    book_compact(&run->book);
    run->time = run->time || bot_waits_for_time(run->bot);
    if (run->result->fill_count != before && !run->err)
        run->err = keep_segment(run);
}

/* Longer bars that are over at this row's close; the first is seen and not acted on, as row 0. */
static void show_bars(struct run *run, bool all)
{
    struct run_bars *bars = &run->bars;

    while (bars->seen < bars->count && bars->row[bars->seen] <= run->bar) {
        const size_t j = bars->seen++;

        if (j > 0 && (all || bot_next_wake(run->bot, 0, j, j + 1) == j)) {
            bot_on_column(run->bot, 0, j);
            bot_set_price(run->bot, 0, run->columns->close_ticks[run->bar]);
        }
    }
}

void run_decide(struct run *run)
{
    const bool all = run->config->every_bar || run->time;

    if (run->bars.step_ms == 0 && !all &&
        bot_next_wake(run->bot, 0, run->bar, run->bar + 1) != run->bar)
        goto done;
    run_set_clock(run, run->columns->ts_ms[run->bar] + run->config->data->bar_ms);
    if (run->bars.step_ms == 0) {
        bot_on_column(run->bot, 0, run->bar);
    } else {
        bot_set_price(run->bot, 0, run->columns->close_ticks[run->bar]);
        show_bars(run, all);
    }
    if (run->time)
        bot_on_second(run->bot);
    run_answer(run);
    book_compact(&run->book);
done:
    run->time = bot_waits_for_time(run->bot);
    run->at = run->bar + 1;
}

/* The first row of [from, to) at whose close the strategy wants to be called. */
static size_t next_wake(const struct run *run, size_t from, size_t to)
{
    const struct run_bars *bars = &run->bars;
    size_t first = bars->seen, last;

    if (bars->step_ms == 0)
        return bot_next_wake(run->bot, 0, from, to);
    if (first == 0)
        first = 1;
    for (last = first; last < bars->count && bars->row[last] < to; last++)
        ;
    const size_t j = first < last ? bot_next_wake(run->bot, 0, first, last) : last;

    return j < last ? bars->row[j] : to;
}

size_t run_next(struct run *run)
{
    const size_t count = run->count;
    size_t from = run->at;

    if (run->config->every_bar || run->time)
        return from;
    for (size_t span = SPAN_FIRST; from < count; span = span < SPAN_MAX ? span * 2 : span) {
        const size_t to = count - from > span ? from + span : count;
        const size_t fill =
            run->book.count > 0 ? book_next(&run->book, run->columns, from, to) : to;
        const size_t next = next_wake(run, from, fill);

        if (next < to)
            return next;
        from = to;
    }
    return count;
}

static int simulate(struct run *run)
{
    const volatile sig_atomic_t *stop = run->config->stop;
    size_t next;

    while (!run->err && (next = run_next(run)) < run->count) {
        if (stop && *stop) {
            run->result->stopped = true;
            run->bar = next;
            break;
        }
        run_match(run, next);
        run_decide(run);
    }
    run->result->bars = run->result->stopped ? run->bar : run->count;
    return run->err;
}

/* --- setting up
 * --------------------------------------------------------------------------------------- */

static struct instrument make_instrument(const struct run_config *config)
{
    const char *name = config->instrument ? config->instrument : "BASE-QUOTE";
    struct instrument instrument = {
        .tick = config->data->tick,
        .lot = config->lot,
        .contract_size = flt_dec_from_int(1),
        .fee_maker = config->costs.own_fees ? config->costs.fee_maker : config->fee,
        .fee_taker = config->costs.own_fees ? config->costs.fee_taker : config->fee,
    };
    const char *dash = strchr(name, '-');
    const size_t length = strlen(name);
    const size_t base = dash ? (size_t)(dash - name) : strlen(name);
    const char *quote = dash ? dash + 1 : "QUOTE";

    if (length > 5 && !strcmp(name + length - 5, "-PERP"))
        instrument.kind = INSTRUMENT_PERP;
    (void)snprintf(instrument.name, sizeof instrument.name, "%s", name);
    (void)snprintf(instrument.venue_symbol, sizeof instrument.venue_symbol, "%s", name);
    (void)snprintf(instrument.base, sizeof instrument.base, "%.*s", (int)base, name);
    (void)snprintf(instrument.quote, sizeof instrument.quote, "%.*s", (int)strcspn(quote, "-"),
                   quote);
    return instrument;
}

/* The strategy's bars in `out`, 0 when they are the rows. Longer ones are whole numbers of rows. */
static int choose_bars(const struct run_config *config, int64_t *out, struct flt_error *error)
{
    const int64_t row_ms = config->data->bar_ms;
    const char *word = NULL;
    int64_t ms = config->strategy_ms;

    char text[32];

    *out = 0;
    if (ms == 0 && config->params && params_find(config->strategy->params, "timeframe") &&
        flt_json_str(config->params, "timeframe", &word))
        ms = timeframe_ms(word);
    if (ms == 0 || ms == row_ms)
        return 0; /* a wrong word is refused with the other parameters */
    (void)snprintf(text, sizeof text, "%" PRId64 " s", ms / 1000);
    if (ms < row_ms || ms % row_ms != 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "params.timeframe",
                             "use data of that timeframe, or shorter ones that fit into it",
                             "timeframe is %s but the bars of %s are %" PRId64 " s long",
                             word ? word : text, config->data->name, row_ms / 1000);
    *out = ms;
    return 0;
}

static int check_tape(const struct run_config *config, struct flt_error *error)
{
    const struct data *data = config->data;

    if (config->fill->tape == TAPE_TRADES && data->trades.count == 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "trades", "--trades FILE or a store",
                             "the fill model trades needs recorded trades");
    if (config->fill->tape == TAPE_QUOTES && data->quotes.count == 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "quotes", "--quotes FILE or a store",
                             "the fill model book needs recorded quotes");
    return 0;
}

static int make_bars(struct run *run, int64_t step_ms, struct flt_error *error)
{
    const int err = run_bars_make(run->config->data, step_ms, &run->bars);

    if (err)
        flt_error_set(error, FLT_INTERNAL, "data", "", "no memory for the strategy's bars");
    return err;
}

static int check_bars(const struct run *run, struct flt_error *error)
{
    if (run->bars.step_ms == 0 || bot_needs(run->bot)->bar_ms != 0)
        return 0;
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "timeframe", "leave it out",
                         "%s looks at prices, not at bars: it has no timeframe",
                         run->config->strategy->name);
}

static void start(struct run *run)
{
    const struct exchange_failure ok = { .error = EXCHANGE_OK };

    bot_set_halt(run->bot, BOT_HALT_NONE, "");
    bot_set_desired(run->bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    bot_start(run->bot);
    bot_on_link(run->bot, true, "");
    bot_on_open_orders(run->bot, 0, &ok, NULL, 0);
    run->time = bot_waits_for_time(run->bot);
}

int run_open(struct run *run, const struct run_config *config, struct run_result *result,
             struct flt_error *error)
{
    const size_t all = config->data->count;
    int64_t step_ms = 0;

    *result = (struct run_result){ .instrument = make_instrument(config) };
    *run = (struct run){ .config = config, .columns = &config->data->columns, .result = result };
    run->at = 1;
    run->book.tape = config->fill->tape != TAPE_NONE;
    run->count = config->until > 0 && config->until < all ? config->until : all;
    flt_sim_clock_init(&run->clock, config->data->columns.ts_ms[0] + config->data->bar_ms);
    int err = choose_bars(config, &step_ms, error);

    if (!err)
        err = check_tape(config, error);
    if (!err && step_ms)
        err = make_bars(run, step_ms, error);
    if (!err)
        err = run_make_bot(run, error);
    if (!err)
        err = check_bars(run, error);
    if (err)
        return err;
    start(run);
    return keep_segment(run);
}

void run_finish(struct run *run)
{
    struct run_result *result = run->result;
    struct flt_buf buf = FLT_BUF_INIT;
    struct bot_status status;

    bot_status(run->bot, &status);
    result->counters = status.counters;
    book_compact(&run->book);
    result->orders = run->book.orders;
    result->order_count = run->book.count;
    run->book = (struct book){ 0 };
    result->strategy_bars = run->bars.step_ms ? run->bars.count : run->config->data->count;
    result->strategy_ms = run->bars.step_ms ? run->bars.step_ms : run->config->data->bar_ms;
    result->ready_bars = bot_ready_bars(run->bot);
    if (status.phase != BOT_RUNNING && *status.reason && run->count > 1)
        (void)snprintf(result->trouble, sizeof result->trouble, "%s: %s", status.reason_code,
                       status.reason);
    bot_write_params(run->bot, &buf, NULL);
    (void)snprintf(result->params, sizeof result->params, "%s", buf.data ? buf.data : "{}");
    flt_buf_finish(&buf);
}

void run_close(struct run *run)
{
    bot_destroy(run->bot);
    book_free(&run->book);
    run_bars_free(&run->bars);
    free(run->cancelled);
    free(run->keys);
}

int run_backtest(const struct run_config *config, struct run_result *out, struct flt_error *error)
{
    struct run_result result;
    struct run run;
    int err = run_open(&run, config, &result, error);

    if (!err)
        err = simulate(&run);
    if (!err)
        run_finish(&run);
    run_close(&run);
    if (err)
        run_free(&result);
    else
        *out = result;
    return err;
}

void run_free(struct run_result *result)
{
    free(result->fills);
    free(result->log);
    free(result->segments);
    free(result->tags);
    free(result->orders);
    memset(result, 0, sizeof *result);
}

struct flt_amt run_equity(const struct run_result *result, const struct run_segment *segment,
                          int64_t close_ticks)
{
    const struct instrument *i = &result->instrument;

    return flt_amt_add(segment->cash,
                       flt_amt_mul(flt_amt_from_dec(lots_to_qty(i, segment->position_lots)),
                                   ticks_to_price(i, close_ticks), FLT_ROUND_HALF_EVEN));
}
