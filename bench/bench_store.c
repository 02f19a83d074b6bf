/* store: a year of minutes opened and summed, beside the same loop over plain memory; gzip CSV
 * taken in, beside zlib's own inflate of the same file. */
#define FLT_MOD "bench_store"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include "backtest/import.h"
#include "bench/bench.h"
#include "lib/log.h"

#define YEAR 525600
#define T0 INT64_C(1704067200000)

static volatile int64_t sink;
static char folder[] = "/tmp/bench_store.XXXXXX";
static char csv_path[64];

struct columns {
    const int64_t *open, *high, *low, *close;
    const double *volume;
};

/* One pass that reads every byte of a candle. */
static void sum(const struct columns *at, size_t count)
{
    int64_t ticks = 0;
    double volume = 0;

    for (size_t i = 0; i < count; i++) {
        ticks += at->open[i] + at->high[i] + at->low[i] + at->close[i];
        volume += at->volume[i];
    }
    sink += ticks + (int64_t)volume;
}

static void sum_store(void *ctx, long rounds)
{
    for (long i = 0; i < rounds; i++) {
        struct store store;

        if (store_open(ctx, &store, NULL) != 0)
            abort();
        const struct columns at = { store.open, store.high, store.low, store.close, store.volume };

        sum(&at, store.count);
        store_close(&store);
    }
}

static void sum_memory(void *ctx, long rounds)
{
    for (long i = 0; i < rounds; i++)
        sum(ctx, YEAR);
}

static void verify(void *ctx, long rounds)
{
    for (long i = 0; i < rounds; i++)
        sink += store_verify(ctx, NULL);
}

/* A random walk with the digits of a real market. */
static void write_csv(void)
{
    char text[160];
    gzFile file;
    uint64_t random = 88172645463325252;
    int64_t price = 6400000;

    snprintf(csv_path, sizeof csv_path, "%s/year.csv.gz", folder);
    file = gzopen(csv_path, "wb6");
    if (!file || gzputs(file, "ts_ms,open,high,low,close,volume\n") < 0)
        abort();
    for (int64_t i = 0; i < YEAR; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        const int64_t open = price, up = (int64_t)(random % 4000),
                      down = (int64_t)(random >> 20) % 4000;

        price += up - down;
        snprintf(text, sizeof text, "%lld,%.2f,%.2f,%.2f,%.2f,%.5f\n", (long long)(T0 + i * 60000),
                 (double)open / 100, (double)(open + up) / 100, (double)(open - down) / 100,
                 (double)price / 100, (double)(random >> 40) / 100000);
        if (gzputs(file, text) < 0)
            abort();
    }
    gzclose(file);
}

static void inflate_only(void *ctx, long rounds)
{
    static char buffer[262144];

    for (long i = 0; i < rounds; i++) {
        gzFile file = gzopen(ctx, "rb");

        (void)gzbuffer(file, sizeof buffer);
        for (int got; (got = gzread(file, buffer, sizeof buffer)) > 0;)
            sink += got;
        gzclose(file);
    }
}

static void import(void *ctx, long rounds)
{
    for (long i = 0; i < rounds; i++) {
        struct store_import import = { .root = folder, .replace = true };
        struct store_imported done;

        if (store_id_parse(&import.id, "bench/A-B/1m", true, NULL) != 0 ||
            store_import(&import, ctx, &done, NULL) != 0)
            abort();
        sink += (int64_t)done.rows;
    }
}

/* The best of a few runs, on the clock and in the processor, as others use this machine too. */
struct cost {
    double seconds, cpu_seconds, own_seconds; /* own: of this thread */
};

static double own_seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void keep_best(struct cost *best, bench_fn *fn, void *ctx)
{
    const int64_t start_ns = flt_mono_ns(flt_clock_system());
    const clock_t start = clock();
    const double own_start = own_seconds();

    fn(ctx, 1);
    const double own = own_seconds() - own_start;
    const double cpu = (double)(clock() - start) / CLOCKS_PER_SEC;
    const double seconds = (double)(flt_mono_ns(flt_clock_system()) - start_ns) / 1e9;

    best->seconds = seconds < best->seconds ? seconds : best->seconds;
    best->cpu_seconds = cpu < best->cpu_seconds ? cpu : best->cpu_seconds;
    best->own_seconds = own < best->own_seconds ? own : best->own_seconds;
}

/* Each import goes into an empty place: stored rows would be compared and not written. */
static void bench_import(void)
{
    struct cost whole = { 1e9, 1e9, 1e9 }, inflate = whole;
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s/data", folder);
    for (int i = 0; i < BENCH_RUNS; i++) {
        keep_best(&inflate, inflate_only, csv_path);
        if (system(command) != 0)
            abort();
        keep_best(&whole, import, csv_path);
    }
    bench_ratio("store: gzip CSV imported, synced to the disk", YEAR / whole.seconds / 1e6,
                "M rows/s", YEAR / inflate.seconds / 1e6, "zlib's inflate alone");
    const double ahead = whole.cpu_seconds - whole.own_seconds;

    bench_ratio("store: the same, of the slower of its two threads' processor time",
                YEAR / (ahead > whole.own_seconds ? ahead : whole.own_seconds) / 1e6, "M rows/s",
                YEAR / inflate.cpu_seconds / 1e6, "zlib's inflate alone");
    bench_row("store: parsing, checking, writing a row", whole.own_seconds / YEAR * 1e9, "ns", "");
    bench_ratio("store: inflating a row, on a core of its own", ahead / YEAR * 1e9, "ns",
                inflate.cpu_seconds / YEAR * 1e9, "inflate alone");
}

static void bench_read(char *path)
{
    struct store store;
    struct columns copy;

    if (store_open(path, &store, NULL) != 0 || store_verify(&store, NULL) != 0)
        abort();
    const void *const from[] = { store.open, store.high, store.low, store.close, store.volume };
    void *to[5];

    for (size_t i = 0; i < 5; i++) {
        to[i] = malloc(YEAR * 8);
        if (!to[i])
            abort();
        memcpy(to[i], from[i], YEAR * 8);
    }
    copy = (struct columns){ to[0], to[1], to[2], to[3], to[4] };
    bench_ratio("store: a year of minutes opened and summed", bench_ns(sum_store, path, 20) / 1e6,
                "ms", bench_ns(sum_memory, &copy, 20) / 1e6, "the loop over plain memory");
    bench_row("store: a year of minutes, every checksum", bench_ns(verify, &store, 3) / 1e6, "ms",
              "");
    for (size_t i = 0; i < 5; i++)
        free(to[i]);
    store_close(&store);
}

int main(void)
{
    char path[128], command[64];

    flt_log_set_level(FLT_LOG_OFF);
    if (!mkdtemp(folder))
        abort();
    write_csv();
    bench_import();
    snprintf(path, sizeof path, "%s/data/bench/A-B/1m", folder);
    bench_read(path);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}
