/* Any text as an id: a client order id of ours has one spelling; names and ULIDs do not crash. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "lib/ids.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[64] = "", back[FLT_COID_MAX];
    struct flt_coid id;

    if (size > 0)
        memcpy(text, data, size < sizeof text - 1 ? size : sizeof text - 1);
    if (flt_coid_parse(text, &id))
        assert(strcmp(flt_coid_format(&id, back), text) == 0);
    if (flt_name_ok(text))
        assert(strlen(text) < FLT_NAME_MAX);
    if (flt_ulid_ok(text))
        assert(strlen(text) == FLT_ULID_MAX - 1);
    return 0;
}
