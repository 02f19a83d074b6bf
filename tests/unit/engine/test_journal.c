/* The journal: numbers without gaps, told after the commit, found again after kill -9 and while the
 * disk refuses. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "engine/journal.h"

struct seen {
    int64_t last, count;
    int marks;
    bool entries;
    char bodies[8][64];
};

struct fixture {
    char dir[64];
    struct flt_loop *loop;
    struct journal *journal;
    struct seen seen;
};

static void on_committed(void *ctx, const struct journal_record *records, size_t count)
{
    struct fixture *f = ctx;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(records[i].n, f->seen.last + 1); /* in order, each once */
        f->seen.last = records[i].n;
        (void)snprintf(f->seen.bodies[f->seen.count++ % 8], 64, "%s", records[i].body);
    }
}

static void on_storage(void *ctx, bool entries, const char *reason)
{
    struct fixture *f = ctx;

    (void)reason;
    f->seen.entries = entries;
}

static void open_journal(struct fixture *f)
{
    struct flt_error error = { 0 };
    const struct journal_options options = { .dir = f->dir,
                                             .loop = f->loop,
                                             .intent_slots = 256,
                                             .ctx = f,
                                             .on_committed = on_committed,
                                             .on_storage = on_storage };

    f->seen = (struct seen){ .entries = true };
    if (journal_open(&options, &error, &f->journal))
        fail_msg("%s", error.message);
    f->seen.last = journal_head(f->journal);
}

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/flotilla-journal-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(flt_loop_create(flt_clock_system(), &f->loop), 0);
    open_journal(f);
}

static void remove_dir(const char *dir)
{
    static const char *const names[] = { "journal.db", "journal.db-wal", "journal.db-shm",
                                         "journal.lock", "intents.ring" };
    char path[128];

    for (size_t i = 0; i < FLT_COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(dir), 0);
}

static void teardown(struct fixture *f)
{
    journal_close(f->journal);
    flt_loop_destroy(f->loop);
    remove_dir(f->dir);
}

static void reopen(struct fixture *f)
{
    journal_close(f->journal);
    open_journal(f);
}

static int64_t append(struct fixture *f, const char *bot, const char *body, const char *state)
{
    const struct journal_entry entry = {
        .bot = bot, .kind = "risk", .body = body, .state = state, .ts_ms = 1000
    };

    return journal_append(f->journal, &entry);
}

static void count_mark(void *ctx)
{
    ((struct fixture *)ctx)->seen.marks++;
}

static void records_are_numbered_without_gaps_and_told_after_the_commit(void **ctx)
{
    struct fixture f;

    (void)ctx;
    setup(&f);
    assert_int_equal(append(&f, "a", "{\"x\":1}", NULL), 1);
    assert_int_equal(append(&f, "b", "{\"x\":2}", "{\"s\":1}"), 2);
    journal_after(f.journal, count_mark, &f);
    assert_int_equal(journal_flush(f.journal, 5000), 0);
    assert_int_equal(f.seen.last, 2);
    assert_string_equal(f.seen.bodies[1], "{\"x\":2}");
    assert_int_equal(f.seen.marks, 1);
    assert_int_equal(journal_committed(f.journal), 2);
    reopen(&f);
    assert_int_equal(journal_head(f.journal), 2);
    assert_int_equal(append(&f, "a", "{}", NULL), 3);
    teardown(&f);
}

static void add_n(void *ctx, const struct journal_record *record)
{
    *(int64_t *)ctx = *(int64_t *)ctx * 10 + record->n;
}

static void a_range_is_read_again_in_order(void **ctx)
{
    struct fixture f;
    int64_t digits = 0;

    (void)ctx;
    setup(&f);
    for (int i = 0; i < 6; i++)
        append(&f, "a", "{}", NULL);
    assert_int_equal(journal_flush(f.journal, 5000), 0);
    assert_int_equal(journal_read(f.journal, 3, 100, 2, add_n, &digits), 2);
    assert_int_equal(digits, 34);
    journal_prune(f.journal, 4, INT64_C(1) << 42);
    assert_int_equal(journal_flush(f.journal, 5000), 0);
    digits = 0;
    assert_int_equal(journal_read(f.journal, 1, 100, 0, add_n, &digits), 2);
    assert_int_equal(digits, 56);
    assert_int_equal(journal_new_stream(f.journal), 0);
    f.seen.last = 0;
    assert_int_equal(append(&f, "a", "{}", NULL), 1);
    teardown(&f);
}

static int find_bot(void *ctx, const struct journal_bot *bot)
{
    struct journal_bot *out = ctx;

    *out = *bot;
    out->state = bot->state && !strcmp(bot->state, "{\"v\":2}") ? "ok" : NULL;
    return 0;
}

static void bots_keep_their_newest_snapshot_and_their_trades(void **ctx)
{
    struct fixture f;
    struct journal_bot bot = { .name = "grid-1",
                               .spec = "{}",
                               .generation = 3,
                               .epoch = 7,
                               .desired = "running",
                               .how = "cancel" };
    struct fill fill = { .instrument = "BTC-USDT", .trade_id = "9", .order_id = "4", .ts_ms = 55 };
    struct journal_entry entry = { .bot = "grid-1",
                                   .kind = "fill",
                                   .body = "{}",
                                   .state = "{\"v\":2}",
                                   .account = "demo",
                                   .fill = &fill };
    char trade_id[ORDER_ID_MAX];
    int64_t ts_ms;

    (void)ctx;
    setup(&f);
    assert_int_equal(journal_bot_put(f.journal, &bot), 0);
    assert_int_equal(journal_bot_state(f.journal, "grid-1", "{\"v\":1}"), 0);
    assert_int_equal(journal_append(f.journal, &entry), 1);
    reopen(&f);
    memset(&bot, 0, sizeof bot);
    assert_int_equal(journal_bots(f.journal, find_bot, &bot), 0);
    assert_int_equal(bot.epoch, 7);
    assert_string_equal(bot.state, "ok");
    assert_int_equal(journal_last_trade(f.journal, "demo", "BTC-USDT", trade_id, &ts_ms), 0);
    assert_string_equal(trade_id, "9");
    assert_int_equal(ts_ms, 55);
    teardown(&f);
}

static void a_command_is_found_before_and_after_its_commit(void **ctx)
{
    struct fixture f;
    struct journal_command command = { "01ABC", "flatten", "accepted", NULL, 5 };

    (void)ctx;
    setup(&f);
    assert_int_equal(journal_command_find(f.journal, "01ABC", &command), 0);
    command = (struct journal_command){ "01ABC", "flatten", "accepted", NULL, 5 };
    assert_int_equal(journal_command_put(f.journal, &command), 0);
    assert_int_equal(journal_command_find(f.journal, "01ABC", &command), 1);
    assert_string_equal(command.state, "accepted");
    command = (struct journal_command){ "01ABC", "flatten", "done", "{\"ok\":true}", 6 };
    assert_int_equal(journal_command_put(f.journal, &command), 0);
    assert_int_equal(journal_flush(f.journal, 5000), 0);
    assert_int_equal(journal_command_find(f.journal, "01ABC", &command), 1);
    assert_string_equal(command.state, "done");
    assert_string_equal(command.result, "{\"ok\":true}");
    teardown(&f);
}

static void values_survive_and_another_process_is_refused(void **ctx)
{
    struct fixture f;
    struct journal *second = NULL;
    struct flt_error error = { 0 };

    (void)ctx;
    setup(&f);
    assert_int_equal(journal_set_int(f.journal, "term", 1772366400), 0);
    assert_int_equal(journal_int(f.journal, "term"), 1772366400);
    reopen(&f);
    assert_int_equal(journal_int(f.journal, "term"), 1772366400);
    assert_false(journal_rebooted(f.journal));
    const struct journal_options options = { .dir = f.dir, .loop = f.loop };
    assert_int_equal(journal_open(&options, &error, &second), -EBUSY);
    assert_non_null(strstr(error.message, "another node"));
    teardown(&f);
}

static int collect(void *ctx, const struct order_intent *intent)
{
    uint32_t *last = ctx;

    assert_true(intent->id.sequence > *last);
    assert_int_equal(intent->price_ticks, (int64_t)intent->id.key * 3);
    *last = intent->id.sequence;
    return 0;
}

static void intents_are_found_by_bot_and_sequences_never_come_again(void **ctx)
{
    struct fixture f;
    uint32_t first = 0, last = 0;

    (void)ctx;
    setup(&f);
    for (uint32_t i = 0; i < 300; i++) { /* more than the ring holds */
        struct order_intent intent = { .id = { .owner = i % 2 ? 11 : 22, .epoch = 1, .key = i },
                                       .price_ticks = i * 3,
                                       .qty_lots = 1 };
        assert_int_equal(journal_intend(f.journal, &intent), 0);
        if (i == 0)
            first = intent.id.sequence;
        assert_int_equal(intent.id.sequence, first + i);
    }
    reopen(&f);
    assert_int_equal(journal_intents(f.journal, 11, collect, &last), 0);
    assert_int_equal(last, first + 299);
    struct order_intent next = { .id = { .owner = 11, .key = 1 }, .price_ticks = 3 };
    assert_int_equal(journal_intend(f.journal, &next), 0);
    assert_true(next.id.sequence > first + 299);
    last = 0;
    assert_int_equal(journal_intents(f.journal, 11, collect, &last), 0);
    assert_int_equal(last, next.id.sequence); /* also what came after the index was made */
    teardown(&f);
}

static void sequences_go_on_past_the_reserved_block(void **ctx)
{
    struct fixture f;
    uint32_t last = 0;

    (void)ctx;
    setup(&f);
    for (int i = 0; i < 40000; i++) {
        struct order_intent intent = { .id = { .owner = 1, .key = 1 } };
        int err = journal_intend(f.journal, &intent);

        if (err == -EAGAIN) { /* the next block is on its way to the disk */
            assert_int_equal(journal_flush(f.journal, 5000), 0);
            err = journal_intend(f.journal, &intent);
        }
        assert_int_equal(err, 0);
        assert_true(intent.id.sequence > last);
        last = intent.id.sequence;
    }
    teardown(&f);
}

/* A process writes as fast as it can and says what it was promised; then it is killed. */
static void child_writes(const char *dir, int out)
{
    struct fixture f;

    memset(&f, 0, sizeof f);
    (void)snprintf(f.dir, sizeof f.dir, "%s", dir);
    if (flt_loop_create(flt_clock_system(), &f.loop))
        _exit(1);
    open_journal(&f);
    for (;;) {
        struct order_intent intent = { .id = { .owner = 5, .key = 2 }, .price_ticks = 6 };
        if (journal_intend(f.journal, &intent))
            _exit(2);
        (void)append(&f, "a", "{\"n\":1}", "{\"state\":1}");
        if (intent.id.sequence % 16 == 0 && journal_flush(f.journal, 5000))
            _exit(3);
        const int64_t said[2] = { intent.id.sequence, f.seen.last };
        if (write(out, said, sizeof said) != sizeof said)
            _exit(4);
    }
}

static int last_one(void *ctx, const struct order_intent *intent)
{
    *(uint32_t *)ctx = intent->id.sequence;
    return 0;
}

static void what_was_promised_before_kill_9_is_there(void **ctx)
{
    struct fixture f;
    int64_t said[2] = { 0, 0 }, next[2];
    int pipes[2], status;
    uint32_t last = 0;

    (void)ctx;
    setup(&f);
    journal_close(f.journal);
    f.journal = NULL;
    assert_int_equal(pipe(pipes), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        child_writes(f.dir, pipes[1]);
    (void)close(pipes[1]);
    for (int i = 0; i < 500 && read(pipes[0], next, sizeof next) == sizeof next; i++)
        memcpy(said, next, sizeof said);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    while (read(pipes[0], next, sizeof next) == sizeof next)
        memcpy(said, next, sizeof said);
    (void)close(pipes[0]);
    assert_true(said[1] > 0);
    open_journal(&f);
    assert_true(journal_head(f.journal) >= said[1]);
    assert_int_equal(journal_intents(f.journal, 5, last_one, &last), 0);
    assert_true(last >= said[0]);
    struct order_intent intent = { .id = { .owner = 5, .key = 2 } };
    assert_int_equal(journal_intend(f.journal, &intent), 0);
    assert_true(intent.id.sequence > last);
    teardown(&f);
}

static void a_disk_that_refuses_stops_entries_and_loses_nothing(void **ctx)
{
    struct fixture f;
    struct rlimit old, none = { 4096, RLIM_INFINITY };
    char body[600];

    (void)ctx;
    setup(&f);
    memset(body, ' ', sizeof body);
    memcpy(body, "{\"x\":\"", 6);
    memcpy(body + sizeof body - 3, "\"}", 3);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    none.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    for (int i = 0; i < 50; i++)
        assert_true(append(&f, "a", body, NULL) > 0); /* fills wait in memory */
    assert_int_equal(journal_flush(f.journal, 300), -ETIMEDOUT);
    for (int i = 0; i < 100 && journal_entries_ok(f.journal); i++)
        (void)uv_run(flt_loop_uv(f.loop), UV_RUN_ONCE);
    assert_false(journal_entries_ok(f.journal));
    assert_false(f.seen.entries);
    struct order_intent entry = { .id = { .owner = 1 } };
    struct order_intent exit = { .id = { .owner = 1 }, .exit = true };
    assert_int_equal(journal_intend(f.journal, &entry), -ENOSPC);
    assert_int_equal(journal_intend(f.journal, &exit), 0);
    assert_int_equal(f.seen.last, 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(journal_flush(f.journal, 5000), 0);
    assert_int_equal(f.seen.last, 50);
    assert_true(journal_entries_ok(f.journal));
    teardown(&f);
}

static void a_damaged_ring_is_refused_and_left_alone(void **ctx)
{
    struct fixture f;
    struct flt_error error = { 0 };
    struct journal *journal = NULL;
    char path[96];

    (void)ctx;
    setup(&f);
    journal_close(f.journal);
    f.journal = NULL;
    (void)snprintf(path, sizeof path, "%s/intents.ring", f.dir);
    assert_int_equal(truncate(path, 5000), 0);
    const struct journal_options options = { .dir = f.dir, .loop = f.loop };
    assert_int_equal(journal_open(&options, &error, &journal), -EBADMSG);
    assert_non_null(strstr(error.message, "left untouched"));
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_numbered_without_gaps_and_told_after_the_commit),
        cmocka_unit_test(a_range_is_read_again_in_order),
        cmocka_unit_test(bots_keep_their_newest_snapshot_and_their_trades),
        cmocka_unit_test(a_command_is_found_before_and_after_its_commit),
        cmocka_unit_test(values_survive_and_another_process_is_refused),
        cmocka_unit_test(intents_are_found_by_bot_and_sequences_never_come_again),
        cmocka_unit_test(sequences_go_on_past_the_reserved_block),
        cmocka_unit_test(what_was_promised_before_kill_9_is_there),
        cmocka_unit_test(a_disk_that_refuses_stops_entries_and_loses_nothing),
        cmocka_unit_test(a_damaged_ring_is_refused_and_left_alone),
    };

    flt_log_set_level(FLT_LOG_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
