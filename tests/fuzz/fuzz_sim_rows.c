#include <stddef.h>
#include <stdint.h>
#include "exchanges/sim/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct instrument btc = { .tick = { 1, 2 }, .lot = { 1, 5 } };
    struct sim_rows rows;

    for (int kind = SIM_ROWS_TRADES; kind <= SIM_ROWS_CANDLES; kind++) {
        (void)!sim_rows_parse((enum sim_rows_kind)kind, &btc, (const char *)data, size, &rows,
                              NULL);
        sim_rows_finish(&rows);
    }
    return 0;
}
