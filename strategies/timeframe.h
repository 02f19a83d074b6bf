/* The timeframe parameter of strategies that look at bars. */
#pragma once
#include "strategies/strategy.h"

static const char *const timeframe_choices[] = { "1m", "3m", "5m", "15m", "30m", "1h", "2h",
                                                 "4h", "6h", "8h", "12h", "1d",  NULL };
