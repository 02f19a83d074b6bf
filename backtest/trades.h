/* Round trips out of fills: an exit closes the open quantity of its own tag first, oldest first,
 * then the oldest of any tag; what it closes of one entry is one trade. Fees of an entry that is
 * closed in parts are shared by quantity, the last part takes the rest, so sums agree to the last
 * digit. */
#pragma once
#include "backtest/run.h"

struct round_trip {
    uint32_t tag;   /* the entry's */
    enum side side; /* of the entry: buy is long */
    size_t entry_bar, exit_bar;
    int64_t entry_ms, exit_ms; /* of the fills */
    int64_t entry_ticks, exit_ticks, qty_lots;
    struct flt_amt fees, pnl; /* pnl: after fees */
};

struct trades {
    struct round_trip *trade;
    size_t count, cap;
};

FLT_MUST_USE int trades_make(const struct run_result *result, struct trades *out); /* -ENOMEM */
void trades_free(struct trades *trades);
