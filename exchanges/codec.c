#include "exchanges/codec.h"
#include <stdlib.h>
#include <string.h>

void *list_add(struct list *list, size_t item_size)
{
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? list->capacity * 2 : 16;
        void *items = realloc(list->items, capacity * item_size);

        if (!items)
            return NULL;
        list->items = items;
        list->capacity = capacity;
    }
    return memset((char *)list->items + list->count++ * item_size, 0, item_size);
}

static void list_finish(struct list *list)
{
    free(list->items);
    *list = (struct list){ 0 };
}

void result_finish(struct result *result)
{
    list_finish(&result->items);
    list_finish(&result->fills);
    list_finish(&result->bids);
    list_finish(&result->asks);
    *result = (struct result){ 0 };
}

void stream_scratch_finish(struct stream_scratch *scratch)
{
    list_finish(&scratch->bids);
    list_finish(&scratch->asks);
}
