#include "lib/csv.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/ahead.h"

#define BUFFER_BYTES (8 * FLT_CSV_LINE_MAX)

struct flt_csv {
    char *name;
    struct flt_ahead *file; /* NULL: all of it is in memory */
    char *buffer;
    const char *at, *end; /* what is not read yet */
    bool ended;           /* nothing follows `end` */
    bool unended;         /* the last line was not ended by \n */
    bool blank;           /* an empty line was seen, which only the end may follow */
    uint64_t line;
    size_t column_count;
    char columns[FLT_CSV_COLUMNS_MAX][FLT_CSV_NAME_MAX];
};

int flt_csv_refuse(const struct flt_csv *csv, struct flt_error *error, const char *format, ...)
{
    const size_t length = strlen(csv->name);
    char reason[160];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "data", "", "%s%s:%llu: %s",
                         length > 80 ? "..." : "", csv->name + (length > 80 ? length - 77 : 0),
                         (unsigned long long)csv->line, reason);
}

/* --- lines ---------------------------------------------------------------------------------------
 */

/* Moves the rest to the front of the buffer and reads on behind it. */
static int fill(struct flt_csv *csv, struct flt_error *error)
{
    const size_t rest = (size_t)(csv->end - csv->at);
    const char *why = "";

    if (csv->ended)
        return 0;
    memmove(csv->buffer, csv->at, rest);
    const ssize_t got = flt_ahead_read(csv->file, csv->buffer + rest, BUFFER_BYTES - rest, &why);

    csv->at = csv->buffer;
    csv->end = csv->buffer + rest + (got > 0 ? got : 0);
    if (got > 0)
        return 0;
    csv->ended = true;
    if (got == 0)
        return 0;
    csv->line++;
    return flt_csv_refuse(csv, error, "%s", why);
}

/* 0 with a line, without its end; FLT_CSV_END. */
static int next_line(struct flt_csv *csv, struct flt_csv_field *out, struct flt_error *error)
{
    const char *stop = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));

    while (!stop && !csv->ended && (size_t)(csv->end - csv->at) < FLT_CSV_LINE_MAX) {
        const size_t seen = (size_t)(csv->end - csv->at);
        const int err = fill(csv, error);

        if (err)
            return err;
        stop = memchr(csv->at + seen, '\n', (size_t)(csv->end - csv->at) - seen);
    }
    if (!stop && csv->at == csv->end)
        return FLT_CSV_END;
    csv->line++;
    *out = (struct flt_csv_field){ csv->at, (size_t)((stop ? stop : csv->end) - csv->at) };
    if (out->size > FLT_CSV_LINE_MAX)
        return flt_csv_refuse(csv, error, "the line is longer than %d bytes", FLT_CSV_LINE_MAX);
    csv->at = stop ? stop + 1 : csv->end;
    csv->unended = !stop;
    if (out->size > 0 && out->text[out->size - 1] == '\r')
        out->size--;
    return 0;
}

/* Fills up to `max` fields, and counts all. */
static size_t split(struct flt_csv_field line, struct flt_csv_field *fields, size_t max)
{
    const char *at = line.text, *end = line.text + line.size;
    size_t count = 0;

    for (const char *start = at;; at++) {
        if (at < end && *at != ',')
            continue;
        if (count < max)
            fields[count] = (struct flt_csv_field){ start, (size_t)(at - start) };
        count++;
        if (at == end)
            return count;
        start = at + 1;
    }
}

static int read_header(struct flt_csv *csv, struct flt_error *error)
{
    struct flt_csv_field line, fields[FLT_CSV_COLUMNS_MAX];
    const int err = next_line(csv, &line, error);

    if (err < 0)
        return err;
    if (err == FLT_CSV_END) {
        csv->line = 1;
        return flt_csv_refuse(csv, error, "the file is empty");
    }
    if (line.size >= 2 &&
        (memcmp(line.text, "\xff\xfe", 2) == 0 || memcmp(line.text, "\xfe\xff", 2) == 0))
        return flt_csv_refuse(csv, error, "the file is UTF-16: save it as UTF-8");
    if (line.size >= 3 && memcmp(line.text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
        line.text += 3;
        line.size -= 3;
    }
    const size_t count = split(line, fields, FLT_CSV_COLUMNS_MAX);

    if (count > FLT_CSV_COLUMNS_MAX)
        return flt_csv_refuse(csv, error, "%zu columns are more than %d", count,
                              FLT_CSV_COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].size == 0 || fields[i].size >= FLT_CSV_NAME_MAX ||
            memchr(fields[i].text, '\0', fields[i].size))
            return flt_csv_refuse(csv, error, "column %zu has no usable name", i + 1);
        memcpy(csv->columns[i], fields[i].text, fields[i].size);
        if (flt_csv_column(csv, csv->columns[i]) >= 0)
            return flt_csv_refuse(csv, error, "column %s is there twice", csv->columns[i]);
        csv->column_count++;
    }
    return 0;
}

/* A line with something in it; empty ones may only end the file. */
static int next_row(struct flt_csv *csv, struct flt_csv_field *line, struct flt_error *error)
{
    int err;

    while ((err = next_line(csv, line, error)) == 0 && line->size == 0)
        csv->blank = true;
    if (!err && csv->blank)
        return flt_csv_refuse(csv, error, "an empty line stands before this one");
    return err;
}

static int split_row(const struct flt_csv *csv, struct flt_csv_field line,
                     struct flt_csv_field *fields, struct flt_error *error)
{
    const size_t count = split(line, fields, csv->column_count);

    if (count != csv->column_count)
        return flt_csv_refuse(csv, error, "%zu fields instead of %zu", count, csv->column_count);
    return 0;
}

int flt_csv_next(struct flt_csv *csv, struct flt_csv_field *fields, struct flt_error *error)
{
    struct flt_csv_field line;
    const int err = next_row(csv, &line, error);

    return err ? err : split_row(csv, line, fields, error);
}

/* --- open and close ------------------------------------------------------------------------------
 */

static int create(const char *name, struct flt_csv **out)
{
    struct flt_csv *csv = calloc(1, sizeof *csv);

    if (csv && !(csv->name = strdup(name))) {
        free(csv);
        csv = NULL;
    }
    *out = csv;
    return csv ? 0 : -ENOMEM;
}

static int finish_open(struct flt_csv *csv, struct flt_csv **out, struct flt_error *error)
{
    const int err = read_header(csv, error);

    if (err)
        flt_csv_close(csv);
    else
        *out = csv;
    return err;
}

int flt_csv_open(const char *path, struct flt_csv **out, struct flt_error *error)
{
    struct flt_csv *csv;
    int err = create(path, &csv);

    if (err)
        return err;
    csv->buffer = malloc(BUFFER_BYTES);
    err = csv->buffer ? flt_ahead_open(path, &csv->file) : -ENOMEM;
    if (err) {
        flt_csv_close(csv);
        return flt_error_set(error, flt_error_from_errno(err), "data", "", "cannot read %.160s: %s",
                             path, strerror(-err));
    }
    csv->at = csv->end = csv->buffer;
    return finish_open(csv, out, error);
}

int flt_csv_open_memory(const char *name, const char *text, size_t size, struct flt_csv **out,
                        struct flt_error *error)
{
    struct flt_csv *csv;
    const int err = create(name, &csv);

    if (err)
        return err;
    csv->at = text;
    csv->end = text + size;
    csv->ended = true;
    return finish_open(csv, out, error);
}

void flt_csv_close(struct flt_csv *csv)
{
    if (!csv)
        return;
    flt_ahead_close(csv->file);
    free(csv->buffer);
    free(csv->name);
    free(csv);
}

bool flt_csv_unended(const struct flt_csv *csv)
{
    return csv->unended;
}

size_t flt_csv_columns(const struct flt_csv *csv)
{
    return csv->column_count;
}

const char *flt_csv_column_name(const struct flt_csv *csv, size_t index)
{
    return index < csv->column_count ? csv->columns[index] : NULL;
}

int flt_csv_column(const struct flt_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->column_count; i++)
        if (strcmp(csv->columns[i], name) == 0)
            return (int)i;
    return -1;
}

/* --- candles -------------------------------------------------------------------------------------
 */

enum { TS_MS, OPEN, HIGH, LOW, CLOSE, VOLUME, PLACES };

static const char *const places[] = { "ts_ms", "open", "high", "low", "close", "volume" };

int flt_candles_open(struct flt_candles *candles, struct flt_csv *csv, struct flt_error *error)
{
    *candles = (struct flt_candles){ .csv = csv, .final_decimals = FLT_DEC_SCALE_MAX };
    for (size_t i = 0; i < PLACES; i++) {
        const int column = flt_csv_column(csv, places[i]);

        if (column < 0)
            return flt_csv_refuse(
                csv, error, "there is no column %s (it needs ts_ms,open,high,low,close,volume)",
                places[i]);
        candles->column[column] = (uint8_t)i;
    }
    for (size_t i = 0; i < csv->column_count; i++)
        if (strcmp(csv->columns[i], places[candles->column[i]]) != 0)
            return flt_csv_refuse(csv, error,
                                  "column %s is not one of ts_ms,open,high,low,close,volume",
                                  csv->columns[i]);
    return 0;
}

static int parse_time(struct flt_candles *candles, struct flt_csv_field field, int64_t *out,
                      struct flt_error *error)
{
    int64_t value = 0;
    size_t i = 0;

    for (; i < field.size && field.size <= 15 && field.text[i] >= '0' && field.text[i] <= '9'; i++)
        value = value * 10 + (field.text[i] - '0');
    if (i == 0 || i < field.size)
        return flt_csv_refuse(candles->csv, error, "ts_ms is not a Unix time in milliseconds: %.*s",
                              field.size < 40 ? (int)field.size : 40, field.text);
    if (candles->rows > 0 && value == candles->ts_ms)
        return flt_csv_refuse(candles->csv, error, "ts_ms repeats that of the line before: %lld",
                              (long long)value);
    if (candles->rows > 0 && value < candles->ts_ms)
        return flt_csv_refuse(candles->csv, error,
                              "ts_ms goes back: %lld after %lld (sort the file by time)",
                              (long long)value, (long long)candles->ts_ms);
    *out = value;
    return 0;
}

static void count_decimals(struct flt_candles *candles, struct flt_csv_field field, int scale)
{
    const char *point = memchr(field.text, '.', field.size);
    const size_t after = point ? field.size - (size_t)(point - field.text) - 1 : 0;
    const bool plain = after <= FLT_DEC_SCALE_MAX && !memchr(field.text, 'e', field.size);
    const int decimals = plain && (int)after > scale ? (int)after : scale;

    if (decimals > candles->price_decimals)
        candles->price_decimals = decimals;
}

/* What is wrong with a text that is no decimal of ours. */
static const char *why_no_number(struct flt_csv_field field)
{
    char text[64], *end = NULL;

    if (memchr(field.text, '\0', field.size))
        return "holds a NUL byte";
    if (field.size == 0 || field.size >= sizeof text)
        return "is not a number";
    memcpy(text, field.text, field.size);
    text[field.size] = '\0';
    const bool plain = strspn(text, "0123456789.eE+-") == field.size;
    const double value = plain ? strtod(text, &end) : 0;

    return plain && *end == '\0' && isfinite(value) ? "needs more than 18 digits"
                                                    : "is not a number";
}

static int parse_value(struct flt_candles *candles, size_t place, struct flt_csv_field field,
                       struct flt_dec *out, struct flt_error *error)
{
    *out = flt_dec_parse_n(field.text, field.size);
    if (!flt_dec_ok(*out))
        return flt_csv_refuse(candles->csv, error, "%s %s: %.*s", places[place],
                              why_no_number(field),
                              field.size == 0   ? 7
                              : field.size < 40 ? (int)field.size
                                                : 40,
                              field.size ? field.text : "(empty)");
    if (out->coef < 0 || (out->coef == 0 && place != VOLUME))
        return flt_csv_refuse(candles->csv, error, "%s is %s: %.*s", places[place],
                              out->coef < 0 ? "negative" : "zero",
                              field.size < 40 ? (int)field.size : 40, field.text);
    if (place != VOLUME)
        count_decimals(candles, field, out->scale);
    return 0;
}

static bool above(struct flt_dec a, struct flt_dec b)
{
    return a.scale == b.scale ? a.coef > b.coef : flt_dec_cmp(a, b) > 0;
}

/* Digits with or without a fraction, 18 at most; zeros at its end drop off, `decimals` counts them
 * too. Returns what follows; NULL: not so plain. */
static const char *scan_plain(const char *at, const char *end, struct flt_dec *out, int *decimals)
{
    const char *const start = at, *last;
    uint64_t coef = 0;

    for (; at < end && (unsigned char)(*at - '0') <= 9; at++)
        coef = coef * 10 + (uint64_t)(*at - '0');
    const char *const point = at;

    if (at < end && *at == '.')
        for (at++; at < end && (unsigned char)(*at - '0') <= 9; at++)
            coef = coef * 10 + (uint64_t)(*at - '0');
    if (point == start || at == point + 1 || at - start > FLT_DEC_SCALE_MAX)
        return NULL;
    *decimals = at > point ? (int)(at - point) - 1 : 0;
    for (last = at; last > point + 1 && last[-1] == '0'; last--)
        coef /= 10;
    *out = (struct flt_dec){ (int64_t)coef, (int8_t)(last > point + 1 ? last - point - 1 : 0) };
    return at;
}

/* Most rows are plain and right, and are read in one go. Anything else is left to parse_row(),
 * which says what is wrong. */
static bool scan_row(struct flt_candles *candles, struct flt_csv_field line, struct flt_dec *value)
{
    const char *at = line.text, *const end = line.text + line.size;
    int decimals[PLACES];
    const size_t final = candles->column[PLACES - 1];

    for (size_t i = 0; i < PLACES; i++) {
        const size_t place = candles->column[i];

        at = scan_plain(at, end, &value[place], &decimals[place]);
        if (!at || (i + 1 < PLACES ? at == end || *at++ != ',' : at != end))
            return false;
    }
    for (size_t i = OPEN; i <= CLOSE; i++)
        if (decimals[i] > candles->price_decimals)
            candles->price_decimals = decimals[i];
    if (!candles->csv->unended && decimals[final] < candles->final_decimals)
        candles->final_decimals = decimals[final];
    return value[TS_MS].scale == 0 && value[TS_MS].coef < 1000000000000000 &&
           (candles->rows == 0 || value[TS_MS].coef > candles->ts_ms) && value[OPEN].coef > 0 &&
           value[HIGH].coef > 0 && value[LOW].coef > 0 && value[CLOSE].coef > 0;
}

/* A file that ends within a line may end within a number: then it has fewer decimals than any
 * before. Where decimals vary, nobody can tell. */
static int check_end(const struct flt_candles *candles, struct flt_csv_field line,
                     struct flt_error *error)
{
    size_t decimals = 0;

    while (decimals < line.size && line.text[line.size - 1 - decimals] >= '0' &&
           line.text[line.size - 1 - decimals] <= '9')
        decimals++;
    if (decimals == line.size || line.text[line.size - 1 - decimals] != '.')
        decimals = 0;
    if (candles->rows < 2 || (int)decimals >= candles->final_decimals)
        return 0;
    return flt_csv_refuse(candles->csv, error,
                          "the last line has no end and its last number is cut short: %.*s",
                          line.size < 60 ? (int)line.size : 60, line.text);
}

static int parse_row(struct flt_candles *candles, struct flt_csv_field line, struct flt_dec *value,
                     struct flt_error *error)
{
    struct flt_csv_field fields[PLACES];
    int err = split_row(candles->csv, line, fields, error);

    for (size_t i = 0; !err && i < PLACES; i++) {
        const size_t place = candles->column[i];

        err = place == TS_MS ? parse_time(candles, fields[i], &value[TS_MS].coef, error)
                             : parse_value(candles, place, fields[i], &value[place], error);
    }
    return err;
}

static int larger(int scale, struct flt_dec value)
{
    return value.scale > scale ? value.scale : scale;
}

int flt_candles_next(struct flt_candles *candles, struct flt_candle *out, struct flt_error *error)
{
    struct flt_dec value[PLACES];
    struct flt_csv_field line;
    int err = next_row(candles->csv, &line, error);

    if (!err && candles->csv->unended)
        err = check_end(candles, line, error);
    if (!err && !scan_row(candles, line, value))
        err = parse_row(candles, line, value, error);
    if (err)
        return err;
    if (above(value[LOW], value[OPEN]) || above(value[LOW], value[CLOSE]))
        return flt_csv_refuse(candles->csv, error, "low is above open or close");
    if (above(value[OPEN], value[HIGH]) || above(value[CLOSE], value[HIGH]))
        return flt_csv_refuse(candles->csv, error, "high is below open or close");
    for (size_t place = OPEN; place <= CLOSE; place++)
        candles->price_scale = larger(candles->price_scale, value[place]);
    candles->volume_scale = larger(candles->volume_scale, value[VOLUME]);
    candles->ts_ms = value[TS_MS].coef;
    candles->rows++;
    *out = (struct flt_candle){ value[TS_MS].coef, value[OPEN],  value[HIGH],
                                value[LOW],        value[CLOSE], value[VOLUME] };
    return 0;
}

void flt_candles_close(struct flt_candles *candles)
{
    flt_csv_close(candles->csv);
    candles->csv = NULL;
}
