/* Several runs on one clock, each a bot of its own on one instrument, with its own ledger.
 *
 * At an instant at which bars close, in this order: of each instrument whose bar closes now, orders
 * are matched against that bar; then the equity of all is recorded; then, instrument by instrument,
 * the strategies see their bars and may order. A bar is known to nobody before its close, whatever
 * its length, and so are the fills in it. Decisions of one instant all see the same cash, so the
 * order of the instruments changes nothing.
 *
 * The account is one. Its cash is split into equal shares, from which each instrument's own books
 * start (so that they add up to the portfolio); what strategies see as cash is, when `shared`, the
 * whole account's: what all of them have left. Strategies whose `budget` is a plan, not cash
 * (`grid`), and bots with a budget of their own get just that. */
#pragma once
#include "backtest/run.h"

struct portfolio_config {
    const struct run_config *runs; /* cash and budget are set here */
    size_t count;
    struct flt_amt cash;
    bool shared;
    const volatile sig_atomic_t *stop;
};

struct portfolio_result {
    struct run_config *configs; /* as they ran */
    struct run_result *runs;
    size_t count;
    struct flt_amt cash;
    bool stopped;
};

/* As run_backtest(); `out` is to be freed on success only. */
FLT_MUST_USE int portfolio_run(const struct portfolio_config *config, struct portfolio_result *out,
                               struct flt_error *error);
void portfolio_free(struct portfolio_result *result); /* twice is fine */

/* One after the other, the instants at which bars closed, with the sums over all instruments. */
struct portfolio_walk {
    const struct portfolio_result *result;
    struct portfolio_at { /* an instrument */
        size_t bar, segment;
        struct flt_amt equity, balance;
        int64_t close_ms; /* of the next bar; INT64_MAX: there is none */
        double held;
    } * at;
    int64_t row_ms; /* the shortest bar's length */
    size_t row;     /* of the instant: from 0 */
    int64_t close_ms;
    struct flt_amt equity, balance; /* cash + positions at the last close, or at cost */
    double held;                    /* |positions| at the last close */
};

FLT_MUST_USE int portfolio_walk_begin(struct portfolio_walk *walk,
                                      const struct portfolio_result *result); /* -ENOMEM */
bool portfolio_walk_next(struct portfolio_walk *walk); /* false: there are no more */
void portfolio_walk_end(struct portfolio_walk *walk);
