/* One run from the inside: shared by run*.c and portfolio.c, nobody else includes it. */
#pragma once
#include "backtest/run.h"
#include "engine/bot_columns.h"
#include "lib/clock.h"

/* The strategy's bars when they are longer than the rows: made of the rows, each visible from the
 * first row on at whose close it is over. */
struct run_bars {
    struct indicator_columns columns;
    size_t count;
    size_t *row; /* of each: the row at whose close it is seen; rises, may repeat */
    size_t seen; /* those of rows before `at` */
    int64_t step_ms;
    void *owned[6];
};

struct run {
    const struct run_config *config;
    const struct indicator_columns *columns;
    struct run_result *result;
    struct flt_sim_clock clock;
    struct book book;
    struct bot *bot;
    struct run_bars bars;   /* step_ms 0: rows are the strategy's bars */
    size_t bar;             /* the row that is being simulated */
    size_t at, count;       /* next to look at; rows to simulate */
    bool time;              /* the bot waits for time: no row may be skipped */
    uint32_t sequence, key; /* of the order that is on its way out */
    int64_t trades;
    int64_t share_left;  /* lots that this bar may still fill */
    struct run_tape_at { /* next events of the tape */
        size_t trade, quote;
        int64_t bid_taken, ask_taken; /* of the size shown at the present price */
    } tape;
    char (*cancelled)[FLT_COID_MAX]; /* to be answered */
    size_t cancelled_count, cancelled_cap;
    struct key_tag { /* open addressing; tag 0: free, else the tag + 1 */
        uint32_t key, tag;
    } * keys;
    size_t key_count, key_cap;
    int err; /* of a callback */
};

/* Room for one more element; the array is found through `array`. */
FLT_MUST_USE int run_reserve(void *array, size_t count, size_t *cap, size_t size);

/* run_host.c: what the engine asks of its host */
FLT_MUST_USE int run_make_bot(struct run *run, struct flt_error *error);
void run_set_clock(struct run *run, int64_t ts_ms);
/* The order at `i` of the book fills `lots` at this price, or ends; the bot is told. */
void run_fill(struct run *run, size_t i, int64_t lots, int64_t price_ticks,
              enum liquidity liquidity, int64_t ts_ms);
void run_end(struct run *run, size_t i, enum order_status status);
void run_answer(struct run *run); /* cancels that were asked for meanwhile */

/* run_match.c: rows against orders */
void run_match_bar(struct run *run);
int64_t run_slip(const struct run *run, enum side side, int64_t price_ticks);
int64_t run_share(const struct run *run, int64_t lots); /* of that volume, at most */

/* run_tape.c: recorded trades and quotes against orders */
void run_match_tape(struct run *run);

/* run_bars.c: bars of the strategy */
FLT_MUST_USE int run_bars_make(const struct data *data, int64_t step_ms, struct run_bars *out);
void run_bars_free(struct run_bars *bars);

/* run.c: opened, stepped by simulate() or the portfolio's clock, closed */
FLT_MUST_USE int run_open(struct run *run, const struct run_config *config,
                          struct run_result *result, struct flt_error *error);
size_t run_next(struct run *run); /* the next row where something may happen; run->count: none */
void run_match(struct run *run, size_t bar);
void run_decide(struct run *run);
void run_finish(struct run *run); /* counts and what rests; before run_close() */
void run_close(struct run *run);
