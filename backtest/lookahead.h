/* Does a past decision change when only the future does? Runs the strategy over all bars, and again
 * over data that is cut off, or made up, after each of several points; fills and orders up to the
 * point have to be the same. Of several instruments the future of all is another one from one
 * instant on, so a decision for one must not follow from the future of the next, or its cash. */
#pragma once
#include "backtest/portfolio.h"

struct lookahead {
    size_t points; /* looked at */
    size_t runs;
    size_t decisions; /* fills compared, over all runs */
    bool found;
    size_t bar;     /* found: from which on its instrument's future was another one */
    char what[256]; /* found: a sentence */
};

FLT_MUST_USE int lookahead_check_all(const struct portfolio_config *config, size_t points,
                                     struct lookahead *out, struct flt_error *error);
FLT_MUST_USE int lookahead_check(const struct run_config *config, size_t points,
                                 struct lookahead *out, struct flt_error *error);
