#include "dashboard/mqttscan.h"
#include <string.h>

/* The fixed header: type and flags, then the remaining length in up to four bytes of seven bits. */
static int read_head(struct mqttscan *scan, uint8_t byte)
{
    if (scan->head == 0) {
        if (byte >> 4 == 0)
            return -1; /* type 0 is reserved */
        scan->head = byte;
        scan->length_bytes = 0;
        scan->size = scan->seen = 0;
        scan->kept = 0;
        return 0;
    }
    scan->size |= (uint32_t)(byte & 127) << (7 * scan->length_bytes);
    scan->length_bytes++;
    if ((byte & 128) && scan->length_bytes == 4)
        return -1;
    scan->in_body = !(byte & 128);
    return 0;
}

static size_t read_body(struct mqttscan *scan, const uint8_t *data, size_t size)
{
    const size_t rest = scan->size - scan->seen, take = size < rest ? size : rest;
    const size_t room = sizeof scan->body - scan->kept, keep = take < room ? take : room;

    memcpy(scan->body + scan->kept, data, keep);
    scan->kept += keep;
    scan->seen += (uint32_t)take;
    return take;
}

int mqttscan_next(struct mqttscan *scan, const uint8_t *data, size_t size, size_t *used)
{
    *used = 0;
    while (!scan->bad) {
        if (scan->in_body) {
            *used += read_body(scan, data + *used, size - *used);
            if (scan->seen < scan->size)
                return 0;
            const int type = scan->head >> 4;

            scan->head = 0;
            scan->in_body = false;
            return type;
        }
        if (*used == size)
            return 0;
        scan->bad = read_head(scan, data[(*used)++]) != 0;
    }
    return -1;
}

/* --- the variable header of CONNECT
 * ----------------------------------------------------------------- */

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static unsigned take_byte(struct reader *reader)
{
    if (reader->at >= reader->end) {
        reader->bad = true;
        return 0;
    }
    return *reader->at++;
}

static void skip(struct reader *reader, size_t size)
{
    if ((size_t)(reader->end - reader->at) < size) {
        reader->bad = true;
        reader->at = reader->end;
        return;
    }
    reader->at += size;
}

static unsigned take_size(struct reader *reader)
{
    const unsigned high = take_byte(reader);

    return high << 8 | take_byte(reader);
}

static void skip_properties(struct reader *reader)
{
    uint32_t size = 0;
    unsigned byte = 128;

    for (unsigned i = 0; i < 4 && (byte & 128); i++) {
        byte = take_byte(reader);
        size |= (uint32_t)(byte & 127) << (7 * i);
    }
    if (byte & 128)
        reader->bad = true;
    skip(reader, size);
}

bool mqttscan_user(const struct mqttscan *scan, char *out, size_t size)
{
    struct reader reader = { scan->body, scan->body + scan->kept, false };

    skip(&reader, take_size(&reader)); /* "MQTT" */
    const unsigned level = take_byte(&reader), flags = take_byte(&reader);

    skip(&reader, 2); /* keep alive */
    if (level == 5)
        skip_properties(&reader);
    skip(&reader, take_size(&reader)); /* client id */
    if (flags & 4) {                   /* a will */
        if (level == 5)
            skip_properties(&reader);
        skip(&reader, take_size(&reader));
        skip(&reader, take_size(&reader));
    }
    if (!(flags & 128))
        return false;
    const size_t length = take_size(&reader);

    if (reader.bad || (size_t)(reader.end - reader.at) < length || length >= size ||
        memchr(reader.at, '\0', length))
        return false;
    memcpy(out, reader.at, length);
    out[length] = '\0';
    return true;
}

int mqttscan_connack(const struct mqttscan *scan)
{
    return scan->kept >= 2 ? scan->body[1] : -1;
}
