#include "exchanges/sim/rows.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FIELDS_MAX 8
#define FILE_BYTES_MAX ((size_t)512 * 1024 * 1024)

struct field {
    const char *text;
    size_t size;
};

static size_t split(const char *line, size_t size, struct field *fields)
{
    size_t count = 0, start = 0;

    for (size_t i = 0; i <= size && count < FIELDS_MAX; i++) {
        if (i < size && line[i] != ',')
            continue;
        fields[count++] = (struct field){ line + start, i - start };
        start = i + 1;
    }
    return count;
}

static int64_t ticks(const struct instrument *instrument, struct field field)
{
    const int64_t value = price_to_ticks(instrument, flt_dec_parse_n(field.text, field.size),
                                         FLT_ROUND_HALF_EVEN);

    return value > 0 ? value : INT64_MIN;
}

/* At least one lot: a recorded size below the lot was still a trade. */
static int64_t lots(const struct instrument *instrument, struct field field)
{
    const int64_t value =
        qty_to_lots(instrument, flt_dec_parse_n(field.text, field.size), FLT_ROUND_HALF_EVEN);

    return value < 0 || value > INT64_MAX / 1024 ? INT64_MIN : value > 0 ? value : 1;
}

static int64_t stamp(struct field field)
{
    const struct flt_dec value = flt_dec_parse_n(field.text, field.size);

    return flt_dec_ok(value) && value.scale == 0 && value.coef >= 0 ? value.coef : -1;
}

static bool parse_trade(const struct instrument *instrument, const struct field *f, size_t count,
                        struct trade *out)
{
    if (count != 4)
        return false;
    const bool sold = f[3].size == 4 && strncasecmp(f[3].text, "true", 4) == 0;
    const bool bought = f[3].size == 5 && strncasecmp(f[3].text, "false", 5) == 0;

    *out = (struct trade){ .ts_ms = stamp(f[0]), .price_ticks = ticks(instrument, f[1]),
                           .qty_lots = lots(instrument, f[2]),
                           .aggressor = sold ? SIDE_SELL : SIDE_BUY };
    return (sold || bought) && out->ts_ms >= 0 && out->price_ticks > 0 && out->qty_lots > 0;
}

static bool parse_quote(const struct instrument *instrument, const struct field *f, size_t count,
                        struct quote *out)
{
    if (count != 6)
        return false;
    *out = (struct quote){ .ts_ms = stamp(f[0]), .bid_ticks = ticks(instrument, f[2]),
                           .bid_lots = lots(instrument, f[3]), .ask_ticks = ticks(instrument, f[4]),
                           .ask_lots = lots(instrument, f[5]) };
    return out->ts_ms >= 0 && out->bid_ticks > 0 && out->ask_ticks >= out->bid_ticks &&
           out->bid_lots > 0 && out->ask_lots > 0;
}

static bool parse_candle(const struct instrument *instrument, const struct field *f, size_t count,
                         struct sim_candle *out)
{
    if (count != 6)
        return false;
    *out = (struct sim_candle){ stamp(f[0]),          ticks(instrument, f[1]), ticks(instrument, f[2]),
                                ticks(instrument, f[3]), ticks(instrument, f[4]),
                                lots(instrument, f[5]) };
    return out->ts_ms >= 0 && out->low > 0 && out->low <= out->open && out->low <= out->close &&
           out->high >= out->open && out->high >= out->close && out->volume_lots > 0;
}

static int grow(struct sim_rows *rows)
{
    static const size_t sizes[] = { sizeof(struct trade), sizeof(struct quote),
                                    sizeof(struct sim_candle) };
    void **array = rows->kind == SIM_ROWS_TRADES   ? (void **)&rows->trades
                   : rows->kind == SIM_ROWS_QUOTES ? (void **)&rows->quotes
                                                   : (void **)&rows->candles;

    if (rows->count < rows->capacity)
        return 0;
    const size_t capacity = rows->capacity ? rows->capacity * 2 : 1024;
    void *grown = realloc(*array, capacity * sizes[rows->kind]);

    if (!grown)
        return -ENOMEM;
    *array = grown;
    rows->capacity = capacity;
    return 0;
}

static bool parse_row(struct sim_rows *rows, const struct instrument *instrument, const char *line,
                      size_t size)
{
    struct field fields[FIELDS_MAX];
    const size_t count = split(line, size, fields), n = rows->count;

    if (rows->kind == SIM_ROWS_TRADES)
        return parse_trade(instrument, fields, count, &rows->trades[n]) &&
               (n == 0 || rows->trades[n].ts_ms >= rows->trades[n - 1].ts_ms);
    if (rows->kind == SIM_ROWS_QUOTES)
        return parse_quote(instrument, fields, count, &rows->quotes[n]) &&
               (n == 0 || rows->quotes[n].ts_ms >= rows->quotes[n - 1].ts_ms);
    return parse_candle(instrument, fields, count, &rows->candles[n]) &&
           (n == 0 || rows->candles[n].ts_ms > rows->candles[n - 1].ts_ms);
}

int sim_rows_parse(enum sim_rows_kind kind, const struct instrument *instrument, const char *text,
                   size_t size, struct sim_rows *out, struct flt_error *error)
{
    size_t line_number = 0;

    *out = (struct sim_rows){ .kind = kind };
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        const char *line = text + at;

        at += length + 1;
        if (length > 0 && line[length - 1] == '\r')
            length--;
        if (line_number++ == 0 || length == 0)
            continue; /* the header */
        if (grow(out) != 0)
            return -ENOMEM;
        if (!parse_row(out, instrument, line, length))
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "", "The columns are in --help.",
                                 "Line %zu is malformed or out of order.", line_number);
        out->count++;
    }
    if (out->count == 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "", "", "There is no row in it.");
    return 0;
}

/* The whole file, unpacked. */
static char *read_all(const char *path, size_t *size)
{
    gzFile file = gzopen(path, "rb");
    size_t capacity = 1 << 20, length = 0;
    char *data = file ? malloc(capacity) : NULL;
    int n = 0;

    while (data && (n = gzread(file, data + length, (unsigned)(capacity - length))) > 0) {
        length += (size_t)n;
        if (length < capacity)
            continue;
        char *grown = capacity < FILE_BYTES_MAX ? realloc(data, capacity * 2) : NULL;

        if (!grown) {
            n = -1;
            break;
        }
        data = grown;
        capacity *= 2;
    }
    if (file)
        gzclose(file);
    if (n < 0) {
        free(data);
        return NULL;
    }
    *size = length;
    return data;
}

int sim_rows_load(enum sim_rows_kind kind, const struct instrument *instrument, const char *path,
                  struct sim_rows *out, struct flt_error *error)
{
    size_t size = 0;
    char *text = read_all(path, &size);

    *out = (struct sim_rows){ .kind = kind };
    if (!text)
        return flt_error_set(error, FLT_NOT_FOUND, path, "", "The file cannot be read: %s.", path);
    const int err = sim_rows_parse(kind, instrument, text, size, out, error);

    free(text);
    if (err && error)
        flt_error_prefix(error, path);
    return err;
}

void sim_rows_finish(struct sim_rows *rows)
{
    free(rows->trades);
    free(rows->quotes);
    free(rows->candles);
    *rows = (struct sim_rows){ .kind = rows->kind };
}
