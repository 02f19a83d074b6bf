/* Where a backtest without --out leaves its files, and what it shows of them on a terminal. */
#pragma once
#include "controller/cli/cli.h"

/* Makes <fleet's folder>/backtests/<name>-<n>, n being the first that is free, so that runs side by
 * side get folders of their own. FLT_INVALID_ARGUMENT when there is no fleet. */
FLT_MUST_USE int results_make_dir(struct cli *cli, const char *name, char *out, size_t size);
/* The summary with a line of the equity, as wide as the terminal. */
FLT_MUST_USE int results_print(struct cli *cli, const char *dir);
