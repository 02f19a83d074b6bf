/* Any bytes as YAML: a tree or an error with its place, and a tree that prints as JSON we take. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#define FLT_MOD "fuzz_config"
#include "lib/config.h"
#include "lib/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flt_error error = { 0 };
    struct json_object *const tree =
        flt_config_parse_yaml((const char *)data, size, "f.yml", &error);

    if (!tree) {
        assert(error.code == FLT_INVALID_ARGUMENT && strncmp(error.message, "f.yml:", 6) == 0);
        return 0;
    }
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_tree(&buf, NULL, tree);
    struct json_object *const back = flt_json_parse(buf.data, buf.length, NULL);

    assert(back && json_object_equal(tree, back));
    json_object_put(back);
    json_object_put(tree);
    flt_buf_finish(&buf);
    return 0;
}
