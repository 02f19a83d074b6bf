#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>
#include "lib/ahead.h"

#define BYTES 5000000

static char path[64];
static unsigned char *text;

static int set_up(void **ctx)
{
    (void)ctx;
    strcpy(path, "/tmp/test_ahead.XXXXXX");
    const int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    text = malloc(BYTES);
    assert_non_null(text);
    for (size_t i = 0; i < BYTES; i++)
        text[i] = (unsigned char)(i * i >> 7 ^ i);
    return 0;
}

static int tear_down(void **ctx)
{
    (void)ctx;
    free(text);
    return unlink(path);
}

static void write_file(const char *mode, size_t size)
{
    gzFile file = gzopen(path, mode);

    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

/* All of it, in odd pieces; the end, or what came instead of it. */
static ssize_t read_all(size_t *total, const char **why)
{
    static unsigned char piece[70001];
    struct flt_ahead *ahead = NULL;
    ssize_t got;

    *total = 0;
    assert_int_equal(flt_ahead_open(path, &ahead), 0);
    while ((got = flt_ahead_read(ahead, piece, 1 + *total % sizeof piece, why)) > 0) {
        assert_true(*total + (size_t)got <= BYTES);
        assert_memory_equal(piece, text + *total, (size_t)got);
        *total += (size_t)got;
    }
    static char kept[128];

    snprintf(kept, sizeof kept, "%s", *why);
    *why = kept;
    assert_true(flt_ahead_read(ahead, piece, 1, &(const char *){ NULL }) == got);
    flt_ahead_close(ahead);
    return got;
}

static void files_of_every_kind_and_size_come_back_whole(void **ctx)
{
    static const size_t sizes[] = { 1, 1000, 262143, 262144, 262145, 1048576, BYTES };
    const char *why;
    size_t total;

    (void)ctx;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int packed = 0; packed < 2; packed++) {
            write_file(packed ? "wb1" : "wbT", sizes[i]);
            assert_int_equal(read_all(&total, &why), 0);
            assert_int_equal(total, sizes[i]);
        }
    }
}

static void a_cut_file_gives_what_it_has_and_then_says_so(void **ctx)
{
    struct stat packed;
    const char *why;
    size_t total;

    (void)ctx;
    write_file("wb1", BYTES);
    assert_int_equal(stat(path, &packed), 0);
    assert_int_equal(truncate(path, packed.st_size / 2), 0);
    assert_int_equal(read_all(&total, &why), -EPIPE);
    assert_string_equal(why, "the gzip file is cut short");
    assert_true(total > BYTES / 4 && total < BYTES);
}

static void it_can_be_closed_before_the_end(void **ctx)
{
    struct flt_ahead *ahead = NULL;
    const char *why;
    char byte;

    (void)ctx;
    write_file("wb1", BYTES);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(flt_ahead_open(path, &ahead), 0);
        assert_int_equal(flt_ahead_read(ahead, &byte, 1, &why), 1);
        flt_ahead_close(ahead);
    }
    flt_ahead_close(NULL);
}

static void what_cannot_be_read_is_said(void **ctx)
{
    struct flt_ahead *ahead = NULL;
    const char *why;
    char byte;

    (void)ctx;
    assert_int_equal(flt_ahead_open("/nowhere/at/all", &ahead), -ENOENT);
    assert_int_equal(flt_ahead_open("/tmp", &ahead), 0);
    assert_true(flt_ahead_read(ahead, &byte, 1, &why) < 0);
    assert_non_null(strstr(why, "directory"));
    flt_ahead_close(ahead);
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(files_of_every_kind_and_size_come_back_whole),
        ROW(a_cut_file_gives_what_it_has_and_then_says_so),
        ROW(it_can_be_closed_before_the_end),
        ROW(what_cannot_be_read_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
