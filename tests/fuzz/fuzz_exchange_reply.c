/* Any bytes as a reply of each venue: the first byte picks the operation, the second the status.
 * No crash; what is understood can be written as JSON, all else is a failure with a class. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/normal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = { 0, 200, 400, 401, 403, 409, 418, 429, 500, 503 };
    size_t count;
    const struct codec *const *codecs = codec_list(&count);

    if (size < 2)
        return 0;
    const enum op op = (enum op)(data[0] % OP_COUNT);
    char *body = malloc(size - 1);

    if (!body)
        abort();
    memcpy(body, data + 2, size - 2);
    body[size - 2] = '\0';
    const struct codec_reply reply = { .http_status = statuses[data[1] % FLT_COUNT(statuses)],
                                       .body = body,
                                       .size = size - 2,
                                       .retry_after = "5",
                                       .now_ms = 1700000000000 };

    for (size_t i = 0; i < count; i++) {
        struct result result = { 0 };
        struct flt_buf out = FLT_BUF_INIT;

        codecs[i]->parse(NULL, op, NULL, &reply, &result);
        normal_result(&out, &result);
        assert(!out.failed && out.length > 0);
        assert(result.failure.error == EXCHANGE_OK || result.items.count == 0);
        flt_buf_finish(&out);
        result_finish(&result);
    }
    free(body);
    return 0;
}
