/* Rows of the CSV files of a backtest: columns by name, numbers checked. */
#pragma once
#include "lib/csv.h"

#define REPORT_COLUMNS_MAX 12

struct report_rows {
    struct flt_csv *csv;
    int at[REPORT_COLUMNS_MAX]; /* where the columns asked for are in the file */
    struct flt_csv_field fields[FLT_CSV_COLUMNS_MAX];
};

/* `names` ends with NULL; more columns in the file are fine. -ENOENT (no error set) without the
 * file. */
FLT_MUST_USE int report_rows_open(struct report_rows *rows, const char *dir, const char *file,
                                  const char *const *names, struct flt_error *error);
void report_rows_close(struct report_rows *rows);
/* 0, FLT_CSV_END or a failure. */
FLT_MUST_USE int report_rows_next(struct report_rows *rows, struct flt_error *error);
/* The column-th name's field. `text` has room for `size` bytes; longer ones are refused. */
FLT_MUST_USE int report_rows_text(struct report_rows *rows, int column, char *text, size_t size,
                                  struct flt_error *error);
FLT_MUST_USE int report_rows_number(struct report_rows *rows, int column, double *out,
                                    struct flt_error *error);
FLT_MUST_USE int report_rows_int(struct report_rows *rows, int column, int64_t *out,
                                 struct flt_error *error);
