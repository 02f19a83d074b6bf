/* The event loop of a daemon: libuv, one thread that owns all the daemon's state.
 *
 * Timers, signals, a deferred call, work on a thread pool, and the pieces that join libraries to
 * the loop. All callbacks run on the loop thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>
#include "lib/attr.h"
#include "lib/clock.h"

struct flt_loop;
struct flt_timer;

FLT_MUST_USE int flt_loop_create(const struct flt_clock *clock, struct flt_loop **out);
/* Runs until flt_loop_stop(), or until nothing is left that could happen. */
int flt_loop_run(struct flt_loop *loop);
void flt_loop_stop(struct flt_loop *loop);
/* Closes what is left and frees; every object made on the loop must be closed before. */
void flt_loop_destroy(struct flt_loop *loop);
uv_loop_t *flt_loop_uv(struct flt_loop *loop);
const struct flt_clock *flt_loop_clock(struct flt_loop *loop);

/* One timer; repeat_ms 0: once. A timer may be stopped and closed inside its own callback. */
typedef void flt_timer_fn(void *ctx);
FLT_MUST_USE int flt_timer_create(struct flt_loop *loop, flt_timer_fn *fn, void *ctx,
                                  struct flt_timer **out);
void flt_timer_start(struct flt_timer *timer, uint64_t delay_ms, uint64_t repeat_ms);
void flt_timer_stop(struct flt_timer *timer);
void flt_timer_destroy(struct flt_timer *timer); /* NULL is fine */

/* SIGINT and SIGTERM; `fn` gets the signal; NULL: they end the program again. SIGPIPE is ignored.
 */
FLT_MUST_USE int flt_loop_on_signal(struct flt_loop *loop, void (*fn)(void *ctx, int signal),
                                    void *ctx);

/* `work` on the thread pool, then `done` on the loop. The arguments are the caller's memory. */
FLT_MUST_USE int flt_loop_work(struct flt_loop *loop, void (*work)(void *arg),
                               void (*done)(void *arg), void *arg);

/* How late the loop runs: the largest gap between a due 100 ms timer and its call since the last
 * read, in microseconds. */
int64_t flt_loop_lag_us(struct flt_loop *loop);

/* Delay of reconnect attempt `attempt` (from 0), decorrelated jitter: uniform in
 * [base, min(cap, 3 * previous)]; `previous_ms` 0 at first. */
uint64_t flt_backoff_ms(uint64_t previous_ms, uint64_t base_ms, uint64_t cap_ms);
