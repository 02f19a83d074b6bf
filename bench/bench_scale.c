/* N backtests at once over one mapped store: processor time a candle against one alone (a thread's
 * own clock, since the machine has other work to do), and what of the data stays in memory. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "backtest/data.h"
#include "backtest/run.h"
#include "backtest/store.h"
#include "bench/bench.h"
#include "lib/log.h"

#define CANDLES 2000000
#define T0 INT64_C(1600000000000) / 60000 * 60000
#define THREADS_MAX 8
#define ROUNDS 6
#define STORE_NAME "bench/A-B/1m"

static char folder[] = "/tmp/bench_scale.XXXXXX";

struct worker {
    const struct data *data;
    pthread_barrier_t *start;
    pthread_t thread;
    double cpu_ns; /* a candle, the best round */
    int64_t busy_ns;
};

static void make_store(void)
{
    struct store_spec spec = { .price_scale = 2 };
    struct store_writer *writer;
    char path[STORE_PATH_MAX];
    uint64_t random = 88172645463325252;
    int64_t price = 2000000;

    if (store_id_set(&spec.id, "bench", "A-B", "1m", NULL) ||
        store_path(folder, &spec.id, path, sizeof path, NULL) ||
        store_writer_open(path, &spec, &writer, NULL))
        abort();
    for (int64_t i = 0; i < CANDLES; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        const int64_t open = price;

        price += (2000000 - price) / 4000 + (int64_t)(random >> 32) % 2001 - 1000;
        const int64_t top = open > price ? open : price, bottom = open > price ? price : open;
        const struct store_candle candle = {
            T0 + i * 60000, open, top + 100, bottom - 100, price, 1
        };

        if (store_write_candle(writer, &candle, STORE_UNKNOWN, NULL))
            abort();
    }
    if (store_writer_commit(writer, NULL))
        abort();
    store_writer_close(writer);
}

static double thread_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void backtest(const struct data *data)
{
    struct json_object *params = json_tokener_parse("{\"fast\":500,\"slow\":3000,\"qty\":1}");
    const struct run_config config = { .strategy = strategy_find("sma_cross"),
                                       .params = params,
                                       .data = data,
                                       .fill = fill_model_find("next-open"),
                                       .fee = flt_dec_parse("0.001"),
                                       .lot = flt_dec_parse("0.000001"),
                                       .cash = flt_amt_from_int(100000) };
    struct run_result result;
    struct flt_error error = { 0 };

    if (run_backtest(&config, &result, &error) || result.fill_count == 0)
        abort();
    run_free(&result);
    json_object_put(params);
}

static void *work(void *ctx)
{
    struct worker *worker = ctx;
    const struct flt_clock *const clock = flt_clock_system();

    (void)pthread_barrier_wait(worker->start);
    const int64_t start_ns = flt_mono_ns(clock);

    for (int i = 0; i < ROUNDS; i++) {
        const double before = thread_ns();

        backtest(worker->data);
        const double ns = (thread_ns() - before) / CANDLES;
        worker->cpu_ns = i == 0 || ns < worker->cpu_ns ? ns : worker->cpu_ns;
    }
    worker->busy_ns = flt_mono_ns(clock) - start_ns;
    return NULL;
}

/* Mean processor time a candle of `count` threads; `wall`: all candles over the longest time. */
static double run_threads(const struct data *data, unsigned count, double *wall)
{
    struct worker workers[THREADS_MAX];
    pthread_barrier_t start;
    double cpu_ns = 0;
    int64_t longest_ns = 1;

    (void)pthread_barrier_init(&start, NULL, count);
    for (unsigned i = 0; i < count; i++) {
        workers[i] = (struct worker){ .data = data, .start = &start };
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            abort();
    }
    for (unsigned i = 0; i < count; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        cpu_ns += workers[i].cpu_ns / count;
        longest_ns = workers[i].busy_ns > longest_ns ? workers[i].busy_ns : longest_ns;
    }
    (void)pthread_barrier_destroy(&start);
    *wall = (double)count * ROUNDS * CANDLES / (double)longest_ns * 1e3;
    return cpu_ns;
}

/* A line of /proc/self/status, in MB. */
static double status_mb(const char *key)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    double kb = 0;

    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, key, strlen(key)))
            kb = strtod(line + strlen(key) + 1, NULL);
    if (file)
        (void)fclose(file);
    return kb / 1024;
}

static void measure(const struct data *data, unsigned cores)
{
    double one_wall, wall;
    char text[96];
    const double one = run_threads(data, 1, &one_wall);

    bench_row("scale: one backtest, sma_cross", 1e3 / one, "M candles/s",
              "of its own processor time");
    for (unsigned count = 2; count <= cores && count <= THREADS_MAX; count *= 2) {
        const double cpu = run_threads(data, count, &wall);

        (void)snprintf(text, sizeof text, "scale: %u threads, speed of each", count);
        bench_ratio(text, 1e3 / cpu, "M candles/s", 1e3 / one,
                    "one alone, processor time; aim 0.9");
        (void)snprintf(text, sizeof text, "scale: %u threads together, on the clock", count);
        bench_ratio(text, wall, "M candles/s", one_wall, "one alone; neighbours share the cores");
    }
}

/* Pages of the store are the kernel's: of each copy that is opened only the times are our own. */
static void measure_memory(const struct data *data)
{
    const double file_mb = (double)CANDLES * 40 / (1 << 20);
    const double before = status_mb("RssAnon");
    struct data more[4];

    (void)data;
    for (size_t i = 0; i < 4; i++)
        if (data_load(folder, STORE_NAME, FLT_DEC_ZERO, &more[i], NULL))
            abort();
    bench_ratio("scale: memory of its own for each further reader of the store",
                (status_mb("RssAnon") - before) / 4, "MB", file_mb, "the mapped candles");
    for (size_t i = 0; i < 4; i++)
        data_free(&more[i]);
}

int main(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct flt_error error = { 0 };
    struct data data;
    char command[64];

    flt_log_set_level(FLT_LOG_OFF);
    if (!mkdtemp(folder))
        abort();
    make_store();
    if (data_load(folder, STORE_NAME, FLT_DEC_ZERO, &data, &error)) {
        (void)fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    measure(&data, cores > 2 ? (unsigned)cores : 2);
    measure_memory(&data);
    data_free(&data);
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}
