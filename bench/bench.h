/* What the bench programs share: time a function, print a row for run.py. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "lib/clock.h"

#define BENCH_RUNS 9

typedef void bench_fn(void *ctx, long rounds); /* does its work `rounds` times */

static int bench_compare(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

/* Nanoseconds a round, the median of nine runs, since the machine has other work to do. */
static inline double bench_ns(bench_fn *fn, void *ctx, long rounds)
{
    const struct flt_clock *const clock = flt_clock_system();
    double runs[BENCH_RUNS];

    fn(ctx, rounds / 10 + 1); /* caches and branch predictors */
    for (size_t i = 0; i < BENCH_RUNS; i++) {
        const int64_t start_ns = flt_mono_ns(clock);

        fn(ctx, rounds);
        runs[i] = (double)(flt_mono_ns(clock) - start_ns) / (double)rounds;
    }
    qsort(runs, BENCH_RUNS, sizeof runs[0], bench_compare);
    return runs[BENCH_RUNS / 2];
}

/* Nanoseconds of this thread's own processor time a call, the best of seven: for work that waits
 * for nothing, on a machine that has other work to do. */
static inline double bench_cpu_ns(bench_fn *fn, void *ctx)
{
    double best = 0;

    for (int i = 0; i < 7; i++) {
        struct timespec start, end;

        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
        fn(ctx, 1);
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        const double ns =
            (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec);
        best = i == 0 || ns < best ? ns : best;
    }
    return best;
}

static inline void bench_row(const char *name, double value, const char *unit,
                             const char *compared_with)
{
    printf("%s\t%.1f\t%s\t%s\n", name, value, unit, compared_with);
}

/* A row with its ratio to `baseline`, both in the same unit and from the same run. */
static inline void bench_ratio(const char *name, double value, const char *unit, double baseline,
                               const char *what)
{
    printf("%s\t%.1f\t%s\t%.2fx %s (%.1f)\n", name, value, unit, value / baseline, what, baseline);
}
