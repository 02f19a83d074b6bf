/* Makes both forms of an indicator from one `BLOCK void NAME_step(struct NAME *, const struct bar
 * *, double tick, double *out)`. For strategies/indicators/ only. */
#pragma once
#include "strategies/indicators/blocks.h"

BLOCK struct bar bar_of(const struct indicator_columns *in, unsigned inputs, size_t i)
{
    return (struct bar){
        .ts_ms = inputs & INDICATOR_TIME ? in->ts_ms[i] : 0,
        .open_ticks = inputs & INDICATOR_OPEN ? in->open_ticks[i] : 0,
        .high_ticks = inputs & INDICATOR_HIGH ? in->high_ticks[i] : 0,
        .low_ticks = inputs & INDICATOR_LOW ? in->low_ticks[i] : 0,
        .close_ticks = inputs & INDICATOR_CLOSE ? in->close_ticks[i] : 0,
        .volume = inputs & INDICATOR_VOLUME ? in->volume[i] : 0,
    };
}

#define KERNEL(name, inputs, outputs)                                                              \
    static void name##_update(void *state, const struct bar *bar, double tick, double *out)        \
    {                                                                                              \
        name##_step(state, bar, tick, out);                                                        \
    }                                                                                              \
    static void name##_run(void *state, const struct indicator_columns *in, size_t count,          \
                           double tick, double *const *out)                                        \
    {                                                                                              \
        for (size_t i = 0; i < count; i++) {                                                       \
            const struct bar bar = bar_of(in, inputs, i);                                          \
            double values[outputs];                                                                \
                                                                                                   \
            name##_step(state, &bar, tick, values);                                                \
            for (size_t k = 0; k < (outputs); k++)                                                 \
                out[k][i] = values[k];                                                             \
        }                                                                                          \
    }

/* The end of a row: what KERNEL(name, ins, outs) made, and the names of its outputs. */
#define ROW_CODE(name_, ins, outs)                                                                 \
    .inputs = ins, .outputs = name_##_outputs, .output_count = outs, .first = name_##_first,       \
    .settle = name_##_settle, .init = name_##_init, .update = name_##_update, .run = name_##_run

#define CLOSES INDICATOR_CLOSE
#define HIGH_LOW (INDICATOR_HIGH | INDICATOR_LOW)
#define HIGH_LOW_CLOSE (HIGH_LOW | INDICATOR_CLOSE)

#define OPTION_PERIOD(default_, min_, help_)                                                       \
    {                                                                                              \
        .name = "period", .type = INDICATOR_INT, .def = default_, .min = min_,                     \
        .max = INDICATOR_PERIOD_MAX, .help = help_                                                 \
    }
#define OPTION_BARS(name_, default_, min_, help_)                                                  \
    {                                                                                              \
        .name = name_, .type = INDICATOR_INT, .def = default_, .min = min_,                        \
        .max = INDICATOR_PERIOD_MAX, .help = help_                                                 \
    }
#define OPTION_NUMBER(name_, default_, min_, max_, help_)                                          \
    {                                                                                              \
        .name = name_, .type = INDICATOR_NUMBER, .def = default_, .min = min_, .max = max_,        \
        .help = help_                                                                              \
    }
#define OPTION_CHOICE(name_, choices_, help_)                                                      \
    {                                                                                              \
        .name = name_, .type = INDICATOR_CHOICE, .choices = choices_, .help = help_                \
    }
#define OPTION_SEED(help_) OPTION_CHOICE("seed", "talib|pandas", help_)
#define OPTION_END                                                                                 \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* The tables of each file; they end with a NULL name. */
extern const struct indicator indicators_average[], indicators_momentum[], indicators_volatility[],
    indicators_trend[], indicators_volume[], indicators_filter[], indicators_smoother[],
    indicators_oscillator[];
