/* The candle store: exact round trips, commits that survive a kill at any moment, damage named. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "backtest/store_file.h"
#include "lib/log.h"

#define MINUTE 60000
#define T0 INT64_C(1700000040000) /* a full minute */

static char root[64], path[128];
static const struct store_spec spec = { { "binance", "BTC-USDT", "1m" }, 2, 3 };

static int set_up(void **ctx)
{
    (void)ctx;
    flt_log_set_level(FLT_LOG_OFF);
    strcpy(root, "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(root));
    assert_int_equal(store_path(root, &spec.id, path, sizeof path, NULL), 0);
    return 0;
}

static int tear_down(void **ctx)
{
    char command[128];

    (void)ctx;
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

/* Every value follows from the slot. */
static struct store_candle candle(int64_t slot)
{
    const int64_t open = 6400000 + slot * 7 % 1000;

    return (struct store_candle){ T0 + slot * MINUTE, open, open + 50, open - 50, open + slot % 50,
                                  (double)slot / 1000 };
}

static void append(struct store_writer *writer, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++) {
        const struct store_candle c = candle(i);

        assert_int_equal(store_write_candle(writer, &c, STORE_NO_TRADES, NULL), 0);
    }
}

static struct store_writer *writer_open(void)
{
    struct store_writer *writer = NULL;
    struct flt_error error = { 0 };

    if (store_writer_open(path, &spec, &writer, &error) != 0)
        fail_msg("%s", error.message);
    return writer;
}

static void write_range(int64_t from, int64_t to)
{
    struct store_writer *const writer = writer_open();

    append(writer, from, to);
    assert_int_equal(store_writer_commit(writer, NULL), 0);
    store_writer_close(writer);
}

static struct store open_whole(void)
{
    struct store store;
    struct flt_error error = { 0 };

    if (store_open(path, &store, &error) != 0 || store_verify(&store, &error) != 0)
        fail_msg("%s", error.message);
    return store;
}

static void expect_slots(const struct store *store, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct store_candle c = candle((int64_t)i);

        assert_true(store_is_valid(store, i));
        assert_true(store_ts_ms(store, i) == c.ts_ms);
        assert_true(store->open[i] == c.open && store->high[i] == c.high);
        assert_true(store->low[i] == c.low && store->close[i] == c.close);
        assert_true(store->volume[i] == c.volume);
    }
}

static void what_was_appended_in_pieces_reads_back_exactly(void **ctx)
{
    static const int64_t ends[] = { 1, 2, 64, 100, 65535, 65536, 65537, 140000 };
    int64_t at = 0;

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(ends); at = ends[i++]) {
        write_range(at, ends[i]);
        struct store store = open_whole();

        assert_int_equal(store.count, ends[i]);
        assert_int_equal(store.valid_count, ends[i]);
        assert_int_equal(store.gap_count, 0);
        assert_true(store.last_ms == T0 + (ends[i] - 1) * MINUTE);
        expect_slots(&store, (size_t)at, (size_t)ends[i]);
        store_close(&store);
    }
}

static void equal_data_have_equal_hashes_however_they_came(void **ctx)
{
    char pieces[STORE_HASH_MAX], whole[STORE_HASH_MAX], more[STORE_HASH_MAX];
    struct store_writer *writer;

    (void)ctx;
    write_range(0, 50000);
    write_range(50000, 70000);
    struct store store = open_whole();

    store_hash(&store, pieces);
    store_close(&store);
    assert_int_equal(store_rewrite_begin(path, &spec, &writer, NULL), 0);
    append(writer, 0, 70000);
    assert_int_equal(store_writer_commit(writer, NULL), 0);
    store = open_whole();
    assert_string_equal(store_hash(&store, whole), pieces);
    store_close(&store);
    append(writer, 70000, 70001);
    assert_int_equal(store_writer_commit(writer, NULL), 0);
    store_writer_close(writer);
    store = open_whole();
    assert_string_not_equal(store_hash(&store, more), pieces);
    store_close(&store);
}

static void a_hole_is_flat_marked_and_has_its_reason(void **ctx)
{
    struct store_writer *const writer = writer_open();
    size_t first;

    (void)ctx;
    append(writer, 0, 10);
    append(writer, 13, 20);
    const struct store_candle c = candle(100000);

    assert_int_equal(store_write_candle(writer, &c, STORE_VENUE_DOWN, NULL), 0);
    store_write_leading_gap(writer, T0 - 5 * MINUTE, STORE_NOT_LISTED); /* too late: has gaps */
    assert_int_equal(store_writer_commit(writer, NULL), 0);
    store_writer_close(writer);
    struct store store = open_whole();

    assert_int_equal(store.gap_count, 2);
    assert_true(store.gaps[0].from_ms == T0 + 10 * MINUTE && store.gaps[0].slots == 3);
    assert_int_equal(store.gaps[0].reason, STORE_NO_TRADES);
    assert_true(store.gaps[1].from_ms == T0 + 20 * MINUTE && store.gaps[1].slots == 99980);
    assert_int_equal(store.gaps[1].reason, STORE_VENUE_DOWN);
    assert_int_equal(store.valid_count, 18);
    for (size_t i = 10; i < 13; i++) {
        assert_false(store_is_valid(&store, i));
        assert_true(store.open[i] == store.close[9] && store.low[i] == store.close[9]);
        assert_true(store.volume[i] == 0);
    }
    assert_int_equal(store_run(&store, 0, &first), 10);
    assert_int_equal(store_run(&store, 10, &first), 7);
    assert_int_equal(first, 13);
    assert_int_equal(store_run(&store, 20, &first), 1);
    assert_int_equal(first, 100000);
    store_close(&store);
}

static void a_listing_gap_lies_before_the_first_candle(void **ctx)
{
    struct store_writer *const writer = writer_open();

    (void)ctx;
    append(writer, 0, 3);
    store_write_leading_gap(writer, T0 - 5 * MINUTE, STORE_NOT_LISTED);
    append(writer, 3, 5);
    assert_int_equal(store_writer_commit(writer, NULL), 0);
    store_writer_close(writer);
    struct store store = open_whole();

    assert_int_equal(store.gap_count, 1);
    assert_int_equal(store.gaps[0].slots, 5);
    assert_int_equal(store.gaps[0].reason, STORE_NOT_LISTED);
    assert_int_equal(store.valid_count, 5);
    store_close(&store);
}

static void a_candle_is_visible_only_after_its_close(void **ctx)
{
    (void)ctx;
    write_range(0, 10);
    struct store store = open_whole();

    assert_int_equal(store_visible(&store, T0 - 1), 0);
    assert_int_equal(store_visible(&store, T0 + MINUTE - 1), 0);
    assert_int_equal(store_visible(&store, T0 + MINUTE), 1);
    assert_int_equal(store_visible(&store, T0 + 4 * MINUTE + 1), 4);
    assert_int_equal(store_visible(&store, INT64_MAX), 10);
    assert_int_equal(store_find(&store, T0 + 1), 1);
    assert_int_equal(store_find(&store, T0 + 2 * MINUTE), 2);
    assert_int_equal(store_find(&store, INT64_MAX / 2), 10);
    store_close(&store);
}

static void rows_out_of_order_or_off_the_grid_change_nothing(void **ctx)
{
    (void)ctx;
    write_range(0, 10);
    struct store_writer *writer = writer_open();
    struct store_candle c = candle(9);

    assert_int_equal(store_write_candle(writer, &c, STORE_UNKNOWN, NULL), -EINVAL);
    c.ts_ms += MINUTE + 1;
    assert_int_equal(store_write_candle(writer, &c, STORE_UNKNOWN, NULL), -EINVAL);
    c = candle(STORE_HOLE_MAX + 20);
    assert_int_equal(store_write_candle(writer, &c, STORE_UNKNOWN, NULL), -EINVAL);
    append(writer, 10, 70000); /* not committed */
    store_writer_close(writer);
    struct store store = open_whole();

    assert_int_equal(store.count, 10);
    store_close(&store);
}

static void one_writer_at_a_time_and_readers_all_along(void **ctx)
{
    struct store_writer *const writer = writer_open();
    struct store_writer *second = NULL;

    (void)ctx;
    assert_int_equal(store_writer_open(path, &spec, &second, NULL), -EBUSY);
    append(writer, 0, 100);
    assert_int_equal(store_writer_commit(writer, NULL), 0);
    struct store before = open_whole();

    append(writer, 100, 200);
    assert_int_equal(store_writer_commit(writer, NULL), 0);
    struct store after = open_whole();

    assert_int_equal(before.count, 100);
    assert_int_equal(after.count, 200);
    assert_int_equal(store_verify(&before, NULL), 0);
    expect_slots(&before, 0, 100);
    store_close(&before);
    store_close(&after);
    store_writer_close(writer);
}

static void a_finer_scale_is_refused_and_a_rewrite_keeps_old_readers(void **ctx)
{
    struct store_spec finer = spec;
    struct store_writer *writer = NULL;

    (void)ctx;
    write_range(0, 10);
    finer.price_scale = 4;
    assert_int_equal(store_writer_open(path, &finer, &writer, NULL), -ERANGE);
    struct store old = open_whole();

    assert_int_equal(store_rewrite_begin(path, &finer, &writer, NULL), 0);
    append(writer, 0, 5);
    assert_int_equal(store_writer_commit(writer, NULL), 0);
    append(writer, 5, 6);
    assert_int_equal(store_writer_commit(writer, NULL), 0);
    store_writer_close(writer);
    expect_slots(&old, 0, 10);
    store_close(&old);
    struct store store = open_whole();

    assert_int_equal(store.price_scale, 4);
    assert_int_equal(store.count, 6);
    store_close(&store);
}

static void a_rewrite_that_is_given_up_leaves_the_old_store(void **ctx)
{
    struct store_writer *writer = NULL;

    (void)ctx;
    write_range(0, 10);
    assert_int_equal(store_rewrite_begin(path, &spec, &writer, NULL), 0);
    append(writer, 0, 5);
    store_writer_close(writer);
    struct store store = open_whole();

    assert_int_equal(store.count, 10);
    store_close(&store);
}

/* --- crashes -------------------------------------------------------------------------------------
 */

static void append_for_ever(int ready)
{
    struct store_writer *const writer = writer_open();

    for (int64_t i = (int64_t)store_writer_count(writer);; i += 997) {
        append(writer, i, i + 997);
        if (store_writer_commit(writer, NULL) != 0 || write(ready, "c", 1) != 1)
            _exit(1);
    }
}

/* Waits for so many commits of the child, lets it go on for a while, then kills it. */
static size_t kill_after(int commits, useconds_t pause_us)
{
    int fds[2];
    char byte;

    assert_int_equal(pipe(fds), 0);
    const pid_t child = fork();

    if (child == 0) {
        close(fds[0]);
        append_for_ever(fds[1]);
    }
    close(fds[1]);
    for (int i = 0; i < commits; i++)
        assert_int_equal(read(fds[0], &byte, 1), 1);
    usleep(pause_us);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    size_t more = 0;

    while (read(fds[0], &byte, 1) == 1)
        more++;
    close(fds[0]);
    return (size_t)commits + more;
}

static void a_kill_at_any_moment_loses_nothing_committed(void **ctx)
{
    size_t count = 0;

    (void)ctx;
    for (unsigned round = 0; round < 12; round++) {
        const size_t told = kill_after(3, round * 1300 % 7000);
        struct store store = open_whole();

        assert_true(store.count % 997 == 0);
        assert_true(store.count >= count + told * 997);
        assert_true(store.count <= count + (told + 1) * 997);
        expect_slots(&store, count, store.count);
        count = store.count;
        store_close(&store);
    }
}

static void overwrite(const char *file, off_t at, const void *data, size_t size)
{
    char name[160];

    snprintf(name, sizeof name, "%s/%s", path, file);
    const int fd = open(name, O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    if (at < 0)
        at = lseek(fd, 0, SEEK_END);
    assert_int_equal(pwrite(fd, data, size, at), size);
    close(fd);
}

static void a_torn_append_is_cut_and_written_anew(void **ctx)
{
    static const char rubbish[3001] = "what a dying writer left behind the last commit";
    static const char *const files[] = { "open", "high", "low", "close", "volume", "sums", "gaps" };

    (void)ctx;
    write_range(0, 65540);
    for (size_t i = 0; i < FLT_COUNT(files); i++)
        overwrite(files[i], -1, rubbish, sizeof rubbish - i);
    overwrite("valid", 65536 / 8, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    struct store store = open_whole();

    assert_int_equal(store.count, 65540);
    store_close(&store);
    write_range(65540, 131080);
    store = open_whole();
    assert_int_equal(store.count, 131080);
    assert_int_equal(store.gap_count, 0);
    expect_slots(&store, 65500, 131080);
    store_close(&store);
}

static void a_torn_head_falls_back_to_the_commit_before(void **ctx)
{
    struct store store;
    int slot = 0;

    (void)ctx;
    write_range(0, 10);  /* generation 1 */
    write_range(10, 20); /* generation 2: slot 0 */
    overwrite("head", 20, "\x7f", 1);
    store = open_whole();
    assert_int_equal(store.count, 10);
    store_close(&store);
    write_range(10, 30);
    store = open_whole();
    assert_int_equal(store.count, 30);
    expect_slots(&store, 0, 30);
    store_close(&store);
    for (; slot < 2; slot++)
        overwrite("head", slot * STORE_SLOT_STRIDE + 100, "\x7f\x7f", 2);
    assert_int_equal(store_open(path, &store, NULL), -EBADMSG);
    struct store_writer *writer = NULL;

    assert_int_equal(store_writer_open(path, &spec, &writer, NULL), -EBADMSG);
    char name[160];
    struct stat stat_;

    snprintf(name, sizeof name, "%s/close", path); /* a refused opening removes nothing */
    assert_int_equal(stat(name, &stat_), 0);
}

static void a_changed_bit_is_named_with_file_block_and_time(void **ctx)
{
    struct flt_error error = { 0 };
    struct store_writer *writer = NULL;
    struct store store;

    (void)ctx;
    write_range(0, 70000);
    overwrite("low", 65536 * 8 + 16, "\x01", 1);
    assert_int_equal(store_open(path, &store, NULL), 0);
    assert_int_equal(store_verify(&store, &error), -EBADMSG);
    assert_non_null(strstr(error.message, "/low: the checksum of block 1 is wrong"));
    assert_non_null(strstr(error.message, "rows 65536 to 69999, from 2023-12-"));
    store_close(&store);
    assert_int_equal(store_writer_open(path, &spec, &writer, NULL), -EBADMSG);
}

static void a_file_that_lost_its_end_is_not_mapped(void **ctx)
{
    struct flt_error error = { 0 };
    struct store store;
    char name[160];

    (void)ctx;
    write_range(0, 1000);
    snprintf(name, sizeof name, "%s/high", path);
    assert_int_equal(truncate(name, 7999), 0);
    assert_int_equal(store_open(path, &store, &error), -EBADMSG);
    assert_non_null(strstr(error.message, "/high: the file is cut short"));
}

static void trades_and_quotes_have_columns_of_their_own(void **ctx)
{
    const struct store_spec trades = { { "binance", "BTC-USDT", "trades" }, 2, 5 };
    struct store_writer *writer = NULL;
    struct store store;

    (void)ctx;
    assert_int_equal(store_path(root, &trades.id, path, sizeof path, NULL), 0);
    assert_int_equal(store_writer_open(path, &trades, &writer, NULL), 0);
    for (int64_t i = 0; i < 70000; i++)
        assert_int_equal(
            store_write_trade(writer, T0 + i / 3, 6400000 + i, i + 1, i % 2 == 0, NULL), 0);
    assert_int_equal(store_write_trade(writer, T0, 1, 1, true, NULL), -EINVAL);
    assert_int_equal(store_writer_commit(writer, NULL), 0);
    store_writer_close(writer);
    store = open_whole();
    assert_int_equal(store.kind, STORE_TRADES);
    assert_int_equal(store.count, 70000);
    for (size_t i = 0; i < store.count; i++)
        assert_true(store.ts_ms[i] == T0 + (int64_t)i / 3 &&
                    store.price[i] == 6400000 + (int64_t)i && store.qty[i] == (int64_t)i + 1 &&
                    store.buyer_maker[i] == (i % 2 == 0));
    assert_int_equal(store_find(&store, T0 + 7), 21);
    store_close(&store);
}

static int count_one(void *ctx, const char *folder)
{
    (void)folder;
    ++*(int *)ctx;
    return 0;
}

static void words_that_would_leave_the_folder_are_refused(void **ctx)
{
    struct store_id id;
    int count = 0;

    (void)ctx;
    assert_int_equal(store_id_set(&id, "binance", "BTC-USDT", "1m", NULL), 0);
    assert_int_equal(store_id_set(&id, "..", "BTC-USDT", "1m", NULL), -EINVAL);
    assert_int_equal(store_id_set(&id, "a/b", "BTC-USDT", "1m", NULL), -EINVAL);
    assert_int_equal(store_id_set(&id, "binance", "", "1m", NULL), -EINVAL);
    assert_int_equal(store_id_set(&id, "binance", "BTC-USDT", "7m", NULL), -EINVAL);
    write_range(0, 3);
    assert_int_equal(store_each(root, count_one, &count), 0);
    assert_int_equal(count, 1);
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(what_was_appended_in_pieces_reads_back_exactly),
        ROW(equal_data_have_equal_hashes_however_they_came),
        ROW(a_hole_is_flat_marked_and_has_its_reason),
        ROW(a_listing_gap_lies_before_the_first_candle),
        ROW(a_candle_is_visible_only_after_its_close),
        ROW(rows_out_of_order_or_off_the_grid_change_nothing),
        ROW(one_writer_at_a_time_and_readers_all_along),
        ROW(a_finer_scale_is_refused_and_a_rewrite_keeps_old_readers),
        ROW(a_rewrite_that_is_given_up_leaves_the_old_store),
        ROW(a_kill_at_any_moment_loses_nothing_committed),
        ROW(a_torn_append_is_cut_and_written_anew),
        ROW(a_torn_head_falls_back_to_the_commit_before),
        ROW(a_changed_bit_is_named_with_file_block_and_time),
        ROW(a_file_that_lost_its_end_is_not_mapped),
        ROW(trades_and_quotes_have_columns_of_their_own),
        ROW(words_that_would_leave_the_folder_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
