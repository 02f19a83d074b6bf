/* A node's journal: the intent that stands before each order, fills on their way through the
 * storage thread with the bot's snapshot of 3 KB, and what a node of 1,000 bots reads of it at its
 * start. */
#define FLT_MOD "bench"
#include <errno.h>
#include <string.h>
#include "bench/bench.h"
#include "engine/journal.h"

#define BOTS 1000
#define INTENTS 131072 /* the ring of a node */
#define FILLS 20000
#define FILLS_ALONE 500
#define STATE_BYTES 3000

struct run {
    struct flt_loop *loop;
    struct journal *journal;
    const char *dir;
    char state[STATE_BYTES + 1];
    long trade;
    int64_t told, blocked_ns_max;
    size_t read;
    bool failed;
};

static void on_committed(void *ctx, const struct journal_record *records, size_t count)
{
    struct run *const run = ctx;

    (void)records;
    run->told += (int64_t)count;
}

static int open_journal(struct run *run)
{
    const struct journal_options options = {
        .dir = run->dir, .loop = run->loop, .ctx = run, .on_committed = on_committed
    };

    return journal_open(&options, NULL, &run->journal);
}

static void intend(void *ctx, long rounds)
{
    struct run *const run = ctx;

    for (long i = 0; i < rounds; i++) {
        struct order_intent intent = {
            .id = { .owner = (uint64_t)(i % BOTS), .epoch = 1, .key = 7 },
            .price_ticks = 6412310,
            .qty_lots = 100,
            .exit = true
        };
        int err = journal_intend(run->journal, &intent);

        if (err == -EAGAIN &&
            journal_flush(run->journal, 10000) == 0) /* the next block of sequences */
            err = journal_intend(run->journal, &intent);
        run->failed = run->failed || err;
    }
}

/* With turns of the loop between, as on a node; a block of sequences never runs out then. */
static double intend_ns(struct run *run)
{
    const struct flt_clock *const clock = flt_clock_system();
    int64_t spent_ns = 0;

    for (int turn = 0; turn < INTENTS / 256; turn++) {
        const int64_t start_ns = flt_mono_ns(clock);

        intend(run, 256);
        spent_ns += flt_mono_ns(clock) - start_ns;
        run->failed = run->failed || journal_flush(run->journal, 10000);
        (void)uv_run(flt_loop_uv(run->loop), UV_RUN_NOWAIT);
    }
    return (double)spent_ns / INTENTS;
}

static void append_fill(struct run *run)
{
    char bot[16];
    struct fill fill = { .instrument = "BTC-USDT",
                         .order_id = "28457",
                         .price = { 641231, 1 },
                         .qty = { 1, 2 },
                         .fee_asset = "USDT",
                         .ts_ms = 1772366400000 };
    const struct journal_entry entry = {
        .bot = bot,
        .kind = "fill",
        .body =
            "{\"bot\":\"grid-1\",\"epoch\":1,\"ts_ms\":1772366400000,\"kind\":\"fill\",\"fill\":"
            "{\"instrument\":\"BTC-USDT\",\"side\":\"buy\",\"price\":\"64123.1\",\"qty\":\"0.01\","
            "\"fee\":\"0.0641231\",\"fee_asset\":\"USDT\",\"trade_id\":\"8812\"}}",
        .state = run->state,
        .ts_ms = 1772366400000,
        .account = "demo",
        .fill = &fill,
    };

    (void)snprintf(bot, sizeof bot, "grid-%ld", run->trade % BOTS);
    (void)snprintf(fill.trade_id, sizeof fill.trade_id, "%ld", run->trade++);
    const int64_t start_ns = flt_mono_ns(flt_clock_system());

    run->failed = run->failed || journal_append(run->journal, &entry) < 0;
    const int64_t taken_ns = flt_mono_ns(flt_clock_system()) - start_ns;

    if (taken_ns > run->blocked_ns_max)
        run->blocked_ns_max = taken_ns;
}

/* Appended as fast as the journal takes them, `ahead` before the loop has its turn; to the last one
 * told after its commit. */
static double fills_per_s(struct run *run, int64_t count, int64_t ahead)
{
    const struct flt_clock *const clock = flt_clock_system();
    const int64_t start_ns = flt_mono_ns(clock), end = run->told + count;
    int64_t given = run->told;

    while (run->told < end && !run->failed) {
        for (; given < end && given - run->told < ahead; given++)
            append_fill(run);
        (void)uv_run(flt_loop_uv(run->loop), UV_RUN_ONCE);
    }
    return (double)count * 1e9 / (double)(flt_mono_ns(clock) - start_ns);
}

static int count_intent(void *ctx, const struct order_intent *intent)
{
    (void)intent;
    ++*(size_t *)ctx;
    return 0;
}

static int count_bot(void *ctx, const struct journal_bot *bot)
{
    *(size_t *)ctx += bot->state != NULL;
    return 0;
}

static void count_trade(void *ctx, const struct journal_trade *trade)
{
    (void)trade;
    ++*(size_t *)ctx;
}

static int put_bots(struct run *run)
{
    struct journal_bot bot = {
        .spec = run->state, .desired = "running", .how = "cancel", .epoch = 1
    };
    int err = 0;

    for (int i = 0; i < BOTS && !err; i++) {
        (void)snprintf(bot.name, sizeof bot.name, "grid-%d", i);
        err = journal_bot_put(run->journal, &bot);
    }
    return err;
}

/* What a node asks at its start, of a full ring. */
static int restore(struct run *run)
{
    const struct flt_clock *const clock = flt_clock_system();
    size_t bots = 0, intents = 0, trades = 0;
    char name[16];

    journal_close(run->journal);
    run->journal = NULL;
    const int64_t start_ns = flt_mono_ns(clock);
    int err = open_journal(run);
    const int64_t opened_ns = flt_mono_ns(clock);

    err = err ? err : journal_bots(run->journal, count_bot, &bots);
    const int64_t bots_ns = flt_mono_ns(clock);

    for (int i = 0; i < BOTS && !err; i++)
        err = journal_intents(run->journal, (uint64_t)i, count_intent, &intents);
    const int64_t intents_ns = flt_mono_ns(clock);

    for (int i = 0; i < BOTS && !err; i++) {
        (void)snprintf(name, sizeof name, "grid-%d", i);
        err = journal_trades(run->journal, name, 256, count_trade, &trades);
    }
    const int64_t end_ns = flt_mono_ns(clock);

    if (err || bots != BOTS || intents != INTENTS || !trades)
        return -1;
    bench_row("journal: open, 131,072 intents in the ring", (double)(opened_ns - start_ns) / 1e6,
              "ms", "");
    bench_row("journal: 1,000 bots and their snapshots", (double)(bots_ns - opened_ns) / 1e6, "ms",
              "");
    bench_row("journal: the intents of 1,000 bots", (double)(intents_ns - bots_ns) / 1e6, "ms", "");
    bench_row("journal: the trades of 1,000 bots", (double)(end_ns - intents_ns) / 1e6, "ms", "");
    return 0;
}

static int measure(struct run *run)
{
    if (open_journal(run) || put_bots(run))
        return -1;
    bench_row("journal: intent before an order", intend_ns(run), "ns", "aim: under 1,000");
    bench_row("journal: fills, snapshot 3 KB, one at a time", fills_per_s(run, FILLS_ALONE, 1),
              "1/s", "each waits for its commit");
    run->blocked_ns_max = 0;
    bench_row("journal: fills, snapshot 3 KB, 1,000 on their way", fills_per_s(run, FILLS, 1000),
              "1/s", "group commits");
    bench_row("journal: longest append among them", (double)run->blocked_ns_max / 1000, "us",
              "the loop's wait");
    return run->failed ? -1 : restore(run);
}

int main(void)
{
    static struct run run;
    char dir[] = "/tmp/flotilla-bench-XXXXXX", command[64];

    if (!mkdtemp(dir) || flt_loop_create(flt_clock_system(), &run.loop))
        return 1;
    run.dir = dir;
    memset(run.state, 'x', STATE_BYTES);
    const int err = measure(&run);

    journal_close(run.journal);
    flt_loop_destroy(run.loop);
    (void)snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command) != 0 || err;
}
