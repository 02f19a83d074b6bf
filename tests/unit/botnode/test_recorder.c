/* A recording's file: what is in it, when it ends, and how many are kept. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "backtest/parity.h"
#include "botnode/recorder.h"

static char dir[] = "/tmp/flt-recorder-XXXXXX";

static struct recorder *open_one(const char *bot, int64_t now_ms)
{
    struct recorder *recorder = NULL;

    assert_int_equal(recorder_open(dir, bot, now_ms, &recorder), 0);
    recorder->until_ns = 1000;
    return recorder;
}

static void close_one(struct recorder *recorder)
{
    recorder_end(recorder, "enough");
    assert_false(recorder_is_on(recorder));
    recorder_close(recorder);
}

static void it_ends_at_its_time_and_at_its_size(void **ctx)
{
    struct recorder *recorder = open_one("btc", 1772323200000);

    (void)ctx;
    assert_true(recorder_is_on(recorder));
    assert_null(recorder_second(recorder, 999));
    assert_string_equal(recorder_second(recorder, 1000), "its time was over");
    recorder->bytes = RECORDER_BYTES_MAX + 1;
    assert_string_equal(recorder_second(recorder, 0), "it reached its greatest size");
    close_one(recorder);
}

static void a_disk_that_takes_no_more_ends_it(void **ctx)
{
    struct recorder *recorder = open_one("btc", 1772323200001);
    const int fd = recorder->fd;

    (void)ctx;
    recorder->fd = STDERR_FILENO + 1000; /* not open: each write fails */
    assert_string_equal(recorder_second(recorder, 0), "its file could not be written");
    recorder->fd = fd;
    close_one(recorder);
}

static void a_bot_that_never_ran_leaves_a_whole_recording_of_nothing(void **ctx)
{
    static struct parity_report report;
    struct recorder *recorder = open_one("btc", 1772323200002);
    struct flt_error error = { 0 };
    char path[300];

    (void)ctx;
    snprintf(path, sizeof path, "%s/%s", dir, recorder->file);
    close_one(recorder);
    assert_int_equal(parity_file(path, &report, &error), -22);
    assert_non_null(strstr(error.message, "did not run"));
}

static size_t count(const char *prefix)
{
    char folder[300];
    const struct dirent *entry;
    size_t found = 0;

    snprintf(folder, sizeof folder, "%s/rec", dir);
    DIR *list = opendir(folder);
    assert_non_null(list);
    while ((entry = readdir(list)))
        found += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    closedir(list);
    return found;
}

static void the_newest_of_a_bot_are_kept_and_those_of_others_untouched(void **ctx)
{
    (void)ctx;
    close_one(open_one("eth-2", 1772323200000));
    close_one(open_one("eth-1772323200000", 1));
    for (int64_t i = 0; i < 9; i++)
        close_one(open_one("eth", 1772323200010 + i));
    assert_int_equal(count("eth-17723232000"), RECORDER_KEPT + 1);
    assert_int_equal(count("eth-1772323200018.tape"), 1);
    assert_int_equal(count("eth-1772323200014.tape"), 0);
    assert_int_equal(count("eth-2-"), 1);
    assert_int_equal(count("eth-1772323200000-"), 1);
}

static int make_dir(void **ctx)
{
    (void)ctx;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **ctx)
{
    char path[600];
    const struct dirent *entry;

    (void)ctx;
    snprintf(path, sizeof path, "%s/rec", dir);
    DIR *list = opendir(path);
    while (list && (entry = readdir(list))) {
        snprintf(path, sizeof path, "%s/rec/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (list)
        closedir(list);
    snprintf(path, sizeof path, "%s/rec", dir);
    rmdir(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_ends_at_its_time_and_at_its_size),
        cmocka_unit_test(a_disk_that_takes_no_more_ends_it),
        cmocka_unit_test(a_bot_that_never_ran_leaves_a_whole_recording_of_nothing),
        cmocka_unit_test(the_newest_of_a_bot_are_kept_and_those_of_others_untouched),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
