/* A recording comes from a file: bytes as they are (first byte even), or frames whose checksums are
 * put right (odd), so that what lies behind the checksum is reached: {u16 length, payload} each. */
#include <assert.h>
#include <string.h>
#include "backtest/parity.h"
#include "engine/tape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_tape(const void *data, size_t size)
{
    static struct parity_report report;
    struct flt_error error = { 0 };
    struct flt_buf text = FLT_BUF_INIT;

    if (parity_replay(data, size, &report, &error)) {
        assert(error.code != FLT_OK && *error.message);
        return;
    }
    flt_jw_begin(&text, NULL, '{');
    parity_write(&report, &text);
    flt_jw_end(&text, '}');
    struct json_object *tree = text.failed ? NULL : flt_json_parse(text.data, text.length, NULL);

    assert(tree || text.failed || report.shown_count);
    json_object_put(tree);
    flt_buf_finish(&text);
}

/* Each payload that is a frame is written again with its own head. */
static void put_right(const uint8_t *data, size_t size, struct flt_buf *out)
{
    uint64_t number = 0;

    flt_buf_append(out, TAPE_MAGIC, TAPE_MAGIC_SIZE);
    while (size >= 2) {
        const size_t asked = data[0] | (size_t)data[1] << 8, left = size - 2;
        const size_t length = asked < left ? asked : left;
        uint32_t hash = UINT32_C(2166136261);
        uint8_t head[8];

        for (size_t i = 0; i < sizeof number; i++)
            hash = (hash ^ (uint8_t)(number >> (8 * i))) * UINT32_C(16777619);
        for (size_t i = 0; i < length; i++)
            hash = (hash ^ data[2 + i]) * UINT32_C(16777619);
        for (size_t i = 0; i < 4; i++) {
            head[i] = (uint8_t)(length >> (8 * i));
            head[4 + i] = (uint8_t)(hash >> (8 * i));
        }
        flt_buf_append(out, head, sizeof head);
        flt_buf_append(out, data + 2, length);
        number++;
        data += 2 + length;
        size = left - length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flt_buf tape = FLT_BUF_INIT;

    if (size < 1)
        return 0;
    if (data[0] % 2 == 0) {
        try_tape(data + 1, size - 1);
        return 0;
    }
    put_right(data + 1, size - 1, &tape);
    try_tape(tape.data, tape.length);
    flt_buf_finish(&tape);
    return 0;
}
