#define FLT_MOD "output"
#include "backtest/output_portfolio.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "backtest/build_id.h"
#include "lib/config.h"
#include "lib/crypto.h"

#define PATH_BYTES 4096

/* --- the sums
 * ----------------------------------------------------------------------------------------- */

struct sums {
    double *equity, *held, *balance;
};

static size_t most_rows(const struct portfolio_result *result)
{
    size_t rows = 0;

    for (size_t i = 0; i < result->count; i++)
        rows += result->runs[i].bars;
    return rows;
}

static int take_rows(struct portfolio_output *output, const struct sums *sums)
{
    struct portfolio_walk walk;

    if (portfolio_walk_begin(&walk, output->result))
        return -ENOMEM;
    output->row_ms = walk.row_ms;
    while (portfolio_walk_next(&walk)) {
        output->close_ms[walk.row] = walk.close_ms;
        output->equity[walk.row] = walk.equity;
        sums->equity[walk.row] = flt_amt_to_double(walk.equity);
        sums->balance[walk.row] = flt_amt_to_double(walk.balance);
        sums->held[walk.row] = walk.held;
        output->rows = walk.row + 1;
    }
    portfolio_walk_end(&walk);
    return 0;
}

/* All trades, instrument by instrument: no figure depends on their order but the longest row of
 * losses, so they are sorted by their end. */
struct ended_trade {
    struct metric_trade trade;
    int64_t exit_ms;
    size_t number;
};

static int by_end(const void *a_, const void *b_)
{
    const struct ended_trade *a = a_, *b = b_;

    if (a->exit_ms != b->exit_ms)
        return a->exit_ms < b->exit_ms ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static struct metric_trade *all_trades(const struct portfolio_output *output, size_t *count)
{
    size_t all = 0, at = 0;

    for (size_t i = 0; i < output->result->count; i++)
        all += output->trades[i].count;
    struct ended_trade *ended = calloc(all + 1, sizeof *ended);
    struct metric_trade *out = calloc(all + 1, sizeof *out);

    for (size_t i = 0; ended && out && i < output->result->count; i++) {
        struct metric_trade *own = output_metric_trades(&output->outputs[i]);

        for (size_t k = 0; own && k < output->trades[i].count; k++, at++)
            ended[at] = (struct ended_trade){ own[k], output->trades[i].trade[k].exit_ms, at };
        free(own);
    }
    if (ended && out) {
        qsort(ended, at, sizeof *ended, by_end);
        for (size_t k = 0; k < at; k++)
            out[k] = ended[k].trade;
    }
    free(ended);
    *count = at;
    return out;
}

static int measure(struct portfolio_output *output, const struct sums *sums)
{
    size_t count = 0;
    struct metric_trade *trades = all_trades(output, &count);
    struct metrics_input input = {
        .equity = sums->equity,
        .held = sums->held,
        .balance = sums->balance,
        .count = output->rows,
        .first_ms = output->rows ? output->close_ms[0] - output->row_ms : 0,
        .last_ms = output->rows ? output->close_ms[output->rows - 1] - output->row_ms : 0,
        .bar_ms = output->row_ms,
        .trades = trades,
        .trade_count = count,
    };

    for (size_t i = 0; i < output->result->count; i++)
        output_add_fills(&output->outputs[i], &input);
    const int err = trades ? output->rows ? metrics_make(&input, &output->sum) : 0 : -ENOMEM;

    free(trades);
    return err;
}

static int make_each(struct portfolio_output *output)
{
    const struct portfolio_result *result = output->result;
    int err = 0;

    for (size_t i = 0; !err && i < result->count; i++) {
        output->outputs[i] =
            (struct output){ &result->configs[i], &result->runs[i], &output->trades[i],
                             &output->metrics[i], output->seed };
        err = trades_make(&result->runs[i], &output->trades[i]);
        if (!err && result->runs[i].bars > 0)
            err = output_metrics(&output->outputs[i], &output->metrics[i]);
    }
    return err;
}

int portfolio_output_make(const struct portfolio_result *result, uint64_t seed, bool shared,
                          struct portfolio_output *out)
{
    const size_t rows = most_rows(result);
    double *memory = calloc(3 * rows + 3, sizeof *memory);
    const struct sums sums = { memory, memory + rows, memory + 2 * rows };
    int err = -ENOMEM;

    *out = (struct portfolio_output){
        .result = result,
        .outputs = calloc(result->count, sizeof *out->outputs),
        .trades = calloc(result->count, sizeof *out->trades),
        .metrics = calloc(result->count, sizeof *out->metrics),
        .close_ms = calloc(rows + 1, sizeof *out->close_ms),
        .equity = calloc(rows + 1, sizeof *out->equity),
        .shared = shared,
        .seed = seed,
    };
    if (memory && out->outputs && out->trades && out->metrics && out->close_ms && out->equity)
        err = make_each(out);
    if (!err)
        err = take_rows(out, &sums);
    if (!err)
        err = measure(out, &sums);
    free(memory);
    return err;
}

void portfolio_output_free(struct portfolio_output *output)
{
    for (size_t i = 0; output->trades && i < output->result->count; i++)
        trades_free(&output->trades[i]);
    free(output->outputs);
    free(output->trades);
    free(output->metrics);
    free(output->close_ms);
    free(output->equity);
}

/* --- merged tables
 * ----------------------------------------------------------------------------------------- */

struct place { /* a row of instrument i's table, and when it belongs into the portfolio's */
    int64_t ts_ms;
    size_t i, k;
};

static int by_time(const void *a_, const void *b_)
{
    const struct place *a = a_, *b = b_;

    if (a->ts_ms != b->ts_ms)
        return a->ts_ms < b->ts_ms ? -1 : 1;
    if (a->i != b->i)
        return a->i < b->i ? -1 : 1;
    return a->k < b->k ? -1 : a->k > b->k;
}

static int64_t close_of(const struct portfolio_output *output, size_t i, size_t bar)
{
    const struct data *data = output->result->configs[i].data;

    return data->columns.ts_ms[bar] + data->bar_ms;
}

/* The portfolio's row at which that bar closes. */
static size_t row_of(const struct portfolio_output *output, size_t i, size_t bar)
{
    const int64_t close_ms = close_of(output, i, bar);
    size_t low = 0, high = output->rows;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (output->close_ms[mid] < close_ms)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

enum table { TABLE_FILLS, TABLE_TRADES, TABLE_ORDERS };

static size_t rows_of(const struct portfolio_output *output, enum table table, size_t i)
{
    switch (table) {
    case TABLE_FILLS:
        return output->result->runs[i].fill_count;
    case TABLE_TRADES:
        return output->trades[i].count;
    case TABLE_ORDERS:
        return output->result->runs[i].log_count;
    }
    return 0;
}

static size_t bar_of(const struct portfolio_output *output, enum table table, size_t i, size_t k)
{
    switch (table) {
    case TABLE_FILLS:
        return output->result->runs[i].fills[k].bar;
    case TABLE_TRADES:
        return output->trades[i].trade[k].exit_bar;
    case TABLE_ORDERS:
        return output->result->runs[i].log[k].bar;
    }
    return 0;
}

static struct place *sorted(const struct portfolio_output *output, enum table table, size_t *count)
{
    size_t at = 0;

    *count = 0;
    for (size_t i = 0; i < output->result->count; i++)
        *count += rows_of(output, table, i);
    struct place *places = calloc(*count + 1, sizeof *places);

    for (size_t i = 0; places && i < output->result->count; i++)
        for (size_t k = 0; k < rows_of(output, table, i); k++)
            places[at++] = (struct place){ close_of(output, i, bar_of(output, table, i, k)), i, k };
    if (places)
        qsort(places, *count, sizeof *places, by_time);
    return places;
}

/* What the fill did to the cash of its instrument's books. */
static struct flt_amt flow_of(const struct portfolio_output *output, const struct place *place)
{
    const struct run_result *run = &output->result->runs[place->i];
    const struct flt_amt before =
        place->k > 0 ? run->fills[place->k - 1].cash : output->result->configs[place->i].cash;

    return flt_amt_sub(run->fills[place->k].cash, before);
}

static void write_row(const struct portfolio_output *output, enum table table,
                      const struct place *place, size_t number, struct flt_amt cash,
                      struct flt_buf *buf)
{
    const struct output *own = &output->outputs[place->i];
    struct output_place at = { .number = number, .cash = cash };

    at.bar = row_of(output, place->i, bar_of(output, table, place->i, place->k));
    if (table == TABLE_FILLS) {
        output_fill_row(own, buf, place->k, &at);
    } else if (table == TABLE_TRADES) {
        at.end_bar = at.bar;
        at.bar = row_of(output, place->i, own->trades->trade[place->k].entry_bar);
        output_trade_row(own, buf, place->k, &at);
    } else {
        at.end_bar = row_of(output, place->i, own->result->log[place->k].end_bar);
        output_order_row(own, buf, place->k, &at);
    }
    flt_buf_printf(buf, ",%s\n", own->result->instrument.name);
}

static int write_table(const struct portfolio_output *output, enum table table, const char *head,
                       struct flt_buf *buf)
{
    size_t count = 0;
    struct place *places = sorted(output, table, &count);
    struct flt_amt cash = output->result->cash;

    flt_buf_printf(buf, "%s,instrument\n", head);
    for (size_t n = 0; places && n < count; n++) {
        if (table == TABLE_FILLS)
            cash = flt_amt_add(cash, flow_of(output, &places[n]));
        write_row(output, table, &places[n], n, cash, buf);
    }
    free(places);
    return places ? 0 : -ENOMEM;
}

static void write_equity(const struct portfolio_output *output, struct flt_buf *buf)
{
    char text[FLT_AMT_TEXT_MAX];

    flt_buf_printf(buf, "bar,ts_ms,equity\n");
    for (size_t row = 0; row < output->rows; row++)
        flt_buf_printf(buf, "%zu,%" PRId64 ",%s\n", row, output->close_ms[row] - output->row_ms,
                       flt_amt_format(output->equity[row], text));
}

/* --- per instrument
 * ----------------------------------------------------------------------------------------- */

static struct flt_amt fees_of(const struct run_result *run)
{
    struct flt_amt fees = FLT_AMT_ZERO;

    for (size_t k = 0; k < run->fill_count; k++)
        fees = flt_amt_add(fees, run->fills[k].fee);
    return fees;
}

/* At the last close. */
static struct flt_amt end_of(const struct portfolio_output *output, size_t i)
{
    const struct run_result *run = &output->result->runs[i];
    const struct run_config *config = &output->result->configs[i];

    return run->bars == 0 ? config->cash
                          : run_equity(run, &run->segments[run->segment_count - 1],
                                       config->data->columns.close_ticks[run->bars - 1]);
}

static struct flt_amt pnl_of(const struct portfolio_output *output, size_t i)
{
    return flt_amt_sub(end_of(output, i), output->result->configs[i].cash);
}

static struct flt_dec position_of(const struct run_result *run)
{
    return lots_to_qty(&run->instrument, run->segments[run->segment_count - 1].position_lots);
}

static void put_double(struct flt_buf *buf, double value)
{
    flt_buf_append(buf, ",", 1);
    if (isfinite(value))
        flt_buf_printf(buf, "%.17g", value);
}

static void write_instruments(const struct portfolio_output *output, struct flt_buf *buf)
{
    char pnl[FLT_AMT_TEXT_MAX], fees[FLT_AMT_TEXT_MAX], position[FLT_DEC_TEXT_MAX];

    flt_buf_printf(buf, "instrument,strategy,data,bars,orders,fills,trades,fees,pnl,position_end,"
                        "total_return,max_drawdown,sharpe,win_rate,profit_factor,exposure\n");
    for (size_t i = 0; i < output->result->count; i++) {
        const struct run_result *run = &output->result->runs[i];
        const struct run_config *config = &output->result->configs[i];
        const struct metrics *m = &output->metrics[i];

        flt_buf_printf(buf, "%s,%s,%s,%zu,%zu,%zu,%zu,%s,%s,%s", run->instrument.name,
                       config->strategy->name, config->data->name, run->bars, run->log_count,
                       run->fill_count, output->trades[i].count, flt_amt_format(fees_of(run), fees),
                       flt_amt_format(pnl_of(output, i), pnl),
                       flt_dec_format(position_of(run), position));
        put_double(buf, m->total_return);
        put_double(buf, m->max_drawdown);
        put_double(buf, m->sharpe_ann_rf0);
        put_double(buf, m->win_rate);
        put_double(buf, m->profit_factor);
        put_double(buf, m->exposure_fraction);
        flt_buf_append(buf, "\n", 1);
    }
}

static void number(struct flt_buf *buf, const char *key, double value)
{
    if (isfinite(value))
        flt_jw_double(buf, key, value);
    else
        flt_jw_null(buf, key);
}

static void put_instrument(const struct portfolio_output *output, size_t i, struct flt_buf *buf)
{
    const struct run_result *run = &output->result->runs[i];
    const struct metrics *m = &output->metrics[i];

    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "instrument", run->instrument.name);
    output_data(&output->outputs[i], buf, "data");
    output_config(&output->outputs[i], buf, "config");
    flt_jw_int(buf, "bars", (int64_t)run->bars);
    flt_jw_int(buf, "orders", (int64_t)run->log_count);
    flt_jw_int(buf, "fills", (int64_t)run->fill_count);
    flt_jw_int(buf, "trades", (int64_t)output->trades[i].count);
    flt_jw_amt(buf, "fees", fees_of(run));
    flt_jw_amt(buf, "pnl", pnl_of(output, i));
    flt_jw_amt(buf, "equity_end", end_of(output, i));
    flt_jw_dec(buf, "position_end", position_of(run));
    number(buf, "total_return", m->total_return);
    number(buf, "max_drawdown", m->max_drawdown);
    number(buf, "win_rate", m->win_rate);
    number(buf, "profit_factor", m->profit_factor);
    flt_jw_end(buf, '}');
}

/* --- summary
 * ----------------------------------------------------------------------------------------- */

struct totals {
    size_t fills, trades, placed, cancelled, open, refusals;
    struct flt_amt fees, cash;
};

static struct totals add_up(const struct portfolio_output *output)
{
    struct totals sum = { .cash = FLT_AMT_ZERO, .fees = FLT_AMT_ZERO };

    for (size_t i = 0; i < output->result->count; i++) {
        const struct run_result *run = &output->result->runs[i];

        sum.fills += run->fill_count;
        sum.trades += output->trades[i].count;
        sum.placed += run->counters.placed;
        sum.cancelled += run->counters.cancelled;
        sum.open += run->order_count;
        sum.refusals += run->counters.risk_refusals;
        sum.fees = flt_amt_add(sum.fees, fees_of(run));
        sum.cash = flt_amt_add(sum.cash, run->segments[run->segment_count - 1].cash);
    }
    return sum;
}

static void put_totals(const struct portfolio_output *output, struct flt_buf *buf)
{
    const struct totals sum = add_up(output);

    flt_jw_int(buf, "bars", (int64_t)output->rows);
    flt_jw_bool(buf, "complete", !output->result->stopped);
    flt_jw_int(buf, "fills", (int64_t)sum.fills);
    flt_jw_int(buf, "trades", (int64_t)sum.trades);
    flt_jw_int(buf, "orders_placed", (int64_t)sum.placed);
    flt_jw_int(buf, "orders_cancelled", (int64_t)sum.cancelled);
    flt_jw_int(buf, "orders_open", (int64_t)sum.open);
    flt_jw_int(buf, "risk_refusals", (int64_t)sum.refusals);
    flt_jw_amt(buf, "fees", sum.fees);
    flt_jw_amt(buf, "cash_start", output->result->cash);
    flt_jw_amt(buf, "cash_end", sum.cash);
    flt_jw_amt(buf, "equity_end",
               output->rows ? output->equity[output->rows - 1] : output->result->cash);
}

/* Of all data, in the order of the instruments. */
static void put_data(const struct portfolio_output *output, struct flt_buf *buf)
{
    struct flt_buf all = FLT_BUF_INIT;
    char name[128], hex[65];
    uint8_t hash[32];

    (void)snprintf(name, sizeof name, "%zu instruments", output->result->count);
    for (size_t i = 0; i < output->result->count; i++) {
        const struct data *data = output->result->configs[i].data;

        flt_buf_printf(&all, "%s %s %s %s\n", output->result->runs[i].instrument.name, data->sha256,
                       data->trades_sha256, data->quotes_sha256);
    }
    flt_sha256(all.data ? all.data : "", all.length, hash);
    flt_buf_finish(&all);
    flt_jw_begin(buf, "data", '{');
    flt_jw_str(buf, "name", name);
    flt_jw_str(buf, "sha256", flt_hex(hash, sizeof hash, hex));
    flt_jw_int(buf, "bars", (int64_t)output->rows);
    flt_jw_int(buf, "bar_ms", output->row_ms);
    flt_jw_int(buf, "first_ts_ms", output->rows ? output->close_ms[0] - output->row_ms : 0);
    flt_jw_int(buf, "last_ts_ms",
               output->rows ? output->close_ms[output->rows - 1] - output->row_ms : 0);
    flt_jw_end(buf, '}');
}

/* One word when all have it. */
static const char *strategy_of(const struct portfolio_output *output)
{
    const char *name = output->result->configs[0].strategy->name;

    for (size_t i = 1; i < output->result->count; i++)
        if (strcmp(name, output->result->configs[i].strategy->name) != 0)
            return "several strategies";
    return name;
}

static void put_config(const struct portfolio_output *output, struct flt_buf *buf)
{
    struct flt_buf all = FLT_BUF_INIT;
    uint8_t hash[32];
    char hex[65];

    flt_jw_begin(buf, "config", '{');
    flt_jw_str(buf, "strategy", strategy_of(output));
    flt_jw_str(buf, "fill", output->result->configs[0].fill->name);
    flt_jw_dec(buf, "fee", output->result->configs[0].fee);
    flt_jw_amt(buf, "cash", output->result->cash);
    flt_jw_str(buf, "account", output->shared ? "shared" : "split");
    flt_jw_int(buf, "seed", (int64_t)output->seed);
    flt_jw_end(buf, '}');
    for (size_t i = 0; i < output->result->count; i++)
        output_config(&output->outputs[i], &all, NULL);
    flt_buf_printf(&all, "%s", output->shared ? "shared" : "split");
    flt_sha256(all.data ? all.data : "", all.length, hash);
    flt_buf_finish(&all);
    flt_jw_str(buf, "config_sha256", flt_hex(hash, sizeof hash, hex));
}

static void put_notes(const struct portfolio_output *output, struct flt_buf *buf)
{
    char note[320], line[400];

    flt_jw_begin(buf, "notes", '[');
    for (size_t i = 0; i < output->result->count; i++)
        for (size_t k = 0; output_note(&output->outputs[i], k, note, sizeof note); k++) {
            (void)snprintf(line, sizeof line, "%s: %s", output->result->runs[i].instrument.name,
                           note);
            flt_jw_str(buf, NULL, line);
        }
    flt_jw_end(buf, ']');
}

void portfolio_output_summary(const struct portfolio_output *output, struct flt_buf *buf)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, "v", 1);
    flt_jw_str(buf, "version", FLT_VERSION);
    flt_jw_str(buf, "build", build_id());
    put_data(output, buf);
    put_config(output, buf);
    put_totals(output, buf);
    flt_jw_begin(buf, "instruments", '[');
    for (size_t i = 0; i < output->result->count; i++)
        put_instrument(output, i, buf);
    flt_jw_end(buf, ']');
    put_notes(output, buf);
    metrics_write(&output->sum, buf, "metrics");
    flt_jw_end(buf, '}');
    flt_buf_append(buf, "\n", 1);
}

/* --- files
 * ------------------------------------------------------------------------------------------- */

static int write_tables(const struct portfolio_output *output, const char *dir,
                        struct flt_error *error)
{
    static const struct {
        const char *name, *head;
        enum table table;
    } files[] = { { "fills.csv", OUTPUT_FILLS, TABLE_FILLS },
                  { "trades.csv", OUTPUT_TRADES, TABLE_TRADES },
                  { "orders.csv", OUTPUT_ORDERS, TABLE_ORDERS } };
    int err = 0;

    for (size_t i = 0; !err && i < FLT_COUNT(files); i++) {
        struct flt_buf buf = FLT_BUF_INIT;

        if (write_table(output, files[i].table, files[i].head, &buf))
            buf.failed = true;
        err = output_file(dir, files[i].name, &buf, error);
    }
    return err;
}

static int write_sums(const struct portfolio_output *output, const char *dir,
                      struct flt_error *error)
{
    static const struct {
        const char *name;
        void (*write)(const struct portfolio_output *, struct flt_buf *);
    } files[] = { { "equity.csv", write_equity },
                  { "instruments.csv", write_instruments },
                  { "summary.json", portfolio_output_summary } };
    int err = 0;

    for (size_t i = 0; !err && i < FLT_COUNT(files); i++) {
        struct flt_buf buf = FLT_BUF_INIT;

        files[i].write(output, &buf);
        err = output_file(dir, files[i].name, &buf, error);
    }
    return err;
}

int portfolio_output_write(const struct portfolio_output *output, const char *dir,
                           struct flt_error *error)
{
    char path[PATH_BYTES];
    int err = output_folder(dir, error);

    for (size_t i = 0; !err && i < output->result->count; i++) {
        err = flt_path_join(path, sizeof path, dir, output->result->runs[i].instrument.name);
        if (!err)
            err = output_write(&output->outputs[i], path, error);
    }
    if (!err)
        err = write_tables(output, dir, error);
    return err ? err : write_sums(output, dir, error);
}
