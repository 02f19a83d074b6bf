#define FLT_MOD "output"
#include "backtest/output.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "backtest/build_id.h"
#include "lib/config.h"
#include "lib/crypto.h"
#include "strategies/params.h"

#define PATH_BYTES 4096
#define NOTES_MAX 8

/* --- metrics
 * ----------------------------------------------------------------------------------------- */

struct curves {
    double *equity, *held, *balance;
};

/* Cash, position and cost hold from segment to segment; only the close moves within one. */
static void fill_curves(const struct output *output, const struct curves *curves)
{
    const struct run_result *result = output->result;
    const struct instrument *i = &result->instrument;
    const int64_t *close = output->config->data->columns.close_ticks;
    const double unit = flt_dec_to_double(i->tick) * flt_dec_to_double(i->lot);

    for (size_t s = 0; s < result->segment_count; s++) {
        const struct run_segment *segment = &result->segments[s];
        const size_t end =
            s + 1 < result->segment_count ? result->segments[s + 1].bar : result->bars;
        const double cash = flt_amt_to_double(segment->cash);
        const double balance = flt_amt_to_double(flt_amt_add(segment->cash, segment->cost));
        const double lots = (double)segment->position_lots * unit;

        for (size_t bar = segment->bar; bar < end; bar++) {
            const double value = lots * (double)close[bar];

            curves->equity[bar] = cash + value;
            curves->held[bar] = value < 0 ? -value : value;
            curves->balance[bar] = balance;
        }
    }
}

struct metric_trade *output_metric_trades(const struct output *output)
{
    const struct instrument *i = &output->result->instrument;
    struct metric_trade *out = malloc((output->trades->count + 1) * sizeof *out);

    for (size_t k = 0; out && k < output->trades->count; k++) {
        const struct round_trip *trade = &output->trades->trade[k];
        const struct flt_amt cost =
            flt_amt_product(ticks_to_price(i, trade->entry_ticks), lots_to_qty(i, trade->qty_lots),
                            FLT_ROUND_HALF_EVEN);

        out[k] = (struct metric_trade){ flt_amt_to_double(trade->pnl), flt_amt_to_double(cost),
                                        flt_amt_to_double(trade->fees),
                                        trade->exit_ms - trade->entry_ms };
    }
    return out;
}

void output_add_fills(const struct output *output, struct metrics_input *input)
{
    const struct run_result *result = output->result;
    struct flt_amt volume = FLT_AMT_ZERO;
    int64_t before = 0;

    for (size_t k = 0; k < result->fill_count; k++) {
        const struct run_fill *fill = &result->fills[k];

        volume = flt_amt_add(volume,
                             flt_amt_product(ticks_to_price(&result->instrument, fill->price_ticks),
                                             lots_to_qty(&result->instrument, fill->qty_lots),
                                             FLT_ROUND_HALF_EVEN));
        input->positions += before == 0 && fill->position_lots != 0;
        before = fill->position_lots;
    }
    input->volume += flt_amt_to_double(volume);
}

int output_metrics(const struct output *output, struct metrics *out)
{
    const struct data *data = output->config->data;
    const size_t count = output->result->bars;
    double *memory = calloc(3 * (count + 1), sizeof *memory);
    struct metric_trade *trades = output_metric_trades(output);
    int err = -ENOMEM;

    if (memory && trades && count > 0) {
        const struct curves curves = { memory, memory + count, memory + 2 * count };
        struct metrics_input input = {
            .equity = curves.equity,
            .held = curves.held,
            .balance = curves.balance,
            .count = count,
            .first_ms = data->columns.ts_ms[0],
            .last_ms = data->columns.ts_ms[count - 1],
            .bar_ms = data->bar_ms,
            .trades = trades,
            .trade_count = output->trades->count,
        };

        fill_curves(output, &curves);
        output_add_fills(output, &input);
        err = metrics_make(&input, out);
    }
    free(trades);
    free(memory);
    return err;
}

/* --- tables
 * ------------------------------------------------------------------------------------------ */

static const char *price_text(const struct run_result *result, int64_t ticks, char *out)
{
    return flt_dec_format(ticks_to_price(&result->instrument, ticks), out);
}

static const char *qty_text(const struct run_result *result, int64_t lots, char *out)
{
    return flt_dec_format(lots_to_qty(&result->instrument, lots), out);
}

void output_fill_row(const struct output *output, struct flt_buf *buf, size_t i,
                     const struct output_place *place)
{
    const struct run_result *result = output->result;
    const struct run_fill *fill = &result->fills[i];
    char price[FLT_DEC_TEXT_MAX], qty[FLT_DEC_TEXT_MAX], position[FLT_DEC_TEXT_MAX];
    char fee[FLT_AMT_TEXT_MAX], cash[FLT_AMT_TEXT_MAX];

    flt_buf_printf(buf, "%zu,%zu,%" PRId64 ",%s,%s,%s,%s,%s,%s,%s", place->number, place->bar,
                   fill->ts_ms, side_name(fill->side), price_text(result, fill->price_ticks, price),
                   qty_text(result, fill->qty_lots, qty), flt_amt_format(fill->fee, fee),
                   flt_amt_format(place->cash, cash),
                   qty_text(result, fill->position_lots, position), result->tags[fill->tag]);
}

void output_trade_row(const struct output *output, struct flt_buf *buf, size_t i,
                      const struct output_place *place)
{
    const struct run_result *result = output->result;
    const struct round_trip *trade = &output->trades->trade[i];
    char entry[FLT_DEC_TEXT_MAX], exit[FLT_DEC_TEXT_MAX], qty[FLT_DEC_TEXT_MAX];
    char fees[FLT_AMT_TEXT_MAX], pnl[FLT_AMT_TEXT_MAX];

    flt_buf_printf(buf, "%s,%zu,%" PRId64 ",%s,%zu,%" PRId64 ",%s,%s,%s,%s",
                   result->tags[trade->tag], place->bar, trade->entry_ms,
                   price_text(result, trade->entry_ticks, entry), place->end_bar, trade->exit_ms,
                   price_text(result, trade->exit_ticks, exit),
                   qty_text(result, trade->qty_lots, qty), flt_amt_format(trade->fees, fees),
                   flt_amt_format(trade->pnl, pnl));
}

void output_order_row(const struct output *output, struct flt_buf *buf, size_t i,
                      const struct output_place *place)
{
    const struct run_result *result = output->result;
    const struct run_order *order = &result->log[i];
    char price[FLT_DEC_TEXT_MAX], qty[FLT_DEC_TEXT_MAX], filled[FLT_DEC_TEXT_MAX], end[24] = "";

    if (order_status_is_final(order->status))
        (void)snprintf(end, sizeof end, "%zu", place->end_bar);
    flt_buf_printf(buf, "%zu,%zu,%" PRId64 ",%s,%s,%s,%s,%s,%s,%s,%s", place->number, place->bar,
                   order->ts_ms, side_name(order->side), order_type_name(order->type),
                   order->type == ORDER_LIMIT ? price_text(result, order->price_ticks, price) : "",
                   qty_text(result, order->qty_lots, qty),
                   qty_text(result, order->filled_lots, filled), order_status_name(order->status),
                   end, result->tags[order->tag]);
}

static void write_fills(const struct output *output, struct flt_buf *buf)
{
    flt_buf_printf(buf, OUTPUT_FILLS "\n");
    for (size_t i = 0; i < output->result->fill_count; i++) {
        const struct run_fill *fill = &output->result->fills[i];

        output_fill_row(output, buf, i, &(struct output_place){ i, fill->bar, 0, fill->cash });
        flt_buf_append(buf, "\n", 1);
    }
}

static void write_trades(const struct output *output, struct flt_buf *buf)
{
    flt_buf_printf(buf, OUTPUT_TRADES "\n");
    for (size_t i = 0; i < output->trades->count; i++) {
        const struct round_trip *trade = &output->trades->trade[i];

        output_trade_row(
            output, buf, i,
            &(struct output_place){ i, trade->entry_bar, trade->exit_bar, FLT_AMT_ZERO });
        flt_buf_append(buf, "\n", 1);
    }
}

static void write_orders(const struct output *output, struct flt_buf *buf)
{
    flt_buf_printf(buf, OUTPUT_ORDERS "\n");
    for (size_t i = 0; i < output->result->log_count; i++) {
        const struct run_order *order = &output->result->log[i];

        output_order_row(output, buf, i,
                         &(struct output_place){ i, order->bar, order->end_bar, FLT_AMT_ZERO });
        flt_buf_append(buf, "\n", 1);
    }
}

static void write_equity(const struct output *output, struct flt_buf *buf)
{
    const struct run_result *result = output->result;
    const struct indicator_columns *columns = &output->config->data->columns;
    const struct run_segment *segment = result->segments;
    const struct run_segment *const last = segment + result->segment_count - 1;
    char text[FLT_AMT_TEXT_MAX];

    flt_buf_printf(buf, "bar,ts_ms,equity\n");
    for (size_t bar = 0; bar < result->bars; bar++) {
        while (segment < last && segment[1].bar <= bar)
            segment++;
        flt_buf_printf(
            buf, "%zu,%" PRId64 ",%s\n", bar, columns->ts_ms[bar],
            flt_amt_format(run_equity(result, segment, columns->close_ticks[bar]), text));
    }
}

/* --- summary
 * ----------------------------------------------------------------------------------------- */

/* What is off is not there. */
static void write_costs(const struct run_config *config, struct flt_buf *buf)
{
    const struct run_costs *costs = &config->costs;

    if (costs->own_fees) {
        flt_jw_dec(buf, "fee_maker", costs->fee_maker);
        flt_jw_dec(buf, "fee_taker", costs->fee_taker);
    }
    if (costs->slip_rate.coef > 0)
        flt_jw_dec(buf, "slippage", costs->slip_rate);
    if (costs->slip_ticks > 0)
        flt_jw_int(buf, "slippage_ticks", costs->slip_ticks);
    if (costs->latency_ms > 0)
        flt_jw_int(buf, "latency_ms", costs->latency_ms);
    if (costs->share_ppm > 0)
        flt_jw_dec(buf, "volume_share_pct", (struct flt_dec){ costs->share_ppm, 4 });
    if (costs->own_queue)
        flt_jw_dec(
            buf, "queue",
            flt_dec_mul((struct flt_dec){ costs->queue_lots, 0 }, config->lot, FLT_ROUND_DOWN));
}

void output_config(const struct output *output, struct flt_buf *buf, const char *key)
{
    const struct run_config *config = output->config;

    flt_jw_begin(buf, key, '{');
    flt_jw_str(buf, "strategy", config->strategy->name);
    flt_jw_str(buf, "instrument", output->result->instrument.name);
    flt_jw_raw(buf, "params", output->result->params);
    if (config->risk)
        flt_jw_tree(buf, "risk", config->risk);
    flt_jw_str(buf, "fill", config->fill->name);
    flt_jw_dec(buf, "fee", config->fee);
    write_costs(config, buf);
    if (output->result->strategy_ms != config->data->bar_ms)
        flt_jw_int(buf, "timeframe_ms", output->result->strategy_ms);
    flt_jw_dec(buf, "tick", output->result->instrument.tick);
    flt_jw_dec(buf, "lot", config->lot);
    flt_jw_amt(buf, "cash", config->cash);
    flt_jw_int(buf, "seed", (int64_t)output->seed);
    flt_jw_end(buf, '}');
}

static void write_config_hash(const struct output *output, struct flt_buf *buf)
{
    struct flt_buf config = FLT_BUF_INIT;
    uint8_t hash[32];
    char hex[65];

    output_config(output, &config, NULL);
    flt_sha256(config.data ? config.data : "", config.length, hash);
    flt_jw_str(buf, "config_sha256", flt_hex(hash, sizeof hash, hex));
    flt_buf_finish(&config);
}

static void write_tape(const char *key, const char *name, const char *sha256, size_t rows,
                       struct flt_buf *buf)
{
    if (rows == 0)
        return;
    flt_jw_begin(buf, key, '{');
    flt_jw_str(buf, "name", name);
    flt_jw_str(buf, "sha256", sha256);
    flt_jw_int(buf, "rows", (int64_t)rows);
    flt_jw_end(buf, '}');
}

void output_data(const struct output *output, struct flt_buf *buf, const char *key)
{
    const struct data *data = output->config->data;

    flt_jw_begin(buf, key, '{');
    flt_jw_str(buf, "name", data->name);
    flt_jw_str(buf, "sha256", data->sha256);
    flt_jw_int(buf, "bars", (int64_t)data->count);
    flt_jw_int(buf, "bar_ms", data->bar_ms);
    flt_jw_int(buf, "first_ts_ms", data->columns.ts_ms[0]);
    flt_jw_int(buf, "last_ts_ms", data->columns.ts_ms[data->count - 1]);
    write_tape("trades", data->trades_name, data->trades_sha256, data->trades.count, buf);
    write_tape("quotes", data->quotes_name, data->quotes_sha256, data->quotes.count, buf);
    flt_jw_end(buf, '}');
}

static struct flt_amt sum_fees(const struct run_result *result)
{
    struct flt_amt fees = FLT_AMT_ZERO;

    for (size_t i = 0; i < result->fill_count; i++)
        fees = flt_amt_add(fees, result->fills[i].fee);
    return fees;
}

static void write_end(const struct output *output, struct flt_buf *buf)
{
    const struct run_result *result = output->result;
    const struct run_segment *segment = &result->segments[result->segment_count - 1];
    const int64_t close =
        result->bars > 0 ? output->config->data->columns.close_ticks[result->bars - 1] : 0;

    flt_jw_int(buf, "bars", (int64_t)result->bars);
    flt_jw_bool(buf, "complete", !result->stopped);
    flt_jw_int(buf, "fills", (int64_t)result->fill_count);
    flt_jw_int(buf, "trades", (int64_t)output->trades->count);
    flt_jw_int(buf, "orders_placed", (int64_t)result->counters.placed);
    flt_jw_int(buf, "orders_cancelled", (int64_t)result->counters.cancelled);
    flt_jw_int(buf, "orders_open", (int64_t)result->order_count);
    flt_jw_int(buf, "risk_refusals", (int64_t)result->counters.risk_refusals);
    flt_jw_amt(buf, "fees", sum_fees(result));
    flt_jw_amt(buf, "cash_start", output->config->cash);
    flt_jw_amt(buf, "cash_end", segment->cash);
    flt_jw_dec(buf, "position_end", lots_to_qty(&result->instrument, segment->position_lots));
    flt_jw_amt(buf, "equity_end", run_equity(result, segment, close));
}

/* 1998 to 2096 in seconds; milliseconds since 1970 are beyond that from its second month on. */
static bool looks_like_seconds(const struct data *data)
{
    const int64_t first = data->columns.ts_ms[0];

    return first >= INT64_C(900000000) && first < INT64_C(4000000000);
}

bool output_note(const struct output *output, size_t index, char *out, size_t size)
{
    const struct run_result *result = output->result;
    const char *notes[NOTES_MAX] = { NULL };
    char text[NOTES_MAX][320];
    size_t count = 0;

    if (output->config->data->unended) {
        (void)snprintf(text[count], sizeof text[0], "the last line of %s has no end: is it cut?",
                       output->config->data->name);
        count++;
    }
    if (result->stopped) {
        (void)snprintf(text[count], sizeof text[0],
                       "stopped at bar %zu of %zu: the result is partial", result->bars,
                       output->config->data->count);
        count++;
    }
    if (result->ready_bars >= result->strategy_bars) {
        (void)snprintf(text[count], sizeof text[0],
                       "too little data: the indicators need %zu bars, a fill one more, and there "
                       "are %zu",
                       result->ready_bars, result->strategy_bars);
        count++;
    } else if (result->fill_count == 0) {
        (void)snprintf(text[count], sizeof text[0], "the strategy never traded");
        count++;
    }
    if (result->cut_orders > 0) {
        (void)snprintf(text[count], sizeof text[0],
                       "%zu orders were cut to %" PRId64 " lots, the most one can have: "
                       "use a coarser --lot",
                       result->cut_orders, LOTS_MAX);
        count++;
    }
    if (output->metrics->max_drawdown <= -1) {
        (void)snprintf(text[count], sizeof text[0],
                       "the equity fell to zero or below: from there on returns, and what is made "
                       "of them, mean nothing");
        count++;
    }
    if (looks_like_seconds(output->config->data)) {
        (void)snprintf(text[count], sizeof text[0],
                       "the bars begin in 1970: is ts_ms in seconds? It is read as milliseconds");
        count++;
    }
    if (*result->trouble) {
        (void)snprintf(text[count], sizeof text[0], "%s", result->trouble);
        count++;
    }
    for (size_t i = 0; i < count; i++)
        notes[i] = text[i];
    if (index >= count)
        return false;
    (void)snprintf(out, size, "%s", notes[index]);
    return true;
}

void output_summary(const struct output *output, struct flt_buf *buf)
{
    char note[320];

    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, "v", 1);
    flt_jw_str(buf, "version", FLT_VERSION);
    flt_jw_str(buf, "build", build_id());
    output_data(output, buf, "data");
    output_config(output, buf, "config");
    write_config_hash(output, buf);
    write_end(output, buf);
    flt_jw_begin(buf, "notes", '[');
    for (size_t i = 0; output_note(output, i, note, sizeof note); i++)
        flt_jw_str(buf, NULL, note);
    flt_jw_end(buf, ']');
    metrics_write(output->metrics, buf, "metrics");
    flt_jw_end(buf, '}');
    flt_buf_append(buf, "\n", 1);
}

int output_file(const char *dir, const char *name, struct flt_buf *buf, struct flt_error *error)
{
    char path[PATH_BYTES];
    int err = flt_path_join(path, sizeof path, dir, name);

    if (!err)
        err = buf->failed ? -ENOMEM : flt_file_write(path, buf->data, buf->length, 0644);
    flt_buf_finish(buf);
    if (err)
        flt_error_set(error, flt_error_from_errno(err), "out", "", "%s/%s cannot be written: %s",
                      dir, name, strerror(-err));
    return err;
}

/* What is not written by every run must not stay from the one before: a report would show it. */
int output_folder(const char *dir, struct flt_error *error)
{
    static const char *const stale[] = { "price.csv", "monthly.csv", "report.html",
                                         "instruments.csv" };
    char path[PATH_BYTES];
    int err = flt_mkdir_p(dir);

    for (size_t i = 0; !err && i < FLT_COUNT(stale); i++) {
        err = flt_path_join(path, sizeof path, dir, stale[i]);
        if (!err && unlink(path) != 0 && errno != ENOENT)
            err = -errno;
    }
    if (err)
        flt_error_set(error, flt_error_from_errno(err), "out", "", "%s: %s", dir, strerror(-err));
    return err;
}

int output_write(const struct output *output, const char *dir, struct flt_error *error)
{
    static const struct {
        const char *name;
        void (*write)(const struct output *, struct flt_buf *);
    } files[] = { { "fills.csv", write_fills },
                  { "trades.csv", write_trades },
                  { "orders.csv", write_orders },
                  { "equity.csv", write_equity },
                  { "summary.json", output_summary } };
    int err = output_folder(dir, error);

    for (size_t i = 0; !err && i < FLT_COUNT(files); i++) {
        struct flt_buf buf = FLT_BUF_INIT;

        files[i].write(output, &buf);
        err = output_file(dir, files[i].name, &buf, error);
    }
    return err;
}
