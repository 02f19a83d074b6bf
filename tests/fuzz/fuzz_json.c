/* Any bytes as JSON: what the strict scan lets pass json-c must take, and its print must parse to
 * the same again. Any bytes as a string: what the writer makes of them must parse. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#define FLT_MOD "fuzz_json"
#include "lib/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tree(struct json_object *tree)
{
    struct flt_buf buf = FLT_BUF_INIT, again = FLT_BUF_INIT;
    struct flt_error error = { 0 };

    flt_jw_tree(&buf, NULL, tree);
    struct json_object *const back = flt_json_parse(buf.data, buf.length, &error);

    assert(back);
    flt_jw_tree(&again, NULL, back);
    assert(buf.length == again.length && memcmp(buf.data, again.data, buf.length) == 0);
    json_object_put(back);
    flt_buf_finish(&buf);
    flt_buf_finish(&again);
}

static void check_writer(const char *text, size_t size)
{
    struct flt_buf buf = FLT_BUF_INIT;
    const char *value = NULL;
    const bool whole = !memchr(text, '\0', size); /* a NUL is escaped, and refused by the reader */

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str_n(&buf, "key", text, size);
    flt_jw_end(&buf, '}');
    struct json_object *const tree = flt_json_parse(buf.data, buf.length, NULL);

    assert((tree != NULL) == whole);
    assert(!tree || flt_json_str(tree, "key", &value));
    json_object_put(tree);
    flt_buf_finish(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flt_error error = { 0 };
    struct json_object *const tree = flt_json_parse((const char *)data, size, &error);

    assert((tree != NULL) == (error.code == FLT_OK));
    if (tree)
        check_tree(tree);
    else /* what our scan takes json-c takes too */
        assert(!strstr(error.message, "json-c refused"));
    json_object_put(tree);
    check_writer((const char *)data, size);
    return 0;
}
