/* Indicators, one row each (docs/indicators.md): streamed bar by bar by the engine, and over whole
 * columns by a backtest. Both forms run the same arithmetic in the same order, so they agree bit
 * for bit. Values are doubles in price units; NaN until warmed up and where a value is not defined.
 *
 * The state is plain bytes: no pointers, nothing allocated, a copy of the bytes is the same state.
 * It keeps windows of whole ticks, so that sums over them are exact and never drift.
 * Bounds: prices are below 10^15 ticks, a window is at most INDICATOR_PERIOD_MAX bars.
 * Threads: pure functions over the caller's state. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "lib/fail.h"
#include "lib/market.h"

#define INDICATOR_PERIOD_MAX 5000
#define INDICATOR_OPTIONS_MAX 5
#define INDICATOR_OUTPUTS_MAX 6

enum indicator_input { /* columns it reads; bits */
                       INDICATOR_TIME = 1,
                       INDICATOR_OPEN = 2,
                       INDICATOR_HIGH = 4,
                       INDICATOR_LOW = 8,
                       INDICATOR_CLOSE = 16,
                       INDICATOR_VOLUME = 32
};

enum indicator_option_type {
    INDICATOR_INT,
    INDICATOR_NUMBER,
    INDICATOR_CHOICE /* the index of a word of `choices`; the default is the first one */
};

/* An option's value 0 stands for its default, so 0 itself is never another legal value. */
struct indicator_option {
    const char *name; /* NULL ends a list */
    enum indicator_option_type type;
    double def, min, max;
    const char *choices; /* CHOICE: "talib|pandas" */
    const char *help;
};

/* Arrays of equal length, oldest bar first; those that the indicator does not read may be NULL. */
struct indicator_columns {
    const int64_t *ts_ms;
    const int64_t *open_ticks, *high_ticks, *low_ticks, *close_ticks;
    const double *volume;
};

struct indicator {
    const char *name;    /* "sma" */
    const char *aliases; /* other words for it: "bbands bb"; "" none */
    const char *help;
    const char *formula;                    /* what is computed, in one or two sentences */
    const char *source;                     /* whose definition it is */
    unsigned inputs;                        /* enum indicator_input */
    const struct indicator_option *options; /* ends with a NULL name */
    const char *const *outputs;             /* ends with NULL */
    size_t output_count;
    /* Bars until every output has its first value (option values as checked, none is 0 by default);
     * bars after which the start no longer shows (recursive ones). */
    size_t (*first)(const double *option);
    size_t (*settle)(const double *option);
    /* Makes `state` (aligned as malloc does) a new one and returns its size; NULL: the size only.
     */
    size_t (*init)(void *state, const double *option);
    /* One closed bar with prices in ticks of `tick`; writes output_count values. */
    void (*update)(void *state, const struct bar *bar, double tick, double *out);
    /* Batch: out[k][i] is output k of bar i. `state` from init; it goes on after the last bar. */
    void (*run)(void *state, const struct indicator_columns *in, size_t count, double tick,
                double *const *out);
};

const struct indicator *indicator_find(const char *name); /* or alias; NULL: none */
const struct indicator *indicator_at(size_t index);       /* in the table's order; NULL: end */
const char *indicator_nearest(const char *name);          /* "did you mean"; NULL: none near */
int indicator_output_find(const struct indicator *indicator, const char *name); /* -1: none */

/* Replaces each 0 of `option` by its default and checks type and range; values beyond the row's
 * options must be 0. -EINVAL: `error` names the option. */
FLT_MUST_USE int indicator_options_check(const struct indicator *indicator,
                                         double option[INDICATOR_OPTIONS_MAX],
                                         struct flt_error *error);
/* Sets one from text, "period=14" or "seed=pandas". -EINVAL: `error` says what is wrong. */
FLT_MUST_USE int indicator_option_set(const struct indicator *indicator,
                                      double option[INDICATOR_OPTIONS_MAX], const char *text,
                                      struct flt_error *error);
/* The option's value as its text: "14", "2.5", "pandas". */
const char *indicator_option_text(const struct indicator_option *option, double value, char *out,
                                  size_t size);
const char *indicator_inputs_text(const struct indicator *indicator, char *out, size_t size);
void indicator_docs(FILE *file); /* docs/indicators.md */
