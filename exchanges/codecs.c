/* The wire protocols there are. To add one: its folder and a row here. */
#include "exchanges/codec.h"
#include <string.h>

extern const struct codec codec_binance;

static const struct codec *const codecs[] = { &codec_binance };

const struct codec *codec_find(const char *name)
{
    for (size_t i = 0; i < FLT_COUNT(codecs); i++)
        if (strcmp(codecs[i]->name, name) == 0)
            return codecs[i];
    return NULL;
}

const struct codec *const *codec_list(size_t *count)
{
    *count = FLT_COUNT(codecs);
    return codecs;
}
