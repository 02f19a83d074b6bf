#include "dashboard/assets.h"
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST /* next_in points to const */
#include <zlib.h>

const struct asset *asset_find(const char *path)
{
    if (strcmp(path, "/") == 0)
        path = "/index.html";
    for (size_t i = 0; i < asset_count; i++)
        if (strcmp(asset_table[i].path, path) == 0)
            return &asset_table[i];
    return NULL;
}

char *asset_inflate(const struct asset *asset)
{
    char *out = malloc(asset->size + 1);
    z_stream stream = { 0 };

    if (!out || inflateInit2(&stream, 15 + 16) != Z_OK) {
        free(out);
        return NULL;
    }
    stream.next_in = asset->gz;
    stream.avail_in = (uInt)asset->gz_size;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)asset->size;
    const int code = inflate(&stream, Z_FINISH);

    (void)inflateEnd(&stream);
    if (code != Z_STREAM_END || stream.total_out != asset->size) {
        free(out);
        return NULL;
    }
    return out;
}
