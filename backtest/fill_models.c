#include <string.h>
#include "backtest/book.h"

extern const struct fill_model fill_next_open, fill_strict_cross, fill_path;

/* These two are of the tape, not of bars: run_tape.c. */
static const struct fill_model fill_trades = {
    .name = "trades",
    .help = "by recorded trades: at the next one, or when one prints through the limit",
    .tape = TAPE_TRADES,
};
static const struct fill_model fill_book = {
    .name = "book",
    .help = "by recorded quotes: against the best bid or ask and its size",
    .tape = TAPE_QUOTES,
};

static const struct fill_model *const models[] = { &fill_next_open, &fill_strict_cross, &fill_path,
                                                   &fill_trades, &fill_book };

const struct fill_model *fill_model_find(const char *name)
{
    for (size_t i = 0; i < FLT_COUNT(models); i++)
        if (!strcmp(models[i]->name, name))
            return models[i];
    return NULL;
}

const struct fill_model *const *fill_model_list(size_t *count)
{
    *count = FLT_COUNT(models);
    return models;
}
