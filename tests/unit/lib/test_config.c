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
#define FLT_MOD "test_config"
#include "lib/config.h"

static const char *yaml_as_json(const char *text, struct json_object **tree)
{
    *tree = flt_config_parse_yaml(text, strlen(text), "x.yml", NULL);
    return *tree ? json_object_to_json_string_ext(*tree, JSON_C_TO_STRING_PLAIN) : "refused";
}

static void yaml_gives_the_tree_that_json_gives(void **ctx)
{
    static const char *const rows[][2] = {
        { "a: 1", "{\"a\":1}" },
        { "a: -9223372036854775808\nb: 9223372036854775808",
          "{\"a\":-9223372036854775808,\"b\":\"9223372036854775808\"}" },
        { "price: 64123.10\nzip: 007\nhex: 0x10\nexp: 1e5\nplus: +1\ngap: 1_000",
          "{\"price\":\"64123.10\",\"zip\":\"007\",\"hex\":\"0x10\",\"exp\":\"1e5\","
          "\"plus\":\"+1\",\"gap\":\"1_000\"}" },
        { "a: true\nb: false\nc: null\nd:\ne: yes\nf: True\ng: ~",
          "{\"a\":true,\"b\":false,\"c\":null,\"d\":null,\"e\":\"yes\",\"f\":\"True\",\"g\":\"~"
          "\"}" },
        { "a: '1'\nb: \"true\"\nc: ''", "{\"a\":\"1\",\"b\":\"true\",\"c\":\"\"}" },
        { "bots:\n  - name: x # note\n    params: { lower: 90000, levels: 40 }\n  - []\n",
          "{\"bots\":[{\"name\":\"x\",\"params\":{\"lower\":90000,\"levels\":40}},[]]}" },
        { "{\"a\": [1, \"two\"], \"b\": {}}", "{\"a\":[1,\"two\"],\"b\":{}}" },
        { "- 1\n- x\n", "[1,\"x\"]" },
        { "a: |\n  line\n  two\n", "{\"a\":\"line\\ntwo\\n\"}" },
    };
    struct json_object *tree;

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++) {
        assert_string_equal(yaml_as_json(rows[i][0], &tree), rows[i][1]);
        json_object_put(tree);
    }
}

static void what_hides_its_meaning_is_refused(void **ctx)
{
    static const char *const rows[][2] = {
        { "a: &x 1", "x.yml:1:4: anchors, aliases and tags are not taken" },
        { "a: &x {}\nb: *x", "x.yml:1:4: anchors, aliases and tags are not taken" },
        { "a: !!str 1", "x.yml:1:4: anchors, aliases and tags are not taken" },
        { "a: ! 1", "x.yml:1:4: anchors, aliases and tags are not taken" },
        { "a: 1\nb: 2\na: 3", "x.yml:3:1: the key \"a\" appears twice in one object" },
        { "? [a]\n: 1", "x.yml:1:3: a key must be a plain word" },
        { "a: \"\\0\"", "x.yml:1:4: a NUL character" },
        { "a: [1, 2", "x.yml:2:1: did not find expected ',' or ']'" },
        { "a: 1\n---\nb: 2", "x.yml:2:1: a second document begins; one is taken" },
        { "", "x.yml:1:1: the file is empty" },
        { "just text", "x.yml:1:1: keys and values are expected (name: value)" },
        { "a:\n\t- 1", "x.yml:2:1: found character that cannot start any token" },
        { "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "x.yml:1:17: nested too deep" },
    };

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++) {
        struct flt_error error = { 0 };

        assert_null(flt_config_parse_yaml(rows[i][0], strlen(rows[i][0]), "x.yml", &error));
        assert_string_equal(error.message, rows[i][1]);
        assert_int_equal(error.code, FLT_INVALID_ARGUMENT);
    }
    assert_null(flt_config_parse_yaml("a: \xff", 4, "x.yml", NULL));
    assert_null(flt_config_parse_yaml("a: ''", (size_t)5 << 20, "x.yml", NULL));
}

static char folder[64];

static int make_folder(void **ctx)
{
    (void)ctx;
    (void)snprintf(folder, sizeof folder, "/tmp/test_config.XXXXXX");
    flt_log_set_level(FLT_LOG_OFF);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **ctx)
{
    static const char *const names[] = { "f.json", "f.yml", "a/b/c", "a/b", "a", "" };
    char path[128];

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(names); i++)
        if (flt_path_join(path, sizeof path, folder, names[i]) == 0)
            (void)remove(path);
    flt_log_set_level(FLT_LOG_INFO);
    return 0;
}

static void a_file_is_read_by_its_ending(void **ctx)
{
    char json[128], yaml[128];
    struct flt_error error = { 0 };

    (void)ctx;
    assert_int_equal(flt_path_join(json, sizeof json, folder, "f.json"), 0);
    assert_int_equal(flt_path_join(yaml, sizeof yaml, folder, "f.yml"), 0);
    assert_int_equal(flt_file_write(json, "{\"a\":1.50}", 10, 0600), 0);
    assert_int_equal(flt_file_write(yaml, "a: 1.50", 7, 0600), 0);
    struct json_object *const one = flt_config_load(json, NULL);
    struct json_object *const two = flt_config_load(yaml, NULL);
    assert_int_equal(json_object_get_type(json_object_object_get(one, "a")), json_type_double);
    assert_string_equal(json_object_get_string(json_object_object_get(one, "a")), "1.50");
    assert_string_equal(json_object_get_string(json_object_object_get(two, "a")), "1.50");
    json_object_put(one);
    json_object_put(two);
    assert_int_equal(flt_file_write(json, "a: 1", 4, 0600), 0);
    assert_null(flt_config_load(json, &error)); /* YAML is no JSON */
    assert_non_null(strstr(error.message, "f.json:1:1: "));
}

static void a_missing_file_is_named(void **ctx)
{
    struct flt_error error = { 0 };

    (void)ctx;
    assert_null(flt_config_load("/nowhere/x.yml", &error));
    assert_int_equal(error.code, FLT_NOT_FOUND);
    assert_string_equal(error.message, "cannot read /nowhere/x.yml: No such file or directory");
}

static void a_file_is_written_whole_with_its_mode(void **ctx)
{
    char path[128], missing[128];
    struct stat info;
    size_t size = 0;

    (void)ctx;
    assert_int_equal(flt_path_join(path, sizeof path, folder, "f.json"), 0);
    assert_int_equal(flt_file_write(path, "first", 5, 0600), 0);
    assert_int_equal(flt_file_write(path, "second\0x", 8, 0640), 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    char *const text = flt_file_read(path, 8, &size);
    assert_non_null(text);
    assert_int_equal(size, 8);
    assert_memory_equal(text, "second\0x\0", 9);
    free(text);
    assert_null(flt_file_read(path, 7, &size));
    assert_int_equal(errno, EFBIG);
    assert_int_equal(flt_path_join(missing, sizeof missing, folder, "no/such/f"), 0);
    assert_int_equal(flt_file_write(missing, "x", 1, 0600), -ENOENT);
}

static void folders_are_made_for_the_owner_only(void **ctx)
{
    char path[128], file[128];
    struct stat info;

    (void)ctx;
    assert_int_equal(flt_path_join(path, sizeof path, folder, "a/b"), 0);
    assert_int_equal(flt_mkdir_p(path), 0);
    assert_int_equal(flt_mkdir_p(path), 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(flt_path_join(file, sizeof file, path, "c"), 0);
    assert_int_equal(flt_file_write(file, "x", 1, 0600), 0);
    assert_int_equal(flt_mkdir_p(file), -ENOTDIR);
}

static void a_path_that_does_not_fit_is_refused(void **ctx)
{
    char path[8];

    (void)ctx;
    assert_int_equal(flt_path_join(path, sizeof path, "/tmp/", "ab"), 0);
    assert_string_equal(path, "/tmp/ab");
    assert_int_equal(flt_path_join(path, sizeof path, "/tmp", "abc"), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml_gives_the_tree_that_json_gives),
        cmocka_unit_test(what_hides_its_meaning_is_refused),
        cmocka_unit_test_setup_teardown(a_file_is_read_by_its_ending, make_folder, remove_folder),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test_setup_teardown(a_file_is_written_whole_with_its_mode, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(folders_are_made_for_the_owner_only, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_path_that_does_not_fit_is_refused, make_folder,
                                        remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
