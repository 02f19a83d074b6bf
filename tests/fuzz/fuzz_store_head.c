/* The head of a store, as bytes from a disk that may have done anything to them: what is accepted
 * has to be safe to map and to walk. With the first byte odd, checksums are put right first, so
 * that the checks behind them are reached. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "backtest/store_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal(unsigned char *bytes, size_t size, size_t at)
{
    struct store_head head;

    if (size < at + sizeof head)
        return;
    memcpy(&head, bytes + at, sizeof head);
    store_head_seal(&head);
    memcpy(bytes + at, &head, sizeof head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char bytes[STORE_HEAD_BYTES + 16];
    struct store_head head;
    struct flt_error error = { 0 };
    enum store_kind kind;
    int64_t step_ms;

    if (size == 0 || size - 1 > sizeof bytes)
        return 0;
    memcpy(bytes, data + 1, size - 1);
    if (data[0] & 1) {
        seal(bytes, size - 1, 0);
        seal(bytes, size - 1, STORE_SLOT_STRIDE);
    }
    if (store_head_read(bytes, size - 1, &head, &error) != 0) {
        assert(error.message[0]);
        return 0;
    }
    assert(store_timeframe(head.timeframe, &kind, &step_ms) && kind == (enum store_kind)head.kind);
    assert(head.count <= UINT64_C(1) << 40 && head.valid_count <= head.count);
    assert(head.price_scale >= 0 && head.price_scale <= FLT_DEC_SCALE_MAX);
    if (kind == STORE_CANDLES && head.count > 0)
        assert(head.base_ms + (int64_t)(head.count - 1) * head.step_ms == head.last_ms);
    return 0;
}
