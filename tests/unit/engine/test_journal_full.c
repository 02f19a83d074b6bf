/* A disk that is really full: a small tmpfs (needs the right to mount; else the test is skipped).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include <cmocka.h>
#include "engine/journal.h"
#include "lib/log.h"

enum { WAIT_MS = 60000 };

static char dir[64];
static struct flt_loop *loop;
static struct journal *journal;
static bool entries = true;

static void on_storage(void *ctx, bool ok, const char *reason)
{
    (void)ctx;
    (void)reason;
    entries = ok;
}

static void path_of(const char *name, char out[128])
{
    (void)snprintf(out, 128, "%s/%s", dir, name);
}

/* Writes until nothing fits any more. */
static void fill_disk(void)
{
    static char block[65536];
    char path[128];

    path_of("filler", path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    while (write(fd, block, sizeof block) > 0)
        ;
    while (write(fd, block, 1) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static void append_fills(int from, int to)
{
    for (int i = from; i <= to; i++) {
        struct fill fill = { .side = SIDE_BUY, .price = { 100, 0 }, .qty = { 1, 0 }, .ts_ms = i };
        const struct journal_entry entry = { .bot = "a",
                                             .kind = "fill",
                                             .body = "{\"k\":1}",
                                             .ts_ms = i,
                                             .account = "demo",
                                             .fill = &fill };

        (void)snprintf(fill.instrument, sizeof fill.instrument, "BTC-USDT");
        (void)snprintf(fill.trade_id, sizeof fill.trade_id, "%d", i);
        (void)snprintf(fill.order_id, sizeof fill.order_id, "o");
        assert_int_equal(journal_append(journal, &entry), i);
    }
}

static void on_tick(void *ctx)
{
    (*(int *)ctx)++;
}

/* The other thread looks at the disk each 5 s; the timer keeps the loop alive until it has. */
static void wait_until(bool wanted)
{
    struct flt_timer *timer;
    int ticks = 0;

    assert_int_equal(flt_timer_create(loop, on_tick, &ticks, &timer), 0);
    flt_timer_start(timer, 20, 20);
    while (entries != wanted && ticks < 4500)
        uv_run(flt_loop_uv(loop), UV_RUN_ONCE);
    flt_timer_destroy(timer);
    assert_int_equal(entries, wanted);
}

static void fills_of_a_full_disk_go_into_the_reserve(void **ctx)
{
    struct order_intent entry = { .id = { .owner = 1, .epoch = 1, .key = 1 }, .qty_lots = 1 };
    struct flt_error error = { 0 };
    char path[128];

    (void)ctx;
    if (mount("none", dir, "tmpfs", 0, "size=80m") != 0)
        skip();
    const struct journal_options options = { .dir = dir, .loop = loop, .on_storage = on_storage };

    assert_int_equal(journal_open(&options, &error, &journal), 0);
    append_fills(1, 10);
    assert_int_equal(journal_flush(journal, WAIT_MS), 0);
    assert_true(journal_entries_ok(journal));
    path_of("reserve", path);
    assert_int_equal(access(path, F_OK), 0);
    fill_disk();
    append_fills(11, 3000); /* more than what lies free inside the database's files */
    assert_int_equal(journal_flush(journal, WAIT_MS), 0);
    assert_int_equal(journal_committed(journal), 3000);
    assert_int_not_equal(access(path, F_OK), 0); /* given up */
    wait_until(false);
    assert_int_equal(journal_intend(journal, &entry), -ENOSPC);
    entry.exit = true;
    assert_int_equal(journal_intend(journal, &entry), 0);
    path_of("filler", path);
    assert_int_equal(unlink(path), 0);
    wait_until(true);
    path_of("reserve", path);
    assert_int_equal(access(path, F_OK), 0); /* made again before entries go on */
}

static int setup(void **ctx)
{
    (void)ctx;
    flt_log_set_level(FLT_LOG_OFF);
    if (unshare(CLONE_NEWNS) == 0) /* the mount ends with this process, however that ends */
        (void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    (void)snprintf(dir, sizeof dir, "/tmp/flotilla-full-XXXXXX");
    return mkdtemp(dir) && flt_loop_create(flt_clock_system(), &loop) == 0 ? 0 : -1;
}

static int teardown(void **ctx)
{
    (void)ctx;
    journal_close(journal);
    flt_loop_destroy(loop);
    (void)umount(dir);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fills_of_a_full_disk_go_into_the_reserve, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
