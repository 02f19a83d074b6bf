#include <string.h>
#include "backtest/book.h"

extern const struct fill_model fill_next_open, fill_strict_cross, fill_path;

static const struct fill_model *const models[] = { &fill_next_open, &fill_strict_cross,
                                                   &fill_path };

const struct fill_model *fill_model_find(const char *name)
{
    for (size_t i = 0; i < FLT_COUNT(models); i++)
        if (!strcmp(models[i]->name, name))
            return models[i];
    return NULL;
}

const struct fill_model *const *fill_model_list(size_t *count)
{
    *count = FLT_COUNT(models);
    return models;
}
