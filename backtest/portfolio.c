#define FLT_MOD "portfolio"
#include "backtest/portfolio.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "backtest/run_impl.h"
#include "strategies/params.h"

struct member {
    struct run run;
    size_t next;      /* the row to go to */
    int64_t close_ms; /* of it; INT64_MAX: it is done */
    bool coupled;     /* it sees the account's cash */
};

struct portfolio {
    const struct portfolio_config *config;
    struct member *members;
    size_t count, opened;
    bool coupled; /* any */
};

/* --- cash
 * ----------------------------------------------------------------------------------------- */

static bool has_own_budget(const struct run_config *config)
{
    return config->params && json_object_object_get_ex(config->params, "budget", NULL);
}

/* Strategies that stake a part of their cash see the account's. */
static bool sees_account(const struct portfolio_config *config, const struct run_config *run)
{
    return config->shared && params_find(run->strategy->params, "stake_pct") &&
           !has_own_budget(run);
}

/* Equal shares in units of 1e-8, as budgets are; the first takes what does not divide. */
static struct flt_amt share_of(struct flt_amt cash, size_t count, size_t i)
{
    struct flt_amt part = flt_amt_div(cash, flt_amt_from_int((int64_t)count), FLT_ROUND_DOWN);

    part.units -= part.units % 10000000000;
    if (i > 0)
        return part;
    return flt_amt_sub(
        cash, flt_amt_mul(part, flt_dec_from_int((int64_t)count - 1), FLT_ROUND_HALF_EVEN));
}

static struct flt_amt flow_of(const struct member *member)
{
    return bot_ledger(member->run.bot, 0)->cash;
}

static void share_cash(struct portfolio *portfolio)
{
    struct flt_amt all = FLT_AMT_ZERO;

    for (size_t i = 0; i < portfolio->count; i++)
        all = flt_amt_add(all, flow_of(&portfolio->members[i]));
    for (size_t i = 0; i < portfolio->count; i++) {
        const struct member *member = &portfolio->members[i];

        if (member->coupled)
            bot_set_outside_cash(member->run.bot, flt_amt_sub(all, flow_of(member)));
    }
}

/* --- the clock
 * ----------------------------------------------------------------------------------------- */

static int64_t close_of(const struct run *run, size_t row)
{
    return run->columns->ts_ms[row] + run->config->data->bar_ms;
}

static void look_ahead_to_next(struct member *member)
{
    member->next = run_next(&member->run);
    member->close_ms =
        member->next < member->run.count ? close_of(&member->run, member->next) : INT64_MAX;
}

static int64_t earliest(const struct portfolio *portfolio)
{
    int64_t now = INT64_MAX;

    for (size_t i = 0; i < portfolio->count; i++)
        if (portfolio->members[i].close_ms < now)
            now = portfolio->members[i].close_ms;
    return now;
}

static int step(struct portfolio *portfolio, int64_t now)
{
    bool filled = false;
    int err = 0;

    for (size_t i = 0; i < portfolio->count; i++) {
        struct member *member = &portfolio->members[i];
        const size_t before = member->run.result->fill_count;

        if (member->close_ms != now)
            continue;
        run_match(&member->run, member->next);
        filled |= member->run.result->fill_count != before;
    }
    if (filled && portfolio->coupled)
        share_cash(portfolio);
    for (size_t i = 0; i < portfolio->count; i++) {
        struct member *member = &portfolio->members[i];

        if (member->close_ms != now)
            continue;
        run_decide(&member->run);
        look_ahead_to_next(member);
        err = err ? err : member->run.err;
    }
    return err;
}

/* How many rows had closed before `now`. */
static size_t rows_until(const struct run *run, int64_t now)
{
    size_t low = 0, high = run->count;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (close_of(run, mid) < now)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int simulate(struct portfolio *portfolio, struct portfolio_result *result)
{
    const volatile sig_atomic_t *stop = portfolio->config->stop;
    int64_t now = INT64_MAX;
    int err = 0;

    for (size_t i = 0; i < portfolio->count; i++)
        look_ahead_to_next(&portfolio->members[i]);
    while (!err && (now = earliest(portfolio)) != INT64_MAX) {
        if (stop && *stop) {
            result->stopped = true;
            break;
        }
        err = step(portfolio, now);
    }
    for (size_t i = 0; i < portfolio->count; i++) {
        struct run *run = &portfolio->members[i].run;

        run->result->stopped = result->stopped;
        run->result->bars = result->stopped ? rows_until(run, now) : run->count;
    }
    return err;
}

/* --- opening and closing
 * ----------------------------------------------------------------------------------------- */

static int open_members(struct portfolio *portfolio, struct portfolio_result *result,
                        struct flt_error *error)
{
    const struct portfolio_config *config = portfolio->config;
    int err = 0;

    for (size_t i = 0; !err && i < config->count; i++) {
        struct run_config *run = &result->configs[i];
        struct member *member = &portfolio->members[i];

        *run = config->runs[i];
        run->cash = share_of(config->cash, config->count, i);
        member->coupled = sees_account(config, run);
        run->budget = member->coupled ? config->cash : run->cash;
        portfolio->coupled |= member->coupled;
        portfolio->opened = i + 1;
        err = run_open(&member->run, run, &result->runs[i], error);
    }
    return err;
}

static int allocate(struct portfolio *portfolio, struct portfolio_result *result,
                    struct flt_error *error)
{
    const size_t count = portfolio->config->count;

    portfolio->members = calloc(count, sizeof *portfolio->members);
    result->configs = calloc(count, sizeof *result->configs);
    result->runs = calloc(count, sizeof *result->runs);
    result->count = portfolio->count = count;
    result->cash = portfolio->config->cash;
    if (portfolio->members && result->configs && result->runs)
        return 0;
    flt_error_set(error, FLT_INTERNAL, "data", "", "no memory for %zu instruments", count);
    return -ENOMEM;
}

int portfolio_run(const struct portfolio_config *config, struct portfolio_result *out,
                  struct flt_error *error)
{
    struct portfolio portfolio = { .config = config };
    struct portfolio_result result = { 0 };
    int err = allocate(&portfolio, &result, error);

    if (!err)
        err = open_members(&portfolio, &result, error);
    if (!err)
        err = simulate(&portfolio, &result);
    for (size_t i = 0; i < portfolio.opened; i++) {
        if (!err)
            run_finish(&portfolio.members[i].run);
        run_close(&portfolio.members[i].run);
    }
    free(portfolio.members);
    if (err)
        portfolio_free(&result);
    else
        *out = result;
    return err;
}

void portfolio_free(struct portfolio_result *result)
{
    for (size_t i = 0; result->runs && i < result->count; i++)
        run_free(&result->runs[i]);
    free(result->runs);
    free(result->configs);
    *result = (struct portfolio_result){ 0 };
}

/* --- the sums
 * ----------------------------------------------------------------------------------------- */

static int64_t next_close(const struct portfolio_result *result, size_t i, size_t bar)
{
    const struct data *data = result->configs[i].data;

    return bar < result->runs[i].bars ? data->columns.ts_ms[bar] + data->bar_ms : INT64_MAX;
}

int portfolio_walk_begin(struct portfolio_walk *walk, const struct portfolio_result *result)
{
    *walk = (struct portfolio_walk){ .result = result, .row_ms = INT64_MAX, .row = SIZE_MAX };
    walk->at = calloc(result->count, sizeof *walk->at);
    if (!walk->at)
        return -ENOMEM;
    walk->equity = walk->balance = result->cash;
    for (size_t i = 0; i < result->count; i++) {
        walk->at[i].equity = walk->at[i].balance = result->configs[i].cash;
        walk->at[i].close_ms = next_close(result, i, 0);
        if (result->configs[i].data->bar_ms < walk->row_ms)
            walk->row_ms = result->configs[i].data->bar_ms;
    }
    return 0;
}

static void close_bar(struct portfolio_walk *walk, size_t i)
{
    const struct run_result *run = &walk->result->runs[i];
    const struct data *data = walk->result->configs[i].data;
    struct portfolio_at *at = &walk->at[i];

    while (at->segment + 1 < run->segment_count && run->segments[at->segment + 1].bar <= at->bar)
        at->segment++;
    const struct run_segment *segment = &run->segments[at->segment];
    const struct flt_amt equity = run_equity(run, segment, data->columns.close_ticks[at->bar]);
    const struct flt_amt balance = flt_amt_add(segment->cash, segment->cost);
    const double held = fabs(flt_amt_to_double(flt_amt_sub(equity, segment->cash)));

    walk->equity = flt_amt_add(walk->equity, flt_amt_sub(equity, at->equity));
    walk->balance = flt_amt_add(walk->balance, flt_amt_sub(balance, at->balance));
    at->equity = equity;
    at->balance = balance;
    at->held = held;
    at->close_ms = next_close(walk->result, i, ++at->bar);
}

bool portfolio_walk_next(struct portfolio_walk *walk)
{
    int64_t now = INT64_MAX;

    for (size_t i = 0; i < walk->result->count; i++)
        if (walk->at[i].close_ms < now)
            now = walk->at[i].close_ms;
    if (now == INT64_MAX)
        return false;
    walk->row++;
    walk->close_ms = now;
    for (size_t i = 0; i < walk->result->count; i++)
        if (walk->at[i].close_ms == now)
            close_bar(walk, i);
    walk->held = 0; /* summed anew: nothing held is exactly 0 */
    for (size_t i = 0; i < walk->result->count; i++)
        walk->held += walk->at[i].held;
    return true;
}

void portfolio_walk_end(struct portfolio_walk *walk)
{
    free(walk->at);
    walk->at = NULL;
}
