/* Each indicator's batch form over a million bars, beside a bare loop of a moving average over the
 * same closes; the processor time of this thread, the best of five. */
#include <stdlib.h>
#include <string.h>
#include "bench/bench.h"
#include "strategies/indicators/indicator.h"

#define BARS 1000000
#define PERIOD 20

static int64_t columns[5][BARS];
static double volume[BARS], lines[8][BARS];

static const struct indicator_columns market = { .ts_ms = columns[0],
                                                 .open_ticks = columns[1],
                                                 .high_ticks = columns[2],
                                                 .low_ticks = columns[3],
                                                 .close_ticks = columns[4],
                                                 .volume = volume };

static void make_market(void)
{
    uint64_t random = 88172645463325252;
    int64_t price = 2000000;

    for (size_t i = 0; i < BARS; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        const int64_t open = price;

        price += (2000000 - price) / 4000 + (int64_t)(random >> 32) % 2001 - 1000;
        columns[0][i] = INT64_C(1600000000000) + (int64_t)i * 60000;
        columns[1][i] = open;
        columns[2][i] = (open > price ? open : price) + 100;
        columns[3][i] = (open > price ? price : open) - 100;
        columns[4][i] = price;
        volume[i] = 1 + (double)(random & 1023) / 64;
    }
}

static void bare_sma(void *ctx, long rounds)
{
    const int64_t *close = columns[4];

    (void)ctx;
    for (long round = 0; round < rounds; round++) {
        int64_t sum = 0;

        for (size_t i = 0; i < BARS; i++) {
            sum += close[i] - (i >= PERIOD ? close[i - PERIOD] : 0);
            lines[0][i] = (double)sum * (0.01 / PERIOD);
        }
    }
}

static void run(void *ctx, long rounds)
{
    const struct indicator *indicator = ctx;
    double option[INDICATOR_OPTIONS_MAX] = { 0 };
    double *out[INDICATOR_OUTPUTS_MAX];

    if (indicator_options_check(indicator, option, NULL))
        abort();
    void *state = malloc(indicator->init(NULL, option));

    if (!state)
        abort();
    for (size_t i = 0; i < INDICATOR_OUTPUTS_MAX; i++)
        out[i] = lines[i];
    for (long round = 0; round < rounds; round++) {
        (void)indicator->init(state, option);
        indicator->run(state, &market, BARS, 0.01, out);
    }
    free(state);
}

int main(void)
{
    const struct indicator *indicator;
    char text[96];

    _Static_assert(INDICATOR_OUTPUTS_MAX <= sizeof lines / sizeof *lines, "one row an output");
    make_market();
    memset(lines, 0, sizeof lines); /* pages are there before the first is timed */
    const double bare = bench_cpu_ns(bare_sma, NULL) / BARS;

    bench_row("indicators: bare loop of a moving average", 1e3 / bare, "M bars/s", "");
    for (size_t i = 0; (indicator = indicator_at(i)); i++) {
        union {
            const struct indicator *in;
            void *out;
        } ctx = { indicator };
        const double ns = bench_cpu_ns(run, ctx.out) / BARS;

        (void)snprintf(text, sizeof text, "indicators: %s, %zu %s", indicator->name,
                       indicator->output_count, indicator->output_count == 1 ? "line" : "lines");
        printf("%s\t%.1f\tM bars/s\t%.1fx the bare loop's time (%.2f ns)\n", text, 1e3 / ns,
               ns / bare, bare);
    }
    return 0;
}
