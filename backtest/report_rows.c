#define FLT_MOD "report"
#include "backtest/report_rows.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/config.h"

int report_rows_open(struct report_rows *rows, const char *dir, const char *file,
                     const char *const *names, struct flt_error *error)
{
    char path[4096];

    memset(rows, 0, sizeof *rows);
    int err = flt_path_join(path, sizeof path, dir, file);

    if (!err && access(path, F_OK) != 0)
        return -errno;
    if (!err)
        err = flt_csv_open(path, &rows->csv, error);
    for (int i = 0; !err && names[i]; i++) {
        rows->at[i] = flt_csv_column(rows->csv, names[i]);
        if (rows->at[i] < 0)
            err = flt_csv_refuse(rows->csv, error, "there is no column %s", names[i]);
    }
    if (err)
        report_rows_close(rows);
    return err;
}

void report_rows_close(struct report_rows *rows)
{
    flt_csv_close(rows->csv);
    rows->csv = NULL;
}

int report_rows_next(struct report_rows *rows, struct flt_error *error)
{
    return flt_csv_next(rows->csv, rows->fields, error);
}

static int refuse(const struct report_rows *rows, int column, const char *why,
                  struct flt_error *error)
{
    const struct flt_csv_field field = rows->fields[rows->at[column]];

    return flt_csv_refuse(rows->csv, error, "%s %s: %.*s",
                          flt_csv_column_name(rows->csv, (size_t)rows->at[column]), why,
                          field.size < 40 ? (int)field.size : 40, field.text);
}

int report_rows_text(struct report_rows *rows, int column, char *text, size_t size,
                     struct flt_error *error)
{
    const struct flt_csv_field field = rows->fields[rows->at[column]];

    if (field.size >= size)
        return refuse(rows, column, "is too long", error);
    memcpy(text, field.text, field.size);
    text[field.size] = '\0';
    return 0;
}

int report_rows_number(struct report_rows *rows, int column, double *out, struct flt_error *error)
{
    char text[64], *end = NULL;

    if (report_rows_text(rows, column, text, sizeof text, error) != 0)
        return -EINVAL;
    *out = strtod(text, &end);
    if (end == text || *end || !isfinite(*out) || text[strspn(text, "+-0123456789.eE")])
        return refuse(rows, column, "is not a number", error);
    return 0;
}

int report_rows_int(struct report_rows *rows, int column, int64_t *out, struct flt_error *error)
{
    char text[32], *end = NULL;

    if (report_rows_text(rows, column, text, sizeof text, error) != 0)
        return -EINVAL;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (end == text || *end || errno || *out < 0)
        return refuse(rows, column, "is not a whole number", error);
    return 0;
}
