/* The metrics against values computed with numpy (tests/vectors/stats), and by hand for those that
 * the vectors do not have. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "backtest/metrics.h"
#include "lib/csv.h"

#define POINTS_MAX 5000
#define TRADES_MAX 100

struct series {
    double equity[POINTS_MAX], held[POINTS_MAX], ts_ms[POINTS_MAX];
    struct metric_trade trades[TRADES_MAX];
    size_t count, trade_count;
};

static struct series series;

static struct flt_csv *open_vector(const char *name)
{
    struct flt_csv *csv = NULL;
    struct flt_error error = { 0 };
    char path[512];

    (void)snprintf(path, sizeof path, "%s/btcusdt_1h_rsi14_%s.csv", STATS_VECTORS, name);
    if (flt_csv_open(path, &csv, &error))
        fail_msg("%s", error.message);
    return csv;
}

static bool next_row(struct flt_csv *csv, struct flt_csv_field *fields)
{
    struct flt_error error = { 0 };
    const int err = flt_csv_next(csv, fields, &error);

    if (err < 0)
        fail_msg("%s", error.message);
    return err == 0;
}

static double number(struct flt_csv *csv, const struct flt_csv_field *fields, const char *column)
{
    const int index = flt_csv_column(csv, column);

    assert_true(index >= 0);
    return strtod(fields[index].text, NULL);
}

static void load(void)
{
    struct flt_csv_field fields[FLT_CSV_COLUMNS_MAX];
    struct flt_csv *csv = open_vector("equity");

    while (next_row(csv, fields)) {
        assert_true(series.count < POINTS_MAX);
        series.ts_ms[series.count] = number(csv, fields, "ts_ms");
        series.equity[series.count] = number(csv, fields, "equity");
        series.held[series.count++] = number(csv, fields, "position");
    }
    flt_csv_close(csv);
    csv = open_vector("trades");
    while (next_row(csv, fields)) {
        assert_true(series.trade_count < TRADES_MAX);
        series.trades[series.trade_count++] = (struct metric_trade){
            .pnl = number(csv, fields, "pnl_net"),
            .cost = number(csv, fields, "entry_price") * number(csv, fields, "qty"),
            .fees = number(csv, fields, "fees"),
        };
    }
    flt_csv_close(csv);
}

static struct json_object *as_json(const struct metrics_input *input)
{
    struct flt_buf buf = FLT_BUF_INIT;
    struct metrics metrics;

    assert_int_equal(metrics_make(input, &metrics), 0);
    metrics_write(&metrics, &buf, NULL);
    struct json_object *tree = flt_json_parse(buf.data, buf.length, NULL);
    flt_buf_finish(&buf);
    assert_non_null(tree);
    return tree;
}

static void each_metric_of_the_vectors_agrees_to_1e_9(void **ctx)
{
    struct flt_csv_field fields[FLT_CSV_COLUMNS_MAX];
    size_t compared = 0;

    (void)ctx;
    load();
    struct json_object *got = as_json(&(struct metrics_input){
        .equity = series.equity,
        .held = series.held,
        .count = series.count,
        .first_ms = (int64_t)series.ts_ms[0],
        .last_ms = (int64_t)series.ts_ms[series.count - 1],
        .bar_ms = 3600000,
        .trades = series.trades,
        .trade_count = series.trade_count,
    });
    struct flt_csv *csv = open_vector("expected");
    while (next_row(csv, fields)) {
        char name[64];
        double value = (double)NAN;
        const double expected = number(csv, fields, "value");

        (void)snprintf(name, sizeof name, "%.*s", (int)fields[0].size, fields[0].text);
        if (!flt_json_double(got, name, &value) ||
            !(fabs(value - expected) <= 1e-9 * fabs(expected)))
            fail_msg("%s: %.17g, expected %.17g", name, value, expected);
        compared++;
    }
    assert_int_equal(compared, 53);
    flt_csv_close(csv);
    json_object_put(got);
}

static void assert_metric(struct json_object *got, const char *name, double expected)
{
    double value = (double)NAN;

    if (!flt_json_double(got, name, &value) ||
        fabs(value - expected) > 1e-12 * fmax(1, fabs(expected)))
        fail_msg("%s: %.17g, expected %.17g", name, value, expected);
}

/* 100 -> 110 -> 99 -> 121 over three days of one bar; in a position of half the equity for two. */
static void the_others_agree_with_values_by_hand(void **ctx)
{
    const double equity[] = { 100, 110, 99, 121 }, held[] = { 0, 55, 49.5, 0 };
    const double balance[] = { 100, 100, 110, 121 };
    const struct metric_trade trades[] = { { .pnl = 30, .cost = 100, .held_ms = 3600000 },
                                           { .pnl = -10, .cost = 100, .held_ms = 7200000 },
                                           { .pnl = 1, .cost = 100, .held_ms = 18000000 },
                                           { .pnl = 0, .cost = 100, .held_ms = 0 } };

    (void)ctx;
    struct json_object *got = as_json(&(struct metrics_input){ .equity = equity,
                                                               .held = held,
                                                               .balance = balance,
                                                               .count = 4,
                                                               .last_ms = INT64_C(3) * 86400000,
                                                               .bar_ms = 86400000,
                                                               .trades = trades,
                                                               .trade_count = 4,
                                                               .volume = 215,
                                                               .positions = 2 });
    assert_metric(got, "adg", cbrt(1.21) - 1);
    assert_metric(got, "max_drawdown", 99.0 / 110 - 1);
    assert_metric(got, "sterling", (pow(1.21, 365.0 / 3) - 1) / (1 - 99.0 / 110));
    assert_metric(got, "exposure_fraction", 0.5);
    assert_metric(got, "exposure_mean", 0.25);
    assert_metric(got, "exposure_max", 0.5);
    assert_metric(got, "turnover", 2);
    assert_metric(got, "positions_per_day", 2.0 / 3);
    assert_metric(got, "loss_profit_ratio", 10.0 / 31);
    assert_metric(got, "held_hours_mean", 2);
    assert_metric(got, "held_hours_median", 1.5);
    assert_metric(got, "held_hours_max", 5);
    assert_metric(got, "win_rate", 0.5); /* nothing gained is not won */
    assert_metric(got, "max_consecutive_losses", 1);
    assert_metric(got, "equity_balance_diff_pos_max", 0.1);
    assert_metric(got, "equity_balance_diff_neg_max", 0.1);
    json_object_put(got);
}

static void what_is_not_defined_is_null_and_not_a_number(void **ctx)
{
    const double equity[] = { 100, 100, 100 };

    (void)ctx;
    struct json_object *got =
        as_json(&(struct metrics_input){ .equity = equity, .count = 3, .last_ms = 2, .bar_ms = 1 });
    assert_metric(got, "total_return", 0);
    assert_metric(got, "max_drawdown", 0);
    assert_true(json_object_object_get_ex(got, "sharpe_ann_rf0", NULL));
    assert_null(flt_json_get(got, "sharpe_ann_rf0"));
    assert_null(flt_json_get(got, "win_rate"));
    assert_null(flt_json_get(got, "profit_factor"));
    json_object_put(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_metric_of_the_vectors_agrees_to_1e_9),
        cmocka_unit_test(the_others_agree_with_values_by_hand),
        cmocka_unit_test(what_is_not_defined_is_null_and_not_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
