/* Any bytes as a stream frame of each venue: no crash, and every event can be written as JSON that
 * parses (bad numbers never get that far). */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/normal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *ctx, const struct stream_event *event)
{
    struct flt_buf out = FLT_BUF_INIT;

    (void)ctx;
    normal_event(&out, event);
    assert(!out.failed);
    flt_buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct instrument btc = {
        .name = "BTC-USDT", .venue_symbol = "BTCUSDT", .tick = { 1, 2 }, .lot = { 1, 5 }
    };
    struct instruments table;
    struct stream_scratch scratch = { 0 };
    size_t count;
    const struct codec *const *codecs = codec_list(&count);
    char *exact = malloc(size ? size : 1); /* so that a read past the end is seen */

    instruments_init(&table);
    if (!exact || instruments_load(&table, &btc, 1) != 0)
        abort();
    if (size)
        memcpy(exact, data, size);
    for (size_t i = 0; i < count; i++)
        codecs[i]->frame(&table, exact, size, &scratch, check, NULL);
    free(exact);
    stream_scratch_finish(&scratch);
    instruments_finish(&table);
    return 0;
}
