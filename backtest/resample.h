/* Longer candles from shorter ones or from trades. A longer candle can be taken only once it has
 * closed, so nobody can look ahead by it; volumes are summed exactly in their decimals. */
#pragma once
#include "backtest/store.h"

struct resample {
    int64_t step_ms;
    int volume_scale;           /* decimals of the volumes that are added */
    bool open;                  /* there is a candle under way */
    struct store_candle candle; /* its volume is set when taken */
    flt_i128 units;             /* of volume, 10^-volume_scale */
    double rest;                /* volumes too large or too fine for units */
};

void resample_init(struct resample *resample, int64_t step_ms, int volume_scale);
/* The candle under way, if it has closed at `now_ms`: call it before each resample_add() with that
 * candle's opening time, and after it with its closing time. */
bool resample_take(struct resample *resample, int64_t now_ms, struct store_candle *out);
/* A shorter candle that has closed. */
void resample_add(struct resample *resample, const struct store_candle *candle);
/* A trade; `qty` in units of volume. */
void resample_add_trade(struct resample *resample, int64_t ts_ms, int64_t price, int64_t qty);

struct resampled {
    size_t candles;
    size_t left_out; /* candles at the ends that are not whole */
    char path[STORE_PATH_MAX];
};

/* Makes the store of `timeframe` beside `from` (candles or trades) anew; it takes its place in one
 * step. Candles of which `from` has only a part, at its ends, are left out unless `partial`. */
FLT_MUST_USE int store_resample(const char *root, const struct store *from, const char *timeframe,
                                bool partial, struct resampled *out, struct flt_error *error);

/* The same candles with more decimals in their prices: a venue's finer tick has come. */
FLT_MUST_USE int store_rescale(const char *path, int price_scale, struct flt_error *error);
