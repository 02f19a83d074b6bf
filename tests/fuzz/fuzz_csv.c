/* Any bytes as a file of candles: what is taken obeys the header's promises. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_candle(const struct flt_candle *candle, const struct flt_candles *candles)
{
    assert(candle->ts_ms >= 0 && candles->ts_ms == candle->ts_ms);
    assert(candle->low.coef > 0 && candle->volume.coef >= 0);
    assert(flt_dec_cmp(candle->low, candle->open) <= 0);
    assert(flt_dec_cmp(candle->low, candle->close) <= 0);
    assert(flt_dec_cmp(candle->high, candle->open) >= 0);
    assert(flt_dec_cmp(candle->high, candle->close) >= 0);
    assert(candle->close.scale <= candles->price_scale);
    assert(candle->volume.scale <= candles->volume_scale);
}

/* The quick way through a row reads what the full grammar reads. */
static void check_fields(struct flt_csv *csv, const struct flt_candle *candle)
{
    static const char *const names[] = { "open", "high", "low", "close", "volume" };
    const struct flt_dec values[] = { candle->open, candle->high, candle->low, candle->close,
                                      candle->volume };
    struct flt_csv_field fields[FLT_CSV_COLUMNS_MAX];

    assert(flt_csv_next(csv, fields, NULL) == 0);
    for (size_t i = 0; i < FLT_COUNT(names); i++) {
        const struct flt_csv_field field = fields[flt_csv_column(csv, names[i])];
        const struct flt_dec value = flt_dec_parse_n(field.text, field.size);

        assert(value.coef == values[i].coef && value.scale == values[i].scale);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flt_error error = { 0 };
    struct flt_candles candles;
    struct flt_candle candle;
    struct flt_csv *csv, *again;
    int64_t before = -1;

    if (flt_csv_open_memory("fuzz", (const char *)data, size, &csv, &error) != 0) {
        assert(error.message[0]);
        return 0;
    }
    assert(flt_csv_open_memory("again", (const char *)data, size, &again, NULL) == 0);
    int err = flt_candles_open(&candles, csv, &error);

    while (!err && (err = flt_candles_next(&candles, &candle, &error)) == 0) {
        check_candle(&candle, &candles);
        check_fields(again, &candle);
        assert(candle.ts_ms > before);
        before = candle.ts_ms;
    }
    assert(err == FLT_CSV_END || (err == -EINVAL && error.message[0]));
    flt_candles_close(&candles);
    flt_csv_close(again);
    return 0;
}
