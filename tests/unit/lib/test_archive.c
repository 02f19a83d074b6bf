#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define FLT_MOD "test_archive"
#include "lib/archive.h"
#include "lib/config.h"
#include "lib/json.h"
#include "lib/log.h"

#define BIG ((size_t)2 * 1024 * 1024 + 17) /* three pieces */

struct rig {
    char dir[64], big[96], small[96], archive[96], out[96];
    uint8_t key[FLT_KEY_SIZE];
};

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    char *bytes = malloc(BIG);

    flt_log_set_level(FLT_LOG_OFF);
    snprintf(rig->dir, sizeof rig->dir, "/tmp/flt-archive-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    snprintf(rig->big, sizeof rig->big, "%s/big", rig->dir);
    snprintf(rig->small, sizeof rig->small, "%s/small", rig->dir);
    snprintf(rig->archive, sizeof rig->archive, "%s/a.backup", rig->dir);
    snprintf(rig->out, sizeof rig->out, "%s/out", rig->dir);
    for (size_t i = 0; i < BIG; i++)
        bytes[i] = (char)(i * 31 >> 3);
    assert_int_equal(flt_file_write(rig->big, bytes, BIG, 0600), 0);
    assert_int_equal(flt_file_write(rig->small, "", 0, 0600), 0);
    memset(rig->key, 7, sizeof rig->key);
    free(bytes);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", rig->dir);
    assert_int_equal(system(command), 0);
    free(rig);
    return 0;
}

static void make(struct rig *rig)
{
    const struct flt_archive_file files[] = { { "controller/big", rig->big },
                                              { "small", rig->small } };
    struct json_object *manifest = json_object_new_object();
    struct flt_error error = { 0 };

    json_object_object_add(manifest, "term", json_object_new_int(5));
    assert_int_equal(flt_archive_write(rig->archive, rig->key, manifest, files, 2, &error), 0);
    json_object_put(manifest);
}

static void what_went_in_comes_out(void **state)
{
    struct rig *rig = *state;
    struct flt_error error = { 0 };
    struct json_object *manifest;
    struct stat info;
    char path[128];
    uint8_t before[32], after[32];
    int64_t term = 0;

    make(rig);
    assert_int_equal(stat(rig->archive, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(flt_archive_extract(rig->archive, rig->key, NULL, &error), 0);
    assert_int_equal(flt_archive_extract(rig->archive, rig->key, rig->out, &error), 0);
    snprintf(path, sizeof path, "%s/controller/big", rig->out);
    assert_int_equal(flt_sha256_file(rig->big, before, NULL), 0);
    assert_int_equal(flt_sha256_file(path, after, NULL), 0);
    assert_memory_equal(before, after, sizeof before);
    manifest = flt_archive_manifest(rig->archive, &error);
    assert_true(flt_json_int(manifest, "term", &term));
    assert_int_equal(term, 5);
    assert_int_equal(json_object_array_length(flt_json_get(manifest, "files")), 2);
    json_object_put(manifest);
}

static void another_key_opens_nothing(void **state)
{
    struct rig *rig = *state;
    struct flt_error error = { 0 };

    make(rig);
    rig->key[3] ^= 1;
    assert_int_equal(flt_archive_extract(rig->archive, rig->key, NULL, &error), -EBADMSG);
    assert_non_null(strstr(error.message, "key does not fit"));
}

/* Any byte changed, anywhere, and any cut is seen: all of the head, then samples. */
static void every_changed_byte_is_seen(void **state)
{
    struct rig *rig = *state;
    size_t size = 0;
    char *bytes;

    make(rig);
    bytes = flt_file_read(rig->archive, 2 * BIG, &size);
    for (size_t at = 0; at < size; at += at < 600 ? 1 : 104729) {
        struct flt_error error = { 0 };

        bytes[at] ^= 0x20;
        assert_int_equal(flt_file_write(rig->archive, bytes, size, 0600), 0);
        assert_int_not_equal(flt_archive_extract(rig->archive, rig->key, NULL, &error), 0);
        assert_true(error.message[0]);
        bytes[at] ^= 0x20;
    }
    for (size_t cut = 1; cut < size; cut += cut < 40 ? 1 : 104729) {
        struct flt_error error = { 0 };

        assert_int_equal(flt_file_write(rig->archive, bytes, size - cut, 0600), 0);
        assert_int_not_equal(flt_archive_extract(rig->archive, rig->key, NULL, &error), 0);
    }
    free(bytes);
}

static void names_stay_inside(void **state)
{
    static const char *const names[] = { "../x", "/etc/x", "a/../../x", "" };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct flt_archive_file files[] = { { names[i], rig->small } };
        struct json_object *manifest = json_object_new_object();
        struct flt_error error = { 0 };

        assert_int_not_equal(flt_archive_write(rig->archive, rig->key, manifest, files, 1, &error),
                             0);
        assert_int_equal(access(rig->archive, F_OK), -1);
        json_object_put(manifest);
    }
}

static void a_missing_file_leaves_no_archive(void **state)
{
    struct rig *rig = *state;
    const struct flt_archive_file files[] = { { "x", "/tmp/there-is-no-such-file" } };
    struct json_object *manifest = json_object_new_object();
    struct flt_error error = { 0 };

    assert_int_not_equal(flt_archive_write(rig->archive, rig->key, manifest, files, 1, &error), 0);
    assert_non_null(strstr(error.message, "no-such-file"));
    assert_int_equal(access(rig->archive, F_OK), -1);
    json_object_put(manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_went_in_comes_out, setup, teardown),
        cmocka_unit_test_setup_teardown(another_key_opens_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(every_changed_byte_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(names_stay_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_file_leaves_no_archive, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
