#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#define FLT_MOD "test_journal"
#include "engine/journal.h"
#include "lib/config.h"

#define SLOTS 64
#define WAIT_MS 20000
#define DAY_MS ((int64_t)24 * 3600 * 1000)

static char dir[64];
static struct flt_loop *loop;
static struct journal *journal;
static struct flt_sim_clock sim;

/* What the host was told, in order. */
static struct {
    int64_t numbers[20000];
    size_t count;
    int64_t head_at_after[8];
    size_t after_count;
    bool entries;
    unsigned storage_calls;
    char reason[64];
} told;

static void on_committed(void *ctx, const struct journal_record *records, size_t count)
{
    (void)ctx;
    for (size_t i = 0; i < count; i++) {
        assert_true(told.count < FLT_COUNT(told.numbers));
        assert_non_null(records[i].body);
        told.numbers[told.count++] = records[i].n;
    }
}

static void on_after(void *ctx)
{
    (void)ctx;
    told.head_at_after[told.after_count++] = told.count ? told.numbers[told.count - 1] : 0;
}

static void on_storage(void *ctx, bool entries, const char *reason)
{
    (void)ctx;
    told.entries = entries;
    told.storage_calls++;
    (void)snprintf(told.reason, sizeof told.reason, "%s", reason);
}

static int try_open(struct flt_error *error, struct journal **out)
{
    const struct journal_options options = {
        .dir = dir,
        .loop = loop,
        .intent_slots = SLOTS,
        .on_committed = on_committed,
        .on_storage = on_storage,
    };

    return journal_open(&options, error, out);
}

static void open_journal(void)
{
    struct flt_error error = { 0 };

    if (try_open(&error, &journal))
        fail_msg("%s", error.message);
}

static void reopen(void)
{
    journal_close(journal);
    journal = NULL;
    open_journal();
}

static void flush(void)
{
    assert_int_equal(journal_flush(journal, WAIT_MS), 0);
}

/* Callbacks come from the loop, which ends by itself once nothing of the journal is under way. */
static void run(void)
{
    assert_int_equal(flt_loop_run(loop), 0);
}

static int setup(void **ctx)
{
    (void)ctx;
    flt_log_set_level(FLT_LOG_OFF);
    memset(&told, 0, sizeof told);
    (void)snprintf(dir, sizeof dir, "/tmp/test_journal.XXXXXX");
    flt_sim_clock_init(&sim, INT64_C(1772366400000));
    return mkdtemp(dir) && flt_loop_create(&sim.base, &loop) == 0 ? 0 : -1;
}

static int teardown(void **ctx)
{
    static const char *const names[] = { "journal.db",      "journal.db-wal", "journal.db-shm",
                                         "journal.lock",    "intents.ring",   "reserve",
                                         "intents.ring.new" };
    char path[128];

    (void)ctx;
    journal_close(journal);
    journal = NULL;
    flt_loop_destroy(loop);
    for (size_t i = 0; i < FLT_COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    flt_log_set_level(FLT_LOG_INFO);
    return rmdir(dir);
}

static int64_t append(const char *bot, const char *body, const char *state)
{
    const struct journal_entry entry = { .bot = bot,
                                         .kind = body ? "order" : NULL,
                                         .body = body,
                                         .state = state,
                                         .ts_ms = sim.wall_now_ms };

    return journal_append(journal, &entry);
}

static struct fill fill_of(const char *trade_id, const char *order_id, int64_t ts_ms)
{
    struct fill fill = { .instrument = "BTC-USDT",
                         .price = { 641231, 1 },
                         .qty = { 1, 2 },
                         .fee_asset = "USDT",
                         .ts_ms = ts_ms };

    (void)snprintf(fill.trade_id, sizeof fill.trade_id, "%s", trade_id);
    (void)snprintf(fill.order_id, sizeof fill.order_id, "%s", order_id);
    return fill;
}

static int64_t append_fill(const char *bot, const char *trade_id, const char *order_id,
                           int64_t ts_ms)
{
    const struct fill fill = fill_of(trade_id, order_id, ts_ms);
    const struct journal_entry entry = { .bot = bot,
                                         .kind = "fill",
                                         .body = "{\"fill\":1}",
                                         .state = "{\"v\":1}",
                                         .ts_ms = sim.wall_now_ms,
                                         .account = "demo",
                                         .fill = &fill };

    return journal_append(journal, &entry);
}

/* Texts of what was read, each with a comma. */
struct texts {
    char text[4096];
};

static void add_text(struct texts *texts, const char *text)
{
    const size_t length = strlen(texts->text);

    (void)snprintf(texts->text + length, sizeof texts->text - length, "%s,", text);
}

static void on_record(void *ctx, const struct journal_record *record)
{
    char text[128];

    (void)snprintf(text, sizeof text, "%lld:%s:%s:%s", (long long)record->n, record->bot,
                   record->kind, record->body);
    add_text(ctx, text);
}

static int on_bot(void *ctx, const struct journal_bot *bot)
{
    char text[256];

    (void)snprintf(text, sizeof text, "%s:%s:%s:%s:%lld:%lld:%s", bot->name, bot->spec,
                   bot->desired, bot->how, (long long)bot->generation, (long long)bot->epoch,
                   bot->state ? bot->state : "none");
    add_text(ctx, text);
    return 0;
}

static void on_trade(void *ctx, const struct journal_trade *trade)
{
    char text[160];

    (void)snprintf(text, sizeof text, "%s/%s", trade->trade_id, trade->order_id);
    add_text(ctx, text);
}

/* Files cannot grow for a while: what a full disk looks like to SQLite, with an error of its own.
 */
static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static struct texts bots(void)
{
    struct texts texts = { "" };

    assert_int_equal(journal_bots(journal, on_bot, &texts), 0);
    return texts;
}

static struct texts trades(const char *bot, size_t limit)
{
    struct texts texts = { "" };

    assert_int_equal(journal_trades(journal, bot, limit, on_trade, &texts), 0);
    return texts;
}

static struct texts records(int64_t from, int64_t to, size_t limit)
{
    struct texts texts = { "" };

    assert_true(journal_read(journal, from, to, limit, on_record, &texts) >= 0);
    return texts;
}

/* --- stream --------------------------------------------------------------------------------------
 */

static void records_are_numbered_committed_and_told_in_order(void **ctx)
{
    (void)ctx;
    open_journal();
    journal_after(journal, on_after, NULL);
    for (int64_t n = 1; n <= 3000; n++) {
        assert_int_equal(append("grid-1", "{}", "{\"v\":1}"), n);
        if (n == 1000 || n == 1001)
            journal_after(journal, on_after, NULL);
    }
    assert_int_equal(journal_head(journal), 3000);
    assert_int_equal(told.count, 0); /* never inside the call */
    assert_int_equal(told.after_count, 0);
    run();
    assert_int_equal(journal_committed(journal), 3000);
    assert_int_equal(told.count, 3000);
    for (int64_t n = 1; n <= 3000; n++)
        assert_int_equal(told.numbers[n - 1], n);
    assert_int_equal(told.after_count, 3);
    assert_int_equal(told.head_at_after[0], 0);
    assert_int_equal(told.head_at_after[1], 1000);
    assert_int_equal(told.head_at_after[2], 1001);
}

static void a_flush_leaves_the_callbacks_to_the_loop(void **ctx)
{
    (void)ctx;
    open_journal();
    append("grid-1", "{}", NULL);
    flush();
    assert_int_equal(journal_committed(journal), 1);
    assert_int_equal(told.count, 0);
    run();
    assert_int_equal(told.count, 1);
}

static void a_snapshot_alone_takes_no_number(void **ctx)
{
    (void)ctx;
    open_journal();
    assert_int_equal(append("grid-1", NULL, "{\"a\":1}"), 0);
    assert_int_equal(append("grid-1", "{}", NULL), 1);
    run();
    assert_int_equal(told.count, 1);
}

static void ranges_are_read_as_asked_and_survive_a_reopening(void **ctx)
{
    char body[32];

    (void)ctx;
    open_journal();
    for (int i = 1; i <= 5; i++) {
        (void)snprintf(body, sizeof body, "{\"i\":%d}", i);
        append(i % 2 ? "a" : "b", body, NULL);
    }
    assert_string_equal(records(1, 100, 0).text, ""); /* nothing is committed as far as we know */
    flush();
    assert_string_equal(records(2, 3, 0).text, "2:b:order:{\"i\":2},3:a:order:{\"i\":3},");
    assert_string_equal(records(4, 100, 1).text, "4:b:order:{\"i\":4},");
    assert_string_equal(records(6, 9, 0).text, "");
    char stream[FLT_ULID_MAX], id[FLT_ULID_MAX];

    (void)snprintf(stream, sizeof stream, "%s", journal_stream(journal));
    (void)snprintf(id, sizeof id, "%s", journal_id(journal));
    reopen();
    assert_string_equal(journal_stream(journal), stream);
    assert_string_equal(journal_id(journal), id);
    assert_int_equal(journal_head(journal), 5);
    assert_int_equal(journal_committed(journal), 5);
    assert_int_equal(append("a", "{}", NULL), 6);
    flush();
    assert_string_equal(records(5, 6, 0).text, "5:a:order:{\"i\":5},6:a:order:{},");
}

static void a_new_stream_starts_at_one_after_the_old_one_was_told(void **ctx)
{
    char old[FLT_ULID_MAX];

    (void)ctx;
    open_journal();
    (void)snprintf(old, sizeof old, "%s", journal_stream(journal));
    append("a", "{}", NULL);
    append("a", "{}", NULL);
    assert_int_equal(journal_new_stream(journal), 0);
    assert_int_equal(told.count, 2);
    assert_string_not_equal(journal_stream(journal), old);
    assert_int_equal(journal_head(journal), 0);
    assert_int_equal(append("a", "{\"new\":1}", NULL), 1);
    reopen();
    assert_string_not_equal(journal_stream(journal), old);
    assert_int_equal(journal_head(journal), 1);
    assert_string_equal(records(0, 9, 0).text, "1:a:order:{\"new\":1},");
}

static void prune_takes_what_is_backed_up_and_old_and_keeps_the_head(void **ctx)
{
    (void)ctx;
    open_journal();
    for (int i = 0; i < 4; i++)
        append("a", "{}", NULL);
    flush();
    journal_prune(journal, 2, sim.wall_now_ms + 29 * DAY_MS); /* too young */
    flush();
    assert_string_equal(records(1, 1, 0).text, "1:a:order:{},");
    journal_prune(journal, 2, sim.wall_now_ms + 31 * DAY_MS);
    flush();
    assert_string_equal(records(1, 9, 0).text, "3:a:order:{},4:a:order:{},");
    journal_prune(journal, 4, sim.wall_now_ms + 31 * DAY_MS);
    reopen();
    assert_string_equal(records(1, 9, 0).text, "4:a:order:{},");
    assert_int_equal(append("a", "{}", NULL), 5);
}

static void a_bad_value_is_refused(void **ctx)
{
    struct fill fill = fill_of("1", "2", 3);
    struct journal_entry entry = {
        .bot = "a", .kind = "fill", .body = "{}", .account = "demo", .fill = &fill
    };

    (void)ctx;
    open_journal();
    fill.price = FLT_DEC_BAD;
    assert_int_equal(journal_append(journal, &entry), -EINVAL);
    fill.price = (struct flt_dec){ 1, 0 };
    entry.account = NULL;
    assert_int_equal(journal_append(journal, &entry), -EINVAL);
    entry.account = "demo";
    assert_int_equal(journal_append(journal, &entry), 1);
}

/* --- bots and trades -----------------------------------------------------------------------------
 */

static void a_bot_keeps_its_snapshot_through_a_new_spec_and_loses_it_when_removed(void **ctx)
{
    struct journal_bot bot = { .name = "grid-1",
                               .spec = "{}",
                               .generation = 3,
                               .epoch = 4,
                               .desired = "running",
                               .how = "cancel" };

    (void)ctx;
    open_journal();
    assert_int_equal(journal_bot_put(journal, &bot), 0);
    assert_string_equal(bots().text, "grid-1:{}:running:cancel:3:4:none,");
    assert_int_equal(journal_bot_state(journal, "grid-1", "{\"v\":1}"), 0);
    assert_int_equal(append("grid-1", "{}", "{\"v\":2}"), 1);
    bot.generation = 5;
    bot.desired = "paused";
    assert_int_equal(journal_bot_put(journal, &bot), 0);
    assert_string_equal(bots().text, "grid-1:{}:paused:cancel:5:4:{\"v\":2},");
    reopen();
    assert_string_equal(bots().text, "grid-1:{}:paused:cancel:5:4:{\"v\":2},");
    assert_int_equal(journal_bot_remove(journal, "grid-1"), 0);
    assert_string_equal(bots().text, "");
    assert_int_equal(journal_bot_put(journal, &bot), 0);
    assert_string_equal(bots().text, "grid-1:{}:paused:cancel:5:4:none,");
    assert_string_equal(records(1, 1, 0).text, "1:grid-1:order:{},"); /* its records stay */
}

static void the_newest_snapshot_of_a_batch_is_the_one_that_is_kept(void **ctx)
{
    struct journal_bot bot = { .name = "a", .spec = "{}", .desired = "running", .how = "cancel" };
    char state[32];

    (void)ctx;
    open_journal();
    assert_int_equal(journal_bot_put(journal, &bot), 0);
    (void)snprintf(bot.name, sizeof bot.name, "b");
    assert_int_equal(journal_bot_put(journal, &bot), 0);
    for (int i = 0; i < 500; i++) {
        (void)snprintf(state, sizeof state, "%d", i);
        append(i % 2 ? "a" : "b", i % 3 ? "{}" : NULL, state);
    }
    assert_string_equal(bots().text, "a:{}:running:cancel:0:0:499,b:{}:running:cancel:0:0:498,");
}

/* A callback may use the journal, as the host of a bot does while the bots are read. */
static int read_again(void *ctx, const struct journal_bot *bot)
{
    assert_string_not_equal(bots().text, "");
    (void)trades(bot->name, 9);
    return on_bot(ctx, bot) ? 0 : bot->name[0] == 'b' ? 7 : 0;
}

static int copy_state(void *ctx, const char *state)
{
    (void)snprintf(ctx, 32, "%s", state);
    return 0;
}

static const char *state_of(const char *bot)
{
    static char text[32];

    text[0] = '\0';
    assert_int_equal(journal_state(journal, bot, copy_state, text), 0);
    return text;
}

static void the_newest_snapshot_is_read_without_waiting_for_the_disk(void **ctx)
{
    (void)ctx;
    open_journal();
    assert_string_equal(state_of("a"), "");
    set_file_limit(1);
    assert_int_equal(journal_bot_state(journal, "a", "{\"v\":1}"), 0); /* goes out at once */
    assert_string_equal(state_of("a"), "{\"v\":1}");
    assert_int_equal(append("b", "{}", "{\"v\":2}"), 1);
    assert_string_equal(state_of("b"), "{\"v\":2}");
    assert_string_equal(state_of("a"), "{\"v\":1}");
    assert_int_equal(journal_bot_state(journal, "a", "{\"v\":3}"), 0);
    assert_string_equal(state_of("a"), "{\"v\":3}");
    set_file_limit(RLIM_INFINITY);
    flush();
    assert_string_equal(state_of("a"), "{\"v\":3}");
    assert_string_equal(state_of("b"), "{\"v\":2}");
    assert_int_equal(journal_bot_state(journal, "a", "{\"v\":4}"), 0);
    assert_int_equal(journal_bot_remove(journal, "a"), 0);
    assert_string_equal(state_of("a"), "");
    assert_int_equal(journal_bot_state(journal, "a", "{\"v\":5}"), 0);
    assert_string_equal(state_of("a"), "{\"v\":5}");
    reopen();
    assert_string_equal(state_of("a"), "{\"v\":5}");
    assert_string_equal(state_of("c"), "");
}

static void a_callback_may_read_the_same_and_its_answer_ends_the_read(void **ctx)
{
    struct journal_bot bot = { .name = "a", .spec = "{}", .desired = "running", .how = "cancel" };
    struct texts texts = { "" };

    (void)ctx;
    open_journal();
    for (char name = 'a'; name <= 'c'; name++) {
        bot.name[0] = name;
        assert_int_equal(journal_bot_put(journal, &bot), 0);
    }
    assert_int_equal(journal_bots(journal, read_again, &texts), 7);
    assert_string_equal(texts.text, "a:{}:running:cancel:0:0:none,b:{}:running:cancel:0:0:none,");
}

static void trades_come_newest_first_and_the_last_one_by_the_venues_time(void **ctx)
{
    char trade_id[ORDER_ID_MAX];
    int64_t ts_ms;

    (void)ctx;
    open_journal();
    append_fill("a", "1", "o1", 1000);
    append_fill("a", "3", "o1", 3000);
    append_fill("a", "2", "o1", 2000); /* late */
    append_fill("b", "3", "o2", 3000); /* the other side of 3 is ours too */
    assert_string_equal(trades("a", 9).text, "2/o1,3/o1,1/o1,");
    assert_string_equal(trades("a", 2).text, "2/o1,3/o1,");
    assert_string_equal(trades("b", 9).text, "3/o2,");
    assert_int_equal(journal_last_trade(journal, "demo", "BTC-USDT", trade_id, &ts_ms), 0);
    assert_string_equal(trade_id, "3");
    assert_int_equal(ts_ms, 3000);
    assert_int_equal(journal_last_trade(journal, "demo", "ETH-USDT", trade_id, &ts_ms), 0);
    assert_string_equal(trade_id, "");
    assert_int_equal(ts_ms, 0);
}

/* The engine drops it before; if not, it must not hold up everything behind it. */
static void a_trade_that_comes_again_does_not_stop_the_batch(void **ctx)
{
    (void)ctx;
    open_journal();
    assert_int_equal(append_fill("a", "1", "o1", 1000), 1);
    assert_int_equal(append_fill("a", "1", "o1", 1000), 2);
    flush();
    assert_string_equal(trades("a", 9).text, "1/o1,");
    assert_true(journal_entries_ok(journal));
}

/* --- commands, halts, accounts, values
 * ------------------------------------------------------------ */

static int find(const char *id, struct journal_command *out)
{
    return journal_command_find(journal, id, out);
}

static void a_command_is_found_while_it_is_queued_and_after(void **ctx)
{
    struct journal_command row = {
        .id = "01A", .op = "flatten", .state = "accepted", .ts_ms = sim.wall_now_ms
    };
    struct journal_command out;

    (void)ctx;
    open_journal();
    assert_int_equal(find("01A", &out), 0);
    for (int i = 0; i < 50; i++) /* so that the storage thread has something to do */
        append("a", "{}", NULL);
    assert_int_equal(journal_command_put(journal, &row), 0);
    row.state = "done";
    row.result = "{\"ok\":true}";
    assert_int_equal(find("01A", &out), 1);
    assert_string_equal(out.state, "accepted");
    assert_null(out.result);
    assert_int_equal(journal_command_put(journal, &row), 0);
    assert_int_equal(find("01A", &out), 1);
    assert_string_equal(out.state, "done");
    flush();
    run();
    assert_int_equal(find("01A", &out), 1);
    assert_string_equal(out.op, "flatten");
    assert_string_equal(out.state, "done");
    assert_string_equal(out.result, "{\"ok\":true}");
    reopen();
    assert_int_equal(find("01A", &out), 1);
    assert_int_equal(out.ts_ms, sim.wall_now_ms);
    assert_int_equal(find("01B", &out), 0);
    journal_commands_expire(journal, sim.wall_now_ms + DAY_MS);
    flush();
    assert_int_equal(find("01A", &out), 1);
    journal_commands_expire(journal, sim.wall_now_ms + DAY_MS + 1);
    flush();
    assert_int_equal(find("01A", &out), 0);
}

static int on_halt(void *ctx, const struct journal_halt *halt)
{
    char text[128];

    (void)snprintf(text, sizeof text, "%lld:%s:%s:%s:%s", (long long)halt->number, halt->scope,
                   halt->target, halt->how, halt->reason);
    add_text(ctx, text);
    return 0;
}

static int on_account(void *ctx, const struct journal_account *account)
{
    add_text(ctx, account->name);
    add_text(ctx, account->doc);
    return 0;
}

static void halts_accounts_and_values_survive(void **ctx)
{
    struct journal_halt halt = {
        .number = 1, .scope = "fleet", .target = "", .how = "pause", .reason = "drill", .ts_ms = 1
    };
    const struct journal_account account = { "demo", "{\"venue\":\"binance\"}" };
    struct texts halts = { "" }, accounts = { "" };

    (void)ctx;
    open_journal();
    assert_int_equal(journal_halt_put(journal, &halt), 0);
    halt.number = 2;
    halt.how = "none";
    assert_int_equal(journal_halt_put(journal, &halt), 0);
    halt = (struct journal_halt){ .number = 3, .scope = "bot", .target = "a", .how = "cancel" };
    assert_int_equal(journal_halt_put(journal, &halt), 0);
    assert_int_equal(journal_account_put(journal, &account), 0);
    assert_int_equal(journal_account_put(journal, &(struct journal_account){ "gone", "{}" }), 0);
    assert_int_equal(journal_account_remove(journal, "gone"), 0);
    assert_int_equal(journal_int(journal, "term"), 0);
    assert_int_equal(journal_set_int(journal, "term", 41), 0);
    assert_int_equal(journal_set_int(journal, "term", 42), 0);
    assert_int_equal(journal_int(journal, "term"), 42);
    reopen();
    assert_int_equal(journal_int(journal, "term"), 42);
    assert_int_equal(journal_halts(journal, on_halt, &halts), 0);
    assert_string_equal(halts.text, "2:fleet::none:drill,3:bot:a:cancel:,");
    assert_int_equal(journal_accounts(journal, on_account, &accounts), 0);
    assert_string_equal(accounts.text, "demo,{\"venue\":\"binance\"},");
}

/* --- intents -------------------------------------------------------------------------------------
 */

static struct order_intent intent_of(uint64_t owner, uint32_t key)
{
    return (struct order_intent){
        .id = { .owner = owner, .epoch = 0xabcdef, .key = key },
        .leg = 2,
        .side = SIDE_SELL,
        .type = ORDER_LIMIT,
        .tif = TIF_IOC,
        .post_only = true,
        .price_ticks = -5,
        .qty_lots = INT64_C(1) << 60,
        .ts_ms = 1772366400123,
    };
}

struct intents {
    struct order_intent rows[SLOTS * 2];
    size_t count;
};

static int on_intent(void *ctx, const struct order_intent *intent)
{
    struct intents *const intents = ctx;

    assert_true(intents->count < FLT_COUNT(intents->rows));
    intents->rows[intents->count++] = *intent;
    return 0;
}

static size_t intents_of(uint64_t owner, struct intents *out)
{
    out->count = 0;
    assert_int_equal(journal_intents(journal, owner, on_intent, out), 0);
    return out->count;
}

static void an_intent_comes_back_as_it_was_written(void **ctx)
{
    static struct intents intents;
    struct order_intent intent = intent_of((UINT64_C(1) << 40) - 1, 17);

    (void)ctx;
    open_journal();
    assert_int_equal(journal_intend(journal, &intent), 0);
    assert_true(intent.id.sequence > 0);
    reopen();
    assert_int_equal(intents_of(intent.id.owner, &intents), 1);
    const struct order_intent *const got = &intents.rows[0];

    assert_memory_equal(&got->id, &intent.id, sizeof intent.id);
    assert_int_equal(got->leg, 2);
    assert_int_equal(got->side, SIDE_SELL);
    assert_int_equal(got->type, ORDER_LIMIT);
    assert_int_equal(got->tif, TIF_IOC);
    assert_true(got->post_only && !got->reduce_only && !got->exit);
    assert_int_equal(got->price_ticks, -5);
    assert_int_equal(got->qty_lots, INT64_C(1) << 60);
    assert_int_equal(got->ts_ms, 1772366400123);
    assert_int_equal(intents_of(1, &intents), 0);
}

static void the_ring_keeps_the_newest_oldest_first(void **ctx)
{
    static struct intents intents;

    (void)ctx;
    open_journal();
    for (uint32_t i = 0; i < SLOTS * 3 + 5; i++) {
        struct order_intent intent = intent_of(1 + i % 2, i);

        assert_int_equal(journal_intend(journal, &intent), 0);
    }
    reopen();
    assert_int_equal(intents_of(1, &intents), SLOTS / 2);
    for (size_t i = 0; i < intents.count; i++)
        assert_int_equal(intents.rows[i].id.key, SLOTS * 2 + 6 + 2 * i);
}

static void intends(uint64_t owner, uint32_t key)
{
    struct order_intent intent = intent_of(owner, key);

    assert_int_equal(journal_intend(journal, &intent), 0);
}

/* The index by owner is made at the first read and takes in what came since at each further one. */
static void intents_are_found_by_owner_also_after_the_ring_went_round(void **ctx)
{
    static struct intents intents;

    (void)ctx;
    open_journal();
    assert_int_equal(intents_of(1, &intents), 0);
    intends(1, 1);
    intends(2, 2);
    assert_int_equal(intents_of(1, &intents), 1);
    intends(1, 3);
    assert_int_equal(intents_of(1, &intents), 2);
    assert_int_equal(intents.rows[0].id.key, 1);
    assert_int_equal(intents.rows[1].id.key, 3);
    for (uint32_t i = 0; i < SLOTS - 1; i++) /* overwrites the first two, and not the third */
        intends(3, 100 + i);
    assert_int_equal(intents_of(1, &intents), 1);
    assert_int_equal(intents.rows[0].id.key, 3);
    assert_int_equal(intents_of(2, &intents), 0);
    intends(2, 4);
    intends(2, 5);
    assert_int_equal(intents_of(1, &intents), 0);
    assert_int_equal(intents_of(2, &intents), 2);
    assert_int_equal(intents_of(3, &intents), SLOTS - 2);
    for (uint32_t i = 0; i < SLOTS * 3; i++) /* more owners than the ring has places */
        intends(1000 + i, i);
    assert_int_equal(intents_of(1000 + SLOTS * 2 - 1, &intents), 0);
    for (uint32_t i = SLOTS * 2; i < SLOTS * 3; i++) {
        assert_int_equal(intents_of(1000 + i, &intents), 1);
        assert_int_equal(intents.rows[0].id.key, i);
        intends(9, i);
        assert_int_equal(intents_of(1000 + i, &intents), 0); /* it was the oldest */
    }
    assert_int_equal(intents_of(9, &intents), SLOTS);
}

static int write_meanwhile(void *ctx, const struct order_intent *intent)
{
    assert_int_equal(intent->id.owner, 1);
    intends(1, 50);
    ++*(size_t *)ctx;
    return 0;
}

static void a_callback_may_intend_and_is_not_told_of_it(void **ctx)
{
    size_t count = 0;

    (void)ctx;
    open_journal();
    for (uint32_t i = 0; i < 5; i++)
        intends(1, i);
    assert_int_equal(journal_intents(journal, 1, write_meanwhile, &count), 0);
    assert_int_equal(count, 5);
}

static void sequences_rise_through_blocks_and_openings(void **ctx)
{
    uint32_t newest = 0;

    (void)ctx;
    for (int round = 0; round < 3; round++) {
        open_journal();
        for (int i = 0; i < 10000; i++) {
            struct order_intent intent = intent_of(1, 0);
            int err = journal_intend(journal, &intent);

            if (err == -EAGAIN) { /* the next block is on its way */
                flush();
                err = journal_intend(journal, &intent);
            }
            assert_int_equal(err, 0);
            assert_true(intent.id.sequence > newest);
            newest = intent.id.sequence;
        }
        journal_close(journal);
        journal = NULL;
    }
}

/* A disk from a backup: what ran after it used sequences that the backup does not know. */
static void sequences_start_above_what_a_restored_backup_could_hold(void **ctx)
{
    char path[128];
    struct order_intent before = intent_of(1, 0), after = intent_of(1, 0);

    (void)ctx;
    open_journal();
    assert_int_equal(journal_intend(journal, &before), 0);
    journal_close(journal);
    journal = NULL;
    (void)snprintf(path, sizeof path, "%s/journal.db", dir);
    assert_int_equal(unlink(path), 0);
    flt_sim_clock_advance(&sim, 3600 * 1000);
    open_journal();
    assert_int_equal(journal_intend(journal, &after), 0);
    assert_true(after.id.sequence >= before.id.sequence + 4 * 3600);
}

static void write_at(const char *name, off_t at, const char *bytes, size_t size)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    const int fd = open(path, O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, at), size);
    close(fd);
}

static void a_damaged_slot_is_skipped(void **ctx)
{
    static struct intents intents;

    (void)ctx;
    open_journal();
    for (uint32_t i = 0; i < 3; i++) {
        struct order_intent intent = intent_of(1, i);

        assert_int_equal(journal_intend(journal, &intent), 0);
    }
    journal_close(journal);
    journal = NULL;
    write_at("intents.ring", 4096 + 2 * 64 + 30, "x", 1); /* the second intent lies in slot 2 */
    open_journal();
    assert_int_equal(intents_of(1, &intents), 2);
    assert_int_equal(intents.rows[0].id.key, 0);
    assert_int_equal(intents.rows[1].id.key, 2);
}

/* --- what is refused
 * ------------------------------------------------------------------------------ */

static char *read_whole(const char *name, size_t *size)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return flt_file_read(path, (size_t)16 << 20, size);
}

static void refused_and_untouched(const char *name)
{
    struct flt_error error = { 0 };
    size_t before_size, after_size;
    char *const before = read_whole(name, &before_size);

    assert_int_equal(try_open(&error, &journal), -EBADMSG);
    assert_non_null(strstr(error.message, name));
    assert_non_null(strstr(error.message, "untouched"));
    char *const after = read_whole(name, &after_size);

    assert_non_null(before);
    assert_non_null(after);
    assert_int_equal(before_size, after_size);
    assert_memory_equal(before, after, after_size);
    free(before);
    free(after);
}

static void a_corrupt_database_is_left_untouched(void **ctx)
{
    (void)ctx;
    open_journal();
    journal_close(journal);
    journal = NULL;
    write_at("journal.db", 0, "not a database at all", 21);
    refused_and_untouched("journal.db");
}

static void a_corrupt_ring_is_left_untouched(void **ctx)
{
    (void)ctx;
    open_journal();
    journal_close(journal);
    journal = NULL;
    write_at("intents.ring", 9, "x", 1);
    refused_and_untouched("intents.ring");
}

static void a_cut_ring_is_left_untouched(void **ctx)
{
    char path[128];

    (void)ctx;
    open_journal();
    journal_close(journal);
    journal = NULL;
    (void)snprintf(path, sizeof path, "%s/intents.ring", dir);
    assert_int_equal(truncate(path, 4096 + 64), 0);
    refused_and_untouched("intents.ring");
}

static void a_second_opener_is_told_that_it_is_in_use(void **ctx)
{
    struct flt_error error = { 0 };
    struct journal *second = NULL;

    (void)ctx;
    open_journal();
    assert_int_equal(try_open(&error, &second), -EBUSY);
    assert_null(second);
    assert_non_null(strstr(error.message, "another program"));
    assert_int_equal(append("a", "{}", NULL), 1); /* the first goes on */
    flush();
}

static void a_ring_that_is_new_to_an_old_journal_counts_as_a_reboot(void **ctx)
{
    char path[128];

    (void)ctx;
    open_journal();
    assert_false(journal_rebooted(journal));
    reopen();
    assert_false(journal_rebooted(journal));
    journal_close(journal);
    (void)snprintf(path, sizeof path, "%s/intents.ring", dir);
    assert_int_equal(unlink(path), 0);
    open_journal();
    assert_true(journal_rebooted(journal));
}

/* --- full disk
 * ------------------------------------------------------------------------------------ */

/* Turns the loop until it has told the host `entries`. */
static void run_until_told(bool entries)
{
    while (told.storage_calls == 0 || told.entries != entries)
        uv_run(flt_loop_uv(loop), UV_RUN_ONCE);
}

static void a_full_disk_stops_entries_and_loses_nothing(void **ctx)
{
    struct order_intent entry = intent_of(1, 1), way_out = intent_of(1, 2);

    (void)ctx;
    open_journal();
    append("a", "{}", NULL);
    flush();
    run();
    set_file_limit(1);
    for (int64_t n = 2; n <= 5; n++)
        assert_int_equal(append_fill("a",
                                     n == 2   ? "2"
                                     : n == 3 ? "3"
                                     : n == 4 ? "4"
                                              : "5",
                                     "o", n),
                         n);
    run_until_told(false);
    assert_false(journal_entries_ok(journal));
    assert_int_equal(journal_committed(journal), 1);
    assert_int_equal(journal_intend(journal, &entry), -ENOSPC);
    way_out.exit = true;
    assert_int_equal(journal_intend(journal, &way_out), 0);
    assert_int_equal(journal_flush(journal, 1), -ETIMEDOUT);
    assert_int_equal(append("a", "{}", NULL), 6); /* fills still have room to wait */
    set_file_limit(RLIM_INFINITY);
    run();
    assert_true(told.entries);
    assert_int_equal(journal_intend(journal, &entry), 0);
    assert_int_equal(told.count, 6);
    for (int64_t n = 1; n <= 6; n++)
        assert_int_equal(told.numbers[n - 1], n);
    reopen();
    assert_string_equal(trades("a", 9).text, "5/o,4/o,3/o,2/o,");
    assert_int_equal(journal_head(journal), 6);
}

static void when_the_room_to_wait_ends_append_fails_and_no_number_is_lost(void **ctx)
{
    const size_t size = (size_t)1 << 20;
    char *const body = malloc(size);
    int64_t n, given = 0;

    (void)ctx;
    assert_non_null(body);
    memset(body, 'x', size - 1);
    body[size - 1] = '\0';
    open_journal();
    set_file_limit(1);
    while ((n = append("a", body, NULL)) > 0)
        given = n;
    free(body);
    assert_int_equal(n, -ENOSPC);
    assert_in_range(given, 16, 32);
    assert_int_equal(journal_head(journal), given);
    assert_false(journal_entries_ok(journal));
    set_file_limit(RLIM_INFINITY);
    run();
    assert_true(told.entries);
    assert_int_equal(journal_committed(journal), given);
    assert_int_equal(append("a", "{}", NULL), given + 1);
}

/* --- kill -9
 * -------------------------------------------------------------------------------------- */

/* What the child promised last, through a pipe: whatever it said must be there afterwards. */
struct promise {
    int64_t committed;
    uint32_t sequence, intents;
};

static int child_pipe;
static struct promise promise;

static void say_committed(void *ctx, const struct journal_record *rows, size_t count)
{
    (void)ctx;
    promise.committed = rows[count - 1].n;
    if (write(child_pipe, &promise, sizeof promise) != (ssize_t)sizeof promise)
        _exit(3);
}

static void child_works(uv_idle_t *idle)
{
    char trade_id[24];

    (void)idle;
    if (journal_head(journal) - journal_committed(journal) > 500)
        return; /* the disk is behind: without this the room to wait ends */
    for (int i = 0; i < 7; i++) {
        struct order_intent intent = intent_of(1, promise.intents);
        const int err = journal_intend(journal, &intent);

        if (err == 0) {
            promise.sequence = intent.id.sequence;
            promise.intents++;
        } else if (err != -EAGAIN)
            _exit(4);
    }
    (void)snprintf(trade_id, sizeof trade_id, "%lld", (long long)journal_head(journal) + 1);
    if (append_fill("a", trade_id, "o", 1) < 0)
        _exit(5);
}

static _Noreturn void be_the_child(int fd)
{
    struct journal_options options = { .dir = dir,
                                       .intent_slots = SLOTS,
                                       .on_committed = say_committed };
    uv_idle_t idle;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* it never outlives the test */
    child_pipe = fd;
    memset(&promise, 0, sizeof promise);
    if (flt_loop_create(&sim.base, &options.loop) || journal_open(&options, NULL, &journal))
        _exit(2);
    uv_idle_init(flt_loop_uv(options.loop), &idle);
    uv_idle_start(&idle, child_works);
    flt_loop_run(options.loop);
    _exit(1);
}

/* Runs the child until it has promised `count` times, kills it in the middle of its work, and gives
 * the last promise that was read. */
static struct promise run_and_kill(int count)
{
    struct promise last = { 0 }, got;
    int fds[2], status;

    assert_int_equal(pipe(fds), 0);
    const pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        be_the_child(fds[1]);
    }
    close(fds[1]);
    for (int i = 0; i < count; i++) {
        assert_int_equal(read(fds[0], &got, sizeof got), sizeof got);
        last = got;
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    while (read(fds[0], &got, sizeof got) == (ssize_t)sizeof got)
        last = got;
    close(fds[0]);
    return last;
}

static void nothing_promised_is_lost_by_kill_9(void **ctx)
{
    static struct intents intents;
    uint32_t newest_sequence = 0;
    int64_t newest = 0;

    (void)ctx;
    for (int round = 0; round < 6; round++) {
        const struct promise last = run_and_kill(3 + 7 * round);

        assert_true(last.committed > newest);
        assert_true(last.sequence > newest_sequence);
        open_journal();
        assert_true(journal_head(journal) >= last.committed);
        assert_int_equal(journal_read(journal, 1, journal_head(journal), 1000000, on_record,
                                      &(struct texts){ "" }),
                         journal_head(journal)); /* no gaps */
        assert_int_equal(intents_of(1, &intents), SLOTS);
        uint32_t highest = 0;

        for (size_t i = 0; i < intents.count; i++) {
            assert_true(intents.rows[i].id.sequence > highest);
            highest = intents.rows[i].id.sequence;
        }
        assert_true(highest >= last.sequence);
        struct order_intent next = intent_of(2, 0);

        assert_int_equal(journal_intend(journal, &next), 0);
        assert_true(next.id.sequence > highest);
        assert_string_equal(trades("a", 1).text[0] ? "some" : "none", "some");
        newest = journal_head(journal);
        newest_sequence = next.id.sequence;
        journal_close(journal);
        journal = NULL;
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_promised_is_lost_by_kill_9), /* first: it forks, and no thread is there yet */
        TEST(records_are_numbered_committed_and_told_in_order),
        TEST(a_flush_leaves_the_callbacks_to_the_loop),
        TEST(a_snapshot_alone_takes_no_number),
        TEST(ranges_are_read_as_asked_and_survive_a_reopening),
        TEST(a_new_stream_starts_at_one_after_the_old_one_was_told),
        TEST(prune_takes_what_is_backed_up_and_old_and_keeps_the_head),
        TEST(a_bad_value_is_refused),
        TEST(a_bot_keeps_its_snapshot_through_a_new_spec_and_loses_it_when_removed),
        TEST(the_newest_snapshot_of_a_batch_is_the_one_that_is_kept),
        TEST(the_newest_snapshot_is_read_without_waiting_for_the_disk),
        TEST(a_callback_may_read_the_same_and_its_answer_ends_the_read),
        TEST(trades_come_newest_first_and_the_last_one_by_the_venues_time),
        TEST(a_trade_that_comes_again_does_not_stop_the_batch),
        TEST(a_command_is_found_while_it_is_queued_and_after),
        TEST(halts_accounts_and_values_survive),
        TEST(an_intent_comes_back_as_it_was_written),
        TEST(the_ring_keeps_the_newest_oldest_first),
        TEST(intents_are_found_by_owner_also_after_the_ring_went_round),
        TEST(a_callback_may_intend_and_is_not_told_of_it),
        TEST(sequences_rise_through_blocks_and_openings),
        TEST(sequences_start_above_what_a_restored_backup_could_hold),
        TEST(a_damaged_slot_is_skipped),
        TEST(a_corrupt_database_is_left_untouched),
        TEST(a_corrupt_ring_is_left_untouched),
        TEST(a_cut_ring_is_left_untouched),
        TEST(a_second_opener_is_told_that_it_is_in_use),
        TEST(a_ring_that_is_new_to_an_old_journal_counts_as_a_reboot),
        TEST(a_full_disk_stops_entries_and_loses_nothing),
        TEST(when_the_room_to_wait_ends_append_fails_and_no_number_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
