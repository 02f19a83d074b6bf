/* controller: fills from the bytes of a message into the books on disk, and the cost of a decoder.
 */
#define FLT_MOD "bench_controller"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "bench/bench.h"
#include "controller/controller.h"
#include "lib/config.h"
#include "lib/log.h"

#define BOTS 50
#define BATCH 100        /* fills in a message */
#define COMMIT_BATCHES 5 /* what gathers in 10 ms at 50,000 fills a second */
#define STREAM "01JD8Z6M5K7Q4W2X9Y3B1C0DEA"

struct ingest {
    struct controller *controller;
    struct node *node;
    struct flt_buf text;
    int64_t n;
};

static void make_record(struct msg_ev_record *record, int64_t n)
{
    if (msg_parse(&msg_type_ev_record, msg_type_ev_record.example,
                  strlen(msg_type_ev_record.example), MSG_PROGRAM, record, NULL) != 0)
        abort();
    const struct flt_dec nth = flt_dec_from_int((n - 1) / BOTS + 1); /* of this bot */

    record->n = n;
    record->fill.book.position = flt_amt_mul(flt_amt_parse("0.015"), nth, FLT_ROUND_DOWN);
    record->fill.book.cash = flt_amt_mul(flt_amt_parse("-962.808347"), nth, FLT_ROUND_DOWN);
    snprintf(record->bot, sizeof record->bot, "grid-%d", (int)(n % BOTS));
    snprintf(record->fill.fill.trade_id, sizeof record->fill.fill.trade_id, "%" PRId64, n);
    snprintf(record->fill.fill.order_id, sizeof record->fill.fill.order_id, "%" PRId64, n / 2);
}

static void write_batch(struct ingest *ingest)
{
    struct msg_n_ev ev;

    if (msg_parse(&msg_type_n_ev, msg_type_n_ev.example, strlen(msg_type_n_ev.example), MSG_PROGRAM,
                  &ev, NULL) != 0)
        abort();
    struct msg_n_ev out = ev;
    out.records = calloc(BATCH, sizeof *out.records);
    if (!out.records)
        abort();
    out.records_count = BATCH;
    out.first = ingest->n + 1;
    snprintf(out.stream, sizeof out.stream, "%s", STREAM);
    for (size_t i = 0; i < BATCH; i++)
        make_record(&out.records[i], ++ingest->n);
    flt_buf_reset(&ingest->text);
    msg_n_ev_encode(&ingest->text, &out);
    for (size_t i = 0; i < BATCH; i++)
        msg_ev_record_finish(&out.records[i]);
    free(out.records);
    msg_n_ev_finish(&ev);
}

static void take_batch(struct ingest *ingest)
{
    struct msg_n_ev ev;

    if (msg_parse(&msg_type_n_ev, ingest->text.data, ingest->text.length, MSG_PROGRAM, &ev, NULL) !=
        0)
        abort();
    ingest_ev(ingest->controller, ingest->node, &ev);
    msg_n_ev_finish(&ev);
}

static double fills_per_second(struct ingest *ingest, int batches)
{
    const struct flt_clock *clock = flt_clock_system();
    int64_t spent_ns = 0;

    for (int i = 0; i < batches; i++) {
        write_batch(ingest); /* the node's work, not timed */
        const int64_t start_ns = flt_mono_ns(clock);

        take_batch(ingest);
        if (i % COMMIT_BATCHES == COMMIT_BATCHES - 1 && !controller_commit(ingest->controller))
            abort();
        spent_ns += flt_mono_ns(clock) - start_ns;
    }
    return (double)batches * BATCH * 1e9 / (double)spent_ns;
}

static void decode(void *ctx, long rounds)
{
    struct ingest *ingest = ctx;

    for (long i = 0; i < rounds; i++) {
        struct msg_n_ev ev;

        if (msg_parse(&msg_type_n_ev, ingest->text.data, ingest->text.length, MSG_PROGRAM, &ev,
                      NULL) != 0)
            abort();
        msg_n_ev_finish(&ev);
    }
}

static void encode(void *ctx, long rounds)
{
    struct flt_buf buf = FLT_BUF_INIT;

    for (long i = 0; i < rounds; i++) {
        flt_buf_reset(&buf);
        msg_ev_record_encode(&buf, ctx);
    }
    flt_buf_finish(&buf);
}

#define FLEET 10000

/* A fleet for the digest; its bots never said anything, as each row costs the same. */
static void make_fleet(struct controller *controller)
{
    char name[FLT_NAME_MAX];

    for (int i = 0; i < FLEET; i++) {
        snprintf(name, sizeof name, "grid-%05d", i);
        struct bot *bot = inventory_get_bot(&controller->inventory, name);

        if (!bot || msg_parse(&msg_type_bot, msg_type_bot.example, strlen(msg_type_bot.example),
                              MSG_PROGRAM, &bot->spec, NULL) != 0)
            abort();
        snprintf(bot->node, sizeof bot->node, "node-%d", i % 10);
        bot->has_state = true;
        bot->state.phase = MSG_PHASE_RUNNING;
        bot->heard_ms = controller_mono_ms(controller);
    }
}

/* Of this thread's own processor time: neighbours take several times of the clock's. */
static int64_t cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* `share` of the fleet changes before each digest: 1 of `share` bots. 0: nothing. */
static double digest_ms(struct controller *controller, int share)
{
    int64_t spent_ns = 0;
    enum { TICKS = 10 };

    for (int i = 0; i < TICKS; i++) {
        for (size_t k = 0; share && k < controller->inventory.bot_count; k += (size_t)share)
            controller->inventory.bots[k]->state.orders_open = 10 + i % 5;
        const int64_t start_ns = cpu_ns();

        digest_tick(controller);
        spent_ns += cpu_ns() - start_ns;
    }
    return (double)spent_ns / TICKS / 1e6;
}

static void bench_digest(struct controller *controller)
{
    snprintf(controller->config.tenant, sizeof controller->config.tenant, "main");
    make_fleet(controller);
    digest_tick(controller); /* all pages are new */
    bench_row("controller: digest of 10,000 bots, all changed", digest_ms(controller, 1), "ms",
              "processor time; so are the next two; one a second");
    const uint64_t before = controller->published_bytes;

    bench_row("controller: digest of 10,000 bots, 1 in 100 changed", digest_ms(controller, 100),
              "ms", "");
    bench_row("controller: bytes of such a digest",
              (double)(controller->published_bytes - before) / 10, "bytes", "");
    bench_row("controller: digest of 10,000 bots, none changed", digest_ms(controller, 0), "ms",
              "");
    bench_row("controller: pages of 10,000 bots", (double)controller->digest_pages, "pages",
              "each under 4,000 bytes");
}

int main(void)
{
    static struct controller controller;
    char folder[] = "/tmp/flt-bench-XXXXXX", path[64];
    struct ingest ingest = { .controller = &controller };
    struct msg_ev_record record;

    if (!mkdtemp(folder) || flt_path_join(path, sizeof path, folder, "controller.db") != 0)
        return 1;
    controller.clock = flt_clock_system();
    ingest.node = inventory_get_node(&controller.inventory, "node-1");
    if (!ingest.node || store_open(&controller.store, path, NULL) != 0)
        return 1;
    (void)fills_per_second(&ingest, 20);
    bench_row("controller: fills from JSON into SQLite, durable", fills_per_second(&ingest, 500),
              "fills/s", "aim 20000");
    bench_row("schemas: decode a batch of 100 fills", bench_ns(decode, &ingest, 50) / BATCH,
              "ns/fill", "");
    make_record(&record, 1);
    bench_row("schemas: encode one fill record", bench_ns(encode, &record, 20000), "ns", "");
    msg_ev_record_finish(&record);
    bench_digest(&controller);
    store_close(&controller.store);
    books_finish(&controller.books);
    inventory_finish(&controller.inventory);
    flt_buf_finish(&ingest.text);
    for (int i = 0; i < 3; i++) {
        static const char *const endings[] = { "", "-wal", "-shm" };
        char file[80];

        snprintf(file, sizeof file, "%s%s", path, endings[i]);
        (void)unlink(file);
    }
    return rmdir(folder);
}
