/* Stores as CSV, plain or gzip, in the columns that import reads. */
#define FLT_MOD "store"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "backtest/import.h"

#define BUFFER_BYTES 65536
#define ROW_BYTES 256

struct out {
    gzFile file; /* writes plain text too (mode T) */
    char *buffer;
    size_t used;
    bool failed;
};

static void flush(struct out *out)
{
    if (out->used > 0 && gzwrite(out->file, out->buffer, (unsigned)out->used) != (int)out->used)
        out->failed = true;
    out->used = 0;
}

static void put_int(struct out *out, int64_t value, char end)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10));
    if (value < 0)
        digits[--at] = '-';
    memcpy(out->buffer + out->used, digits + at, sizeof digits - at);
    out->used += sizeof digits - at;
    out->buffer[out->used++] = end;
}

static void put_units(struct out *out, int64_t units, int scale, char end)
{
    char text[FLT_DEC_TEXT_MAX];
    const size_t size = strlen(flt_dec_format((struct flt_dec){ units, (int8_t)scale }, text));

    memcpy(out->buffer + out->used, text, size);
    out->used += size;
    out->buffer[out->used++] = end;
}

/* The shortest decimals that read back as the same double, without an exponent where `scale` (the
 * most decimals that volumes came with) allows. */
static void put_volume(struct out *out, double value, int scale, char end)
{
    char text[64];
    const struct flt_dec exact = flt_dec_from_double(value, scale, FLT_ROUND_HALF_EVEN);

    if (flt_dec_ok(exact) && !(flt_dec_to_double(exact) < value) &&
        !(flt_dec_to_double(exact) > value)) {
        put_units(out, exact.coef, exact.scale, end);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (digits == 17 || strtod(text, NULL) == value)
            break;
    }
    out->used += (size_t)snprintf(out->buffer + out->used, ROW_BYTES / 2, "%s%c", text, end);
}

static void put_row(struct out *out, const struct store *store, size_t i)
{
    const int price = store->price_scale, qty = store->qty_scale;

    switch (store->kind) {
    case STORE_CANDLES:
        put_int(out, store_ts_ms(store, i), ',');
        put_units(out, store->open[i], price, ',');
        put_units(out, store->high[i], price, ',');
        put_units(out, store->low[i], price, ',');
        put_units(out, store->close[i], price, ',');
        put_volume(out, store->volume[i], qty, '\n');
        break;
    case STORE_TRADES:
        put_int(out, store->ts_ms[i], ',');
        put_units(out, store->price[i], price, ',');
        put_units(out, store->qty[i], qty, ',');
        out->used += (size_t)sprintf(out->buffer + out->used, "%s\n",
                                     store->buyer_maker[i] ? "true" : "false");
        break;
    case STORE_QUOTES:
        put_int(out, store->ts_ms[i], ',');
        put_int(out, store->update_id[i], ',');
        put_units(out, store->bid[i], price, ',');
        put_units(out, store->bid_qty[i], qty, ',');
        put_units(out, store->ask[i], price, ',');
        put_units(out, store->ask_qty[i], qty, '\n');
        break;
    }
}

static size_t put_rows(struct out *out, const struct store *store, int64_t from_ms, int64_t to_ms)
{
    static const char *const heads[] = { "ts_ms,open,high,low,close,volume\n",
                                         "ts_ms,price,qty,is_buyer_maker\n",
                                         "ts_ms,update_id,bid,bid_qty,ask,ask_qty\n" };
    const size_t to = store_find(store, to_ms);
    size_t rows = 0;

    strcpy(out->buffer, heads[store->kind]);
    out->used = strlen(heads[store->kind]);
    for (size_t i = store_find(store, from_ms); i < to && !out->failed; i++) {
        if (store->kind == STORE_CANDLES && !store_is_valid(store, i))
            continue;
        put_row(out, store, i);
        rows++;
        if (out->used > BUFFER_BYTES - ROW_BYTES)
            flush(out);
    }
    flush(out);
    return rows;
}

static gzFile open_out(const char *file, char *part, size_t size)
{
    const size_t length = file ? strlen(file) : 0;
    const bool packed = length > 3 && strcmp(file + length - 3, ".gz") == 0;

    if (!file)
        return gzdopen(dup(STDOUT_FILENO), "wbT");
    if (snprintf(part, size, "%s.part", file) >= (int)size) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    return gzopen(part, packed ? "wb6e" : "wbTe");
}

int store_export(const struct store *store, const char *file, int64_t from_ms, int64_t to_ms,
                 size_t *rows, struct flt_error *error)
{
    char part[STORE_PATH_MAX] = "";
    struct out out = { .file = open_out(file, part, sizeof part), .buffer = malloc(BUFFER_BYTES) };
    int err = out.file && out.buffer ? 0 : errno ? -errno : -ENOMEM;

    if (!err) {
        *rows = put_rows(&out, store, from_ms, to_ms);
        err = out.failed ? -EIO : 0;
    }
    if (out.file && gzclose(out.file) != Z_OK && !err)
        err = errno ? -errno : -EIO;
    free(out.buffer);
    if (!err && file && rename(part, file) != 0)
        err = -errno;
    if (err && file)
        (void)unlink(part);
    if (err)
        flt_error_set(error, flt_error_from_errno(err), "", "", "cannot write %.160s: %s",
                      file ? file : "the rows", strerror(-err));
    return err;
}
