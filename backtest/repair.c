/* A copy of a bad file that can be imported. Rows keep their text; those that cannot be right are
 * left out, the others are put in order of time. */
#define FLT_MOD "store"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "backtest/import.h"

#define FIELDS_MAX 6
#define FILE_BYTES_MAX ((size_t)4 << 30)

struct line {
    int64_t ts_ms;
    const char *text;
    size_t size, number;
};

struct repair {
    store_repair_fn *fn;
    void *ctx;
    char *text;
    size_t size;
    bool cut; /* the gzip file ends early */
    enum store_kind kind;
    size_t columns;
    int places[FIELDS_MAX]; /* column -> its name's place below */
    int final_decimals; /* fewest of the last field so far: what has fewer at a torn end is cut */
    struct line *lines;
    size_t count, capacity;
    struct store_repaired *out;
};

static const char *const names[][FIELDS_MAX + 1] = {
    { "ts_ms", "open", "high", "low", "close", "volume", NULL },
    { "ts_ms", "price", "qty", "is_buyer_maker", NULL, NULL, NULL },
    { "ts_ms", "update_id", "bid", "bid_qty", "ask", "ask_qty", NULL },
};

static int read_file(struct repair *repair, const char *path, struct flt_error *error)
{
    gzFile file = gzopen(path, "rbe");
    size_t capacity = 1 << 20;
    int got = 0, code = Z_OK;

    errno = file ? 0 : errno;
    repair->text = file ? malloc(capacity) : NULL;
    while (repair->text && (got = gzread(file, repair->text + repair->size,
                                         (unsigned)((capacity - repair->size) & 0x3fffffff))) > 0) {
        repair->size += (size_t)got;
        if (repair->size < capacity)
            continue;
        char *grown = capacity < FILE_BYTES_MAX ? realloc(repair->text, capacity * 2) : NULL;

        if (!grown) {
            free(repair->text);
            repair->text = NULL;
            errno = ENOMEM;
            break;
        }
        repair->text = grown;
        capacity *= 2;
    }
    if (file)
        (void)gzerror(file, &code);
    repair->cut = got < 0 || code != Z_OK;
    if (file)
        (void)gzclose(file);
    if (repair->text)
        return 0;
    const int err = errno ? -errno : -ENOMEM;

    flt_error_set(error, flt_error_from_errno(err), "data", "", "cannot read %.160s: %s", path,
                  strerror(-err));
    return err;
}

static size_t split(const char *text, size_t size, const char **fields, size_t *sizes)
{
    size_t count = 0, start = 0;

    for (size_t i = 0; i <= size; i++) {
        if (i < size && text[i] != ',')
            continue;
        if (count < FIELDS_MAX) {
            fields[count] = text + start;
            sizes[count] = i - start;
        }
        count++;
        start = i + 1;
    }
    return count;
}

/* Which kind has just these columns, in whatever order. */
static bool is_kind(struct repair *repair, unsigned kind, size_t count, const char **fields,
                    const size_t *sizes)
{
    size_t found = 0, expected = 0;

    for (; names[kind][expected]; expected++)
        for (size_t i = 0; i < count; i++)
            if (sizes[i] == strlen(names[kind][expected]) &&
                memcmp(fields[i], names[kind][expected], sizes[i]) == 0) {
                repair->places[i] = (int)expected;
                found++;
            }
    repair->kind = (enum store_kind)kind;
    repair->columns = count;
    return found == expected && count == expected;
}

/* NULL: the row can be right. */
static const char *judge_values(enum store_kind kind, const struct flt_dec *v)
{
    if (kind == STORE_CANDLES) {
        if (flt_dec_cmp(v[3], v[1]) > 0 || flt_dec_cmp(v[3], v[4]) > 0)
            return "low is above open or close";
        if (flt_dec_cmp(v[1], v[2]) > 0 || flt_dec_cmp(v[4], v[2]) > 0)
            return "high is below open or close";
    }
    return kind == STORE_QUOTES && flt_dec_cmp(v[2], v[4]) > 0 ? "bid is above ask" : NULL;
}

static const char *judge(const struct repair *repair, const char *text, size_t size, int64_t *ts_ms)
{
    const char *fields[FIELDS_MAX];
    size_t sizes[FIELDS_MAX];
    struct flt_dec v[FIELDS_MAX];

    if (split(text, size, fields, sizes) != repair->columns)
        return "wrong number of fields";
    for (size_t i = 0; i < repair->columns; i++) {
        const int place = repair->places[i];
        const bool flag = repair->kind == STORE_TRADES && place == 3;
        const bool may_be_zero = place == 0 || (repair->kind == STORE_CANDLES && place == 5) ||
                                 (repair->kind == STORE_QUOTES && place == 1);

        if (flag && !(sizes[i] == 4 && strncasecmp(fields[i], "true", 4) == 0) &&
            !(sizes[i] == 5 && strncasecmp(fields[i], "false", 5) == 0))
            return "is_buyer_maker is neither true nor false";
        if (flag)
            continue;
        v[place] = flt_dec_parse_n(fields[i], sizes[i]);
        if (!flt_dec_ok(v[place]))
            return "a value is not a number";
        if (v[place].coef < 0 || (v[place].coef == 0 && !may_be_zero))
            return v[place].coef < 0 ? "a value is negative" : "a value is zero";
    }
    if (v[0].scale != 0)
        return "ts_ms is not a whole number";
    *ts_ms = v[0].coef;
    return judge_values(repair->kind, v);
}

static void report(struct repair *repair, size_t line, const char *reason)
{
    if (repair->fn)
        repair->fn(repair->ctx, line, reason);
}

static int keep(struct repair *repair, const struct line *line)
{
    if (repair->count == repair->capacity) {
        const size_t capacity = repair->capacity ? repair->capacity * 2 : 4096;
        struct line *grown = realloc(repair->lines, capacity * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        repair->lines = grown;
        repair->capacity = capacity;
    }
    repair->lines[repair->count++] = *line;
    return 0;
}

static int read_header(struct repair *repair, const char *text, size_t size, const char *file,
                       struct flt_error *error)
{
    const char *fields[FIELDS_MAX];
    size_t sizes[FIELDS_MAX];
    const size_t count = split(text, size, fields, sizes);

    for (unsigned kind = 0; count <= FIELDS_MAX && kind < FLT_COUNT(names); kind++)
        if (is_kind(repair, kind, count, fields, sizes))
            return 0;
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "data",
                         "candles: ts_ms,open,high,low,close,volume",
                         "%.120s:1: these columns cannot be repaired", file);
}

static int final_decimals(const char *text, size_t size)
{
    size_t digits = 0;

    while (digits < size && text[size - 1 - digits] >= '0' && text[size - 1 - digits] <= '9')
        digits++;
    return digits < size && text[size - 1 - digits] == '.' ? (int)digits : 0;
}

/* Why a row cannot be kept; NULL: it can. The rule for the last number is lib/csv.c's. */
static const char *refuse(struct repair *repair, struct line *line, bool ended)
{
    const int decimals = final_decimals(line->text, line->size);

    if (!ended && repair->cut)
        return "the file is cut off here";
    if (line->size == 0)
        return "an empty line";
    const char *reason = judge(repair, line->text, line->size, &line->ts_ms);

    if (!reason && !ended && repair->kind == STORE_CANDLES && repair->count >= 2 &&
        decimals < repair->final_decimals)
        reason = "the last line has no end and its last number is cut short";
    if (!reason && decimals < repair->final_decimals)
        repair->final_decimals = decimals;
    return reason;
}

static int read_lines(struct repair *repair, const char *file, struct flt_error *error)
{
    size_t number = 0;
    int err = 0;

    for (size_t at = 0; !err && at < repair->size;) {
        const char *const text = repair->text + at;
        const char *const end = memchr(text, '\n', repair->size - at);
        struct line line = { .text = text,
                             .number = ++number,
                             .size = end ? (size_t)(end - text) : repair->size - at };

        at += line.size + 1;
        if (line.size > 0 && text[line.size - 1] == '\r')
            line.size--;
        if (number == 1) {
            err = read_header(repair, text, line.size, file, error);
            continue;
        }
        repair->out->rows++;
        const char *reason = refuse(repair, &line, end != NULL);

        if (reason) {
            repair->out->dropped++;
            report(repair, number, reason);
            continue;
        }
        if (!end)
            report(repair, number, "the last line has no end: it gets one");
        err = keep(repair, &line);
    }
    return err;
}

static int by_time(const void *a, const void *b)
{
    const struct line *const left = a, *const right = b;

    if (left->ts_ms != right->ts_ms)
        return left->ts_ms < right->ts_ms ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

static void put_in_order(struct repair *repair)
{
    int64_t newest_ms = -1;
    size_t kept = 0;

    for (size_t i = 0; i < repair->count; i++) {
        if (repair->lines[i].ts_ms < newest_ms) {
            repair->out->moved++;
            report(repair, repair->lines[i].number, "ts_ms goes back: moved to its place");
        } else {
            newest_ms = repair->lines[i].ts_ms;
        }
    }
    if (repair->count > 1)
        qsort(repair->lines, repair->count, sizeof *repair->lines, by_time);
    for (size_t i = 0; i < repair->count; i++) {
        const bool again = i + 1 < repair->count && repair->kind == STORE_CANDLES &&
                           repair->lines[i + 1].ts_ms == repair->lines[i].ts_ms;

        if (again) {
            repair->out->dropped++;
            report(repair, repair->lines[i].number, "ts_ms stands again further down: left out");
        } else {
            repair->lines[kept++] = repair->lines[i];
        }
    }
    repair->count = repair->out->kept = kept;
}

static int write_copy(const struct repair *repair, const char *copy, struct flt_error *error)
{
    const size_t length = strlen(copy);
    const bool packed = length > 3 && strcmp(copy + length - 3, ".gz") == 0;
    gzFile file = gzopen(copy, packed ? "wb6e" : "wbTe");
    const char *const end = memchr(repair->text, '\n', repair->size);
    bool good = file && end && gzwrite(file, repair->text, (unsigned)(end - repair->text + 1)) > 0;

    for (size_t i = 0; good && i < repair->count; i++)
        good = gzwrite(file, repair->lines[i].text, (unsigned)repair->lines[i].size) > 0 &&
               gzwrite(file, "\n", 1) == 1;
    if (file && gzclose(file) != Z_OK)
        good = false;
    if (good)
        return 0;
    const int err = errno ? -errno : -EIO;

    (void)unlink(copy);
    return flt_error_set(error, flt_error_from_errno(err), "", "", "cannot write %.160s: %s", copy,
                         strerror(-err));
}

int store_repair(const char *file, const char *copy, store_repair_fn *fn, void *ctx,
                 struct store_repaired *out, struct flt_error *error)
{
    struct repair repair = { .fn = fn, .ctx = ctx, .out = out, .final_decimals = 99 };

    *out = (struct store_repaired){ 0 };
    int err = read_file(&repair, file, error);

    if (!err && repair.size >= 3 && memcmp(repair.text, "\xef\xbb\xbf", 3) == 0) {
        repair.size -= 3; /* a byte order mark */
        memmove(repair.text, repair.text + 3, repair.size);
    }
    if (!err && repair.cut)
        report(&repair, 0, "the gzip file is cut off or damaged: what could be read is kept");
    if (!err)
        err = read_lines(&repair, file, error);
    if (!err)
        put_in_order(&repair);
    if (!err && repair.count == 0)
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, "data", "", "%.160s: no row can be kept",
                            file);
    if (!err)
        err = write_copy(&repair, copy, error);
    free(repair.lines);
    free(repair.text);
    return err;
}
