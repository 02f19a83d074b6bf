/* Where time comes from. Nothing else in Flotilla reads a clock: a daemon passes
 * flt_clock_system(), a test or a backtest a struct flt_sim_clock that it moves by hand.
 *
 * Wall time is UTC Unix milliseconds (`ts_ms`), durations and deadlines are monotonic (`_ns`),
 * leases use boot time, which goes on while the machine sleeps. Threads: the system clock from any,
 * a simulated one from its owner's only.
 */
#pragma once
#include <stdint.h>

struct flt_clock {
    int64_t (*wall_ms)(const struct flt_clock *clock);
    int64_t (*mono_ns)(const struct flt_clock *clock);
    int64_t (*boot_ns)(const struct flt_clock *clock);
};

const struct flt_clock *flt_clock_system(void);

struct flt_sim_clock {
    struct flt_clock base; /* first, so that &sim->base is the clock */
    int64_t wall_now_ms;
    int64_t mono_now_ns;
};

void flt_sim_clock_init(struct flt_sim_clock *sim, int64_t wall_now_ms);
void flt_sim_clock_advance(struct flt_sim_clock *sim, int64_t ms); /* wall and monotonic together */

static inline int64_t flt_wall_ms(const struct flt_clock *clock)
{
    return clock->wall_ms(clock);
}

static inline int64_t flt_mono_ns(const struct flt_clock *clock)
{
    return clock->mono_ns(clock);
}

static inline int64_t flt_mono_ms(const struct flt_clock *clock)
{
    return clock->mono_ns(clock) / 1000000;
}

static inline int64_t flt_boot_ns(const struct flt_clock *clock)
{
    return clock->boot_ns(clock);
}

#define FLT_ISO_MAX 25 /* "2026-03-01T12:00:00.125Z" and NUL */
char *flt_iso_format(int64_t ts_ms, char *out);
/* "2026-03-01", "2026-03-01T12:00:00[.125]Z" or Unix ms in digits. -1: not a time. */
int64_t flt_iso_parse(const char *text);
