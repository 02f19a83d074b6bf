/* Candles a second of a whole backtest: engine, ledger, fills, and the equity curve. The baseline
 * is a bare loop over the same candles with the same arithmetic for one strategy and nothing else:
 * no orders, no ledger, no exact money. Both in the same run, as ratios. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "backtest/output.h"
#include "backtest/portfolio.h"
#include "bench/bench.h"

#define CANDLES 1000000

static int64_t columns[5][CANDLES];
static double volume[CANDLES], curve[CANDLES];

static struct data market = {
    .columns = { .ts_ms = columns[0],
                 .open_ticks = columns[1],
                 .high_ticks = columns[2],
                 .low_ticks = columns[3],
                 .close_ticks = columns[4],
                 .volume = volume },
    .count = CANDLES,
    .bar_ms = 60000,
    .tick = { 1, 2 },
    .name = "drawn",
};

static uint32_t draw(void)
{
    static uint64_t state = 88172645463325252ULL;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

/* One-minute candles of a price around 20,000 with 5 bps steps that returns to its mean. */
static void make_market(void)
{
    int64_t price = 2000000;

    for (size_t i = 0; i < CANDLES; i++) {
        const int64_t open = price;
        const int64_t pull = (2000000 - price) / 4000;
        const int64_t close = open + pull + (int64_t)(draw() % 2001) - 1000;
        const int64_t top = open > close ? open : close, bottom = open > close ? close : open;

        columns[0][i] = INT64_C(1600000000000) + (int64_t)i * 60000;
        columns[1][i] = open;
        columns[2][i] = top + (int64_t)(draw() % 300);
        columns[3][i] = bottom - (int64_t)(draw() % 300);
        columns[4][i] = price = close;
        volume[i] = 1;
    }
}

static const char *only; /* rows of this name or these parameters */

struct job {
    const char *strategy;
    struct json_object *params;
    size_t fills;
    int64_t fast, slow;  /* of a cross */
    int64_t lower, step; /* of a grid, in ticks */
};

static void make_curve(const struct run_result *result)
{
    const double unit = 1e-8;

    for (size_t s = 0; s < result->segment_count; s++) {
        const struct run_segment *segment = &result->segments[s];
        const size_t end =
            s + 1 < result->segment_count ? result->segments[s + 1].bar : result->bars;
        const double cash = flt_amt_to_double(segment->cash);
        const double lots = (double)segment->position_lots * unit;

        for (size_t bar = segment->bar; bar < end; bar++)
            curve[bar] = cash + lots * (double)columns[4][bar];
    }
}

static void backtest(void *ctx, long rounds)
{
    struct job *job = ctx;
    const struct run_config config = {
        .strategy = strategy_find(job->strategy),
        .params = job->params,
        .data = &market,
        .fill = fill_model_find("next-open"),
        .fee = flt_dec_parse("0.001"),
        .lot = flt_dec_parse("0.000001"),
        .cash = flt_amt_from_int(100000),
    };
    struct run_result result;
    struct flt_error error = { 0 };

    for (long i = 0; i < rounds; i++) {
        if (run_backtest(&config, &result, &error)) {
            (void)fprintf(stderr, "%s: %s\n", error.field, error.message);
            exit(1);
        }
        make_curve(&result);
        job->fills = result.fill_count;
        run_free(&result);
    }
}

/* The same decisions in doubles: two sums, a comparison, cash and position. */
static void bare_cross(void *ctx, long rounds)
{
    const struct job *job = ctx;
    const int64_t *open = columns[1], *close = columns[4];

    for (long round = 0; round < rounds; round++) {
        int64_t fast = 0, slow = 0;
        double cash = 100000, position = 0, order = 0;
        int before = 0;

        for (int64_t i = 0; i < CANDLES; i++) {
            if (order != 0) {
                const double price = (double)open[i] * 0.01;

                cash -= order * price + fabs(order) * price * 0.001;
                position += order;
                order = 0;
            }
            curve[i] = cash + position * (double)close[i] * 0.01;
            fast += close[i] - (i >= job->fast ? close[i - job->fast] : 0);
            slow += close[i] - (i >= job->slow ? close[i - job->slow] : 0);
            const double gap = (double)fast / (double)job->fast - (double)slow / (double)job->slow;
            const int now = gap > 0 ? 1 : gap < 0 ? -1 : 0;

            if (i >= job->slow && position == 0 && before <= 0 && now > 0)
                order = 1;
            else if (i >= job->slow && position > 0 && before >= 0 && now < 0)
                order = -position;
            before = now;
        }
    }
}

/* A grid of doubles: for each candle, those lines that it reaches. */
static void bare_grid(void *ctx, long rounds)
{
    const struct job *job = ctx;
    const int64_t lower = job->lower, step = job->step;
    const int64_t *high = columns[2], *low = columns[3], *close = columns[4];

    for (long round = 0; round < rounds; round++) {
        double cash = 100000, position = 0;
        int64_t below = 0; /* slots below this line hold nothing and wait for a buy */

        for (size_t i = 0; i < CANDLES; i++) {
            const int64_t buy = lower + below * step, sell = buy + step;

            if (low[i] <= buy && below > 0) {
                cash -= (double)buy * 0.01 * 1.001;
                position += 1;
                below--;
            } else if (high[i] >= sell && below < 40) {
                cash += (double)sell * 0.01 * 0.999;
                position -= 1;
                below++;
            }
            curve[i] = cash + position * (double)close[i] * 0.01;
        }
    }
}

static void measure(const char *name, struct job *job, const char *params, bench_fn *bare)
{
    char text[96];

    if (only && !strstr(name, only) && !strstr(params, only))
        return;

    job->params = json_tokener_parse(params);
    const double base = bench_cpu_ns(bare, job) / CANDLES;
    const double mine = bench_cpu_ns(backtest, job) / CANDLES;

    (void)snprintf(text, sizeof text, "%s, a fill in %.0f candles", name,
                   job->fills ? (double)CANDLES / (double)job->fills : 0);
    bench_row(text, 1e3 / mine, "M candles/s", "");
    bench_ratio(text, mine, "ns/candle", base, "a bare loop");
    json_object_put(job->params);
}

/* --- several instruments: windows of the same market that begin at other bars, on one clock */

#define INSTRUMENTS 40
#define WINDOW (CANDLES / 4)
#define SHIFT 17000

static struct data windows[INSTRUMENTS];

static void make_windows(void)
{
    for (size_t k = 0; k < INSTRUMENTS; k++) {
        windows[k] = market;
        windows[k].count = WINDOW;
        windows[k].columns.ts_ms = columns[0];
        windows[k].columns.open_ticks = columns[1] + k * SHIFT;
        windows[k].columns.high_ticks = columns[2] + k * SHIFT;
        windows[k].columns.low_ticks = columns[3] + k * SHIFT;
        windows[k].columns.close_ticks = columns[4] + k * SHIFT;
    }
}

/* The portfolio's curve: the sum of all. */
static void add_curves(const struct portfolio_result *result)
{
    const double unit = 1e-8;

    memset(curve, 0, WINDOW * sizeof *curve);
    for (size_t k = 0; k < result->count; k++) {
        const struct run_result *run = &result->runs[k];
        const int64_t *close = windows[k].columns.close_ticks;

        for (size_t s = 0; s < run->segment_count; s++) {
            const size_t end = s + 1 < run->segment_count ? run->segments[s + 1].bar : run->bars;
            const double cash = flt_amt_to_double(run->segments[s].cash);
            const double lots = (double)run->segments[s].position_lots * unit;

            for (size_t bar = run->segments[s].bar; bar < end; bar++)
                curve[bar] += cash + lots * (double)close[bar];
        }
    }
}

static void portfolio(void *ctx, long rounds)
{
    struct job *job = ctx;
    struct run_config configs[INSTRUMENTS];
    struct portfolio_result result;
    struct flt_error error = { 0 };

    for (size_t k = 0; k < INSTRUMENTS; k++)
        configs[k] = (struct run_config){ .strategy = strategy_find(job->strategy),
                                          .params = job->params,
                                          .data = &windows[k],
                                          .fill = fill_model_find("next-open"),
                                          .fee = flt_dec_parse("0.001"),
                                          .lot = flt_dec_parse("0.000001") };
    const struct portfolio_config config = { configs, INSTRUMENTS, flt_amt_from_int(4000000), true,
                                             NULL };

    for (long i = 0; i < rounds; i++) {
        if (portfolio_run(&config, &result, &error)) {
            (void)fprintf(stderr, "%s: %s\n", error.field, error.message);
            exit(1);
        }
        add_curves(&result);
        job->fills = 0;
        for (size_t k = 0; k < result.count; k++)
            job->fills += result.runs[k].fill_count;
        portfolio_free(&result);
    }
}

/* The crosses of all windows, one after the other, in doubles. */
static void bare_portfolio(void *ctx, long rounds)
{
    for (long i = 0; i < rounds; i++)
        for (size_t k = 0; k < INSTRUMENTS; k += CANDLES / WINDOW)
            bare_cross(ctx, 1); /* as many candles as four windows have */
}

static void measure_portfolio(struct job *job, const char *params)
{
    const char *name = "backtest 40 instruments, one account, sma_cross";
    const double candles = (double)INSTRUMENTS * WINDOW;
    char text[96];

    if (only && !strstr(name, only))
        return;
    make_windows();
    job->params = json_tokener_parse(params);
    const double base = bench_cpu_ns(bare_portfolio, job) / candles;
    const double mine = bench_cpu_ns(portfolio, job) / candles;

    (void)snprintf(text, sizeof text, "%s, a fill in %.0f candles", name,
                   job->fills ? candles / (double)job->fills : 0);
    bench_row(text, 1e3 / mine, "M candles/s", "");
    bench_ratio(text, mine, "ns/candle", base, "a bare loop");
    json_object_put(job->params);
}

static void metrics(void *ctx, long rounds)
{
    struct metrics out;
    const struct metrics_input input = { .equity = curve,
                                         .count = CANDLES,
                                         .first_ms = columns[0][0],
                                         .last_ms = columns[0][CANDLES - 1],
                                         .bar_ms = 60000 };

    (void)ctx;
    for (long i = 0; i < rounds; i++)
        if (metrics_make(&input, &out))
            exit(1);
}

int main(int argc, char **argv)
{
    only = argc > 1 ? argv[1] : NULL;
    make_market();
    measure("backtest sma_cross",
            &(struct job){ .strategy = "sma_cross", .fast = 500, .slow = 3000 },
            "{\"fast\":500,\"slow\":3000,\"qty\":1}", bare_cross);
    measure("backtest sma_cross", &(struct job){ .strategy = "sma_cross", .fast = 25, .slow = 160 },
            "{\"fast\":25,\"slow\":160,\"qty\":1}", bare_cross);
    measure_portfolio(&(struct job){ .strategy = "sma_cross", .fast = 500, .slow = 3000 },
                      "{\"fast\":500,\"slow\":3000,\"stake_pct\":2}");
    measure("backtest grid_lines, 40 lines",
            &(struct job){ .strategy = "grid_lines", .lower = 1600000, .step = 20000 },
            "{\"lower\":16000,\"step\":200,\"lines\":41,\"qty\":0.1}", bare_grid);
    measure("backtest grid_lines, 40 lines",
            &(struct job){ .strategy = "grid_lines", .lower = 1890000, .step = 5500 },
            "{\"lower\":18900,\"step\":55,\"lines\":41,\"qty\":0.1}", bare_grid);
    measure("backtest grid_lines, 40 lines",
            &(struct job){ .strategy = "grid_lines", .lower = 1950000, .step = 2500 },
            "{\"lower\":19500,\"step\":25,\"lines\":41,\"qty\":0.1}", bare_grid);
    measure("backtest grid, 40 levels as live",
            &(struct job){ .strategy = "grid", .lower = 1800000, .step = 10000 },
            "{\"lower\":18000,\"upper\":22000,\"levels\":40,\"budget\":100000}", bare_grid);
    measure("backtest grid, 40 levels as live",
            &(struct job){ .strategy = "grid", .lower = 1890000, .step = 5500 },
            "{\"lower\":18900,\"upper\":21100,\"levels\":40,\"budget\":100000}", bare_grid);
    bench_row("backtest metrics of 1 M samples", bench_cpu_ns(metrics, NULL) / 1e6, "ms", "aim 20");
    return 0;
}
