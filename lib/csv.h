/* CSV files of market data, plain or gzip: read in one pass, a row at a time, any size.
 *
 * Strict, as a wrong row makes a wrong backtest: the first line names the columns, each row has as
 * many fields, and what is not so is refused with file, line and reason. Fields are plain text
 * without quotes. Lines end in \n or \r\n; the last one may lack it,
 * unless it looks cut (candles whose last number has fewer decimals than any before). A cut gzip
 * file is refused.
 *
 * Failures: negative errno with `error` filled (-EINVAL: the file's content). Threads: one a
 * reader.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/dec.h"
#include "lib/fail.h"

#define FLT_CSV_COLUMNS_MAX 64
#define FLT_CSV_NAME_MAX 48
#define FLT_CSV_LINE_MAX 32768

enum { FLT_CSV_END = 1 }; /* there are no more rows */

struct flt_csv;

struct flt_csv_field { /* borrowed until the next row; no NUL after it */
    const char *text;
    size_t size;
};

FLT_MUST_USE int flt_csv_open(const char *path, struct flt_csv **out, struct flt_error *error);
/* The same over text in memory, which is borrowed until close; `name` stands for the file's. */
FLT_MUST_USE int flt_csv_open_memory(const char *name, const char *text, size_t size,
                                     struct flt_csv **out, struct flt_error *error);
void flt_csv_close(struct flt_csv *csv);         /* NULL is fine */
bool flt_csv_unended(const struct flt_csv *csv); /* the row read last had no line end */
size_t flt_csv_columns(const struct flt_csv *csv);
const char *flt_csv_column_name(const struct flt_csv *csv, size_t index);
int flt_csv_column(const struct flt_csv *csv, const char *name); /* its index; -1: none */
/* One row: as many fields as there are columns. 0, FLT_CSV_END or a failure. */
FLT_MUST_USE int flt_csv_next(struct flt_csv *csv, struct flt_csv_field *fields,
                              struct flt_error *error);
/* Refuses the row that was read last: "FILE:LINE: reason". Returns -EINVAL. */
FLT_PRINTF(3, 4)
int flt_csv_refuse(const struct flt_csv *csv, struct flt_error *error, const char *format, ...);

/* --- candles
 * --------------------------------------------------------------------------------------
 */

struct flt_candle {
    int64_t ts_ms; /* open time */
    struct flt_dec open, high, low, close, volume;
};

/* Columns ts_ms, open, high, low, close and volume, in any order and no others. Times rise, prices
 * are above 0, low and high enclose open and close, volume is not negative. Time may have holes. */
struct flt_candles {
    struct flt_csv *csv;
    size_t rows;     /* read so far */
    int64_t ts_ms;   /* of the last */
    int price_scale; /* most decimals of a price so far (zeros at the end do not count) */
    int volume_scale;
    int final_decimals; /* fewest of the last column so far, of plain rows */
    int price_decimals; /* most digits after the point of a price so far, as they are written */
    uint8_t column[FLT_CSV_COLUMNS_MAX]; /* the file's column -> place in struct flt_candle */
};

/* Takes `csv` over; flt_candles_close() closes it, also after a failure here. */
FLT_MUST_USE int flt_candles_open(struct flt_candles *candles, struct flt_csv *csv,
                                  struct flt_error *error);
/* 0, FLT_CSV_END or a failure. */
FLT_MUST_USE int flt_candles_next(struct flt_candles *candles, struct flt_candle *out,
                                  struct flt_error *error);
void flt_candles_close(struct flt_candles *candles);
