/* Indicators, one row each: streamed bar by bar by the engine, and over a whole column by a
 * backtest. Both run the same update over the same state, so they agree bit for bit. Values are
 * doubles; NaN until warmed up. Formulas: TA-Lib's (simple-average seeds), from full history. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lib/market.h"

#define INDICATOR_PERIOD_MAX 5000

struct indicator {
    const char *name; /* "sma" */
    const char *help;
    /* Bars before the first value; bars after which the start no longer shows (recursive ones). */
    size_t (*first)(int64_t period);
    size_t (*settle)(int64_t period);
    size_t (*state_size)(int64_t period);
    void (*init)(void *state, int64_t period);
    /* One closed bar, with prices in ticks scaled by `tick`; returns the value or NaN. */
    double (*update)(void *state, const struct bar *bar, double tick);
};

const struct indicator *indicator_find(const char *name); /* NULL: none */
/* The batch form: out[i] belongs to bars[i]. `state` as for streaming, from init. */
void indicator_run(const struct indicator *indicator, void *state, const struct bar *bars,
                   size_t count, double tick, double *out);
