/* The venues there are. To add one: its folder, and a row here. */
#include "exchanges/exchange.h"
#include <string.h>

extern const struct exchange_ops exchange_binance, exchange_paper;

static const struct exchange_ops *const venues[] = { &exchange_binance, &exchange_paper };

const struct exchange_ops *exchange_find(const char *name)
{
    for (size_t i = 0; i < FLT_COUNT(venues); i++)
        if (strcmp(venues[i]->name, name) == 0)
            return venues[i];
    return NULL;
}

const struct exchange_ops *const *exchange_list(size_t *count)
{
    *count = FLT_COUNT(venues);
    return venues;
}
