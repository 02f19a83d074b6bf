#include "strategies/strategy.h"
#include <string.h>

extern const struct strategy_ops strategy_dca, strategy_grid, strategy_grid_lines, strategy_hold,
    strategy_pmm_simple, strategy_rsi, strategy_sma_cross;

static const struct strategy_ops *const strategies[] = {
    &strategy_dca,        &strategy_grid, &strategy_grid_lines, &strategy_hold,
    &strategy_pmm_simple, &strategy_rsi,  &strategy_sma_cross,
};

const struct strategy_ops *strategy_find(const char *name)
{
    for (size_t i = 0; i < FLT_COUNT(strategies); i++)
        if (!strcmp(strategies[i]->name, name))
            return strategies[i];
    return NULL;
}

const struct strategy_ops *const *strategy_list(size_t *count)
{
    *count = FLT_COUNT(strategies);
    return strategies;
}
