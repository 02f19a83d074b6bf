/* The bridge's reading along: any bytes in any pieces; the pieces must not matter. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "dashboard/mqttscan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sum over all packets seen, read in pieces of `piece` bytes. */
static unsigned long walk(const uint8_t *data, size_t size, size_t piece)
{
    struct mqttscan *scan = calloc(1, sizeof *scan);
    unsigned long sum = 0;
    char name[64];

    assert(scan);
    for (size_t at = 0; at < size;) {
        const size_t end = size - at < piece ? size : at + piece;
        size_t used = 0;
        int type;

        while ((type = mqttscan_next(scan, data + at, end - at, &used)) > 0) {
            assert(used <= end - at);
            at += used;
            sum = sum * 31 + (unsigned long)type;
            if (type == MQTT_CONNECT && mqttscan_user(scan, name, sizeof name))
                sum = sum * 31 + strlen(name);
            if (type == MQTT_CONNACK)
                sum = sum * 31 + (unsigned long)(mqttscan_connack(scan) + 2);
            if (at == end)
                break;
        }
        if (type < 0)
            break;
        at = end;
    }
    free(scan);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const unsigned long whole = walk(data, size, size ? size : 1);

    assert(walk(data, size, 1) == whole);
    assert(walk(data, size, 7) == whole);
    return 0;
}
