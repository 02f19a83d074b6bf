/* Every decoder over any bytes: the first byte chooses the message and the strictness. What decodes
 * must encode, and decode again. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "schemas/schemas_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct msg_type *type;
    struct flt_buf buf = FLT_BUF_INIT;
    struct flt_error error = { 0 };
    void *out;

    if (size < 2)
        return 0;
    type = msg_types[data[0] % msg_type_count];
    out = calloc(1, type->size);
    if (out && msg_parse(type, (const char *)data + 2, size - 2,
                         data[1] & 1 ? MSG_PEOPLE : MSG_PROGRAM, out, &error) == 0) {
        msg_encode(type, &buf, NULL, out);
        msg_finish(type, out);
        assert(!buf.failed);
        assert(msg_parse(type, buf.data, buf.length, MSG_PROGRAM, out, &error) == 0);
        msg_finish(type, out);
    }
    flt_buf_finish(&buf);
    free(out);
    return 0;
}
