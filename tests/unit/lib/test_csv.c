#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>
#include "lib/attr.h"
#include "lib/csv.h"

#define HEADER "ts_ms,open,high,low,close,volume\n"

/* Reads all candles of a text; the last one stays in `out`. FLT_CSV_END when all were good. */
static int read_text(const char *text, struct flt_candle *out, struct flt_error *error)
{
    struct flt_candles candles = { 0 };
    struct flt_csv *csv = NULL;

    *error = (struct flt_error){ 0 };
    int err = flt_csv_open_memory("x.csv", text, strlen(text), &csv, error);

    if (err)
        return err;
    err = flt_candles_open(&candles, csv, error);
    while (!err)
        err = flt_candles_next(&candles, out, error);
    flt_candles_close(&candles);
    return err;
}

static void refused(const char *text, const char *reason)
{
    struct flt_candle candle;
    struct flt_error error;

    if (read_text(text, &candle, &error) != -EINVAL || !strstr(error.message, reason))
        fail_msg("\"%s\" is not refused with \"%s\" but \"%s\"", text, reason, error.message);
}

static void a_candle_has_its_exact_decimals(void **ctx)
{
    struct flt_candle candle;
    struct flt_error error;

    (void)ctx;
    assert_int_equal(read_text(HEADER "60000,1.50,2,0.000001,1e0,0\r\n", &candle, &error),
                     FLT_CSV_END);
    assert_int_equal(candle.ts_ms, 60000);
    assert_int_equal(candle.open.coef, 15);
    assert_int_equal(candle.open.scale, 1);
    assert_int_equal(candle.low.coef, 1);
    assert_int_equal(candle.low.scale, 6);
    assert_int_equal(candle.close.coef, 1);
    assert_int_equal(candle.volume.coef, 0);
}

static void columns_go_by_name(void **ctx)
{
    struct flt_candle candle;
    struct flt_error error;

    (void)ctx;
    assert_int_equal(
        read_text("\xef\xbb\xbfvolume,close,low,high,open,ts_ms\n9,2,1,4,3,7", &candle, &error),
        FLT_CSV_END);
    assert_int_equal(candle.ts_ms, 7);
    assert_int_equal(candle.open.coef, 3);
    assert_int_equal(candle.volume.coef, 9);
    refused("ts_ms,open,high,low,close\n", "x.csv:1: there is no column volume");
    refused("ts_ms,open,high,low,close,volume,trades\n", "column trades is not one of");
    refused("ts_ms,open,high,low,close,close,volume\n", "column close is there twice");
    refused("ts_ms,open,high,low,close,\n", "column 6 has no usable name");
    refused("", "the file is empty");
}

static void wrong_rows_are_refused_with_line_and_reason(void **ctx)
{
    (void)ctx;
    refused(HEADER "1,1,1,1,1,1\n1,1,1,1,1,1\n", "x.csv:3: ts_ms repeats");
    refused(HEADER "2,1,1,1,1,1\n1,1,1,1,1,1\n", "x.csv:3: ts_ms goes back: 1 after 2");
    refused(HEADER "1,1,1,1,nan,1\n", "x.csv:2: close is not a number: nan");
    refused(HEADER "1,1,1,1,inf,1\n", "close is not a number: inf");
    refused(HEADER "1,1,1,1,0x1,1\n", "close is not a number: 0x1");
    refused(HEADER "1,1,1,1,,1\n", "close is not a number: (empty)");
    refused(HEADER "1,1,1,1, 1,1\n", "close is not a number:  1");
    refused(HEADER "1,1,1,1,-1,1\n", "close is negative: -1");
    refused(HEADER "1,1,1,1,0.0,1\n", "close is zero");
    refused(HEADER "1,1,1,1,1,-0.5\n", "volume is negative");
    refused(HEADER "1,2,2,2,1,1\n", "low is above open or close");
    refused(HEADER "1,2,2,1,3,1\n", "high is below open or close");
    refused(HEADER "1.5,1,1,1,1,1\n", "ts_ms is not a Unix time");
    refused(HEADER "-1,1,1,1,1,1\n", "ts_ms is not a Unix time");
    refused(HEADER "1234567890123456,1,1,1,1,1\n", "ts_ms is not a Unix time");
    refused(HEADER "1,1,1,1,1\n", "5 fields instead of 6");
    refused(HEADER "1,1,1,1,1,1,\n", "7 fields instead of 6");
    refused(HEADER "1,1,1,1,1,1\n\n2,1,1,1,1,1\n", "x.csv:4: an empty line stands before");
}

static void empty_lines_may_end_a_file(void **ctx)
{
    struct flt_candle candle;
    struct flt_error error;

    (void)ctx;
    assert_int_equal(read_text(HEADER "5,1,1,1,1,1\n\n\r\n", &candle, &error), FLT_CSV_END);
    assert_int_equal(candle.ts_ms, 5);
    assert_int_equal(read_text("ts_ms,open,high,low,close,volume", &candle, &error), FLT_CSV_END);
}

/* --- files -------------------------------------------------------------------------------------
 */

#define ROWS 20000 /* several buffers */

static void write_file(const char *path, const char *mode)
{
    gzFile file = gzopen(path, mode);

    assert_non_null(file);
    assert_true(gzputs(file, HEADER) > 0);
    for (int i = 0; i < ROWS; i++)
        assert_true(gzprintf(file, "%d,100.%04d,200,50.5,99.125,%d\n", i * 60, i % 10000, i) > 0);
    assert_int_equal(gzclose(file), Z_OK);
}

static int read_file(const char *path, size_t *rows, struct flt_error *error)
{
    struct flt_candles candles = { 0 };
    struct flt_candle candle;
    struct flt_csv *csv = NULL;

    *error = (struct flt_error){ 0 };
    int err = flt_csv_open(path, &csv, error);

    *rows = 0;
    if (err)
        return err;
    err = flt_candles_open(&candles, csv, error);
    while (!err && (err = flt_candles_next(&candles, &candle, error)) == 0) {
        assert_int_equal(candle.ts_ms, (int64_t)*rows * 60);
        assert_int_equal(flt_dec_units(candle.open, (struct flt_dec){ 1, 4 }, FLT_ROUND_DOWN),
                         1000000 + (int64_t)(*rows % 10000));
        ++*rows;
    }
    flt_candles_close(&candles);
    return err;
}

static void plain_and_gzip_files_read_alike_and_a_cut_one_is_refused(void **ctx)
{
    char folder[] = "/tmp/flotilla-csv-XXXXXX", path[64];
    struct flt_error error;
    size_t rows;

    (void)ctx;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/candles.csv", folder);
    for (int i = 0; i < 2; i++) {
        write_file(path, i ? "wb6" : "wbT");
        assert_int_equal(read_file(path, &rows, &error), FLT_CSV_END);
        assert_int_equal(rows, ROWS);
    }
    assert_int_equal(truncate(path, 30000), 0); /* the gzip one */
    assert_int_equal(read_file(path, &rows, &error), -EINVAL);
    assert_non_null(strstr(error.message, "the gzip file is cut short"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(read_file(path, &rows, &error), -ENOENT);
    assert_non_null(strstr(error.message, "No such file"));
    assert_int_equal(rmdir(folder), 0);
}

static void a_line_without_end_is_refused(void **ctx)
{
    char folder[] = "/tmp/flotilla-csv-XXXXXX", path[64];
    struct flt_error error;
    size_t rows;

    (void)ctx;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/long.csv", folder);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(HEADER "0,", file);
    for (int i = 0; i < 1000000; i++)
        fputc('1', file);
    fclose(file);
    assert_int_equal(read_file(path, &rows, &error), -EINVAL);
    assert_non_null(strstr(error.message, "longer than"));
    assert_int_equal(unlink(path) + rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_candle_has_its_exact_decimals),
        cmocka_unit_test(columns_go_by_name),
        cmocka_unit_test(wrong_rows_are_refused_with_line_and_reason),
        cmocka_unit_test(empty_lines_may_end_a_file),
        cmocka_unit_test(plain_and_gzip_files_read_alike_and_a_cut_one_is_refused),
        cmocka_unit_test(a_line_without_end_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
