/* Pid files name one process for ever; children are started, restarted and stopped in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "controller/cli/cli.h"
#include "controller/cli/procs.h"
#include "lib/config.h"

struct rig {
    char dir[64];
    struct flt_loop *loop;
    struct procs *procs;
    unsigned starts, exits;
    pid_t pids[8];
    unsigned stop_at_start; /* procs_stop() when so many have started */
    bool stopped;
};

static void on_exit_of(void *ctx, size_t index, int wait_status)
{
    struct rig *rig = ctx;

    (void)index;
    (void)wait_status;
    rig->exits++;
}

static void on_start_of(void *ctx, size_t index, pid_t pid)
{
    struct rig *rig = ctx;

    (void)index;
    rig->pids[rig->starts++ % 8] = pid;
    if (rig->starts == rig->stop_at_start)
        procs_stop(rig->procs);
    else if (rig->starts == 2)
        kill(rig->pids[1], SIGKILL);
}

static void on_stopped(void *ctx)
{
    struct rig *rig = ctx;

    rig->stopped = true;
    flt_loop_stop(rig->loop);
}

static int setup(void **ctx)
{
    struct rig *rig = calloc(1, sizeof *rig);
    const struct procs_events events = { rig, on_exit_of, on_start_of, on_stopped };

    snprintf(rig->dir, sizeof rig->dir, "/tmp/flt-procs-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    assert_int_equal(flt_loop_create(flt_clock_system(), &rig->loop), 0);
    assert_int_equal(procs_create(rig->loop, rig->dir, rig->dir, &events, &rig->procs), 0);
    *ctx = rig;
    return 0;
}

static int teardown(void **ctx)
{
    struct rig *rig = *ctx;
    char command[96];

    procs_destroy(rig->procs);
    flt_loop_run(rig->loop);
    flt_loop_destroy(rig->loop);
    snprintf(command, sizeof command, "rm -r %s", rig->dir);
    assert_int_equal(system(command), 0);
    free(rig);
    return 0;
}

static void a_pid_file_names_its_process_and_no_later_one(void **ctx)
{
    const struct rig *rig = *ctx;
    char path[96];
    size_t size;
    const pid_t pid = fork();

    if (pid == 0) {
        pause();
        _exit(0);
    }
    assert_int_equal(pidfile_write(rig->dir, "child", pid), 0);
    assert_int_equal(pidfile_alive(rig->dir, "child"), pid);
    snprintf(path, sizeof path, "%s/child.pid", rig->dir);
    char *text = flt_file_read(path, 256, &size);

    assert_non_null(text);
    /* The same pid, started at another time: somebody else's. */
    char *ticks = strchr(text, ' ') + 1;

    ticks[0] = ticks[0] == '9' ? '1' : (char)(ticks[0] + 1);
    assert_int_equal(flt_file_write(path, text, size, 0600), 0);
    assert_int_equal(pidfile_alive(rig->dir, "child"), 0);
    free(text);
    assert_int_equal(pidfile_write(rig->dir, "child", pid), 0);
    kill(pid, SIGKILL);
    assert_true(pidfile_wait(pid, 5000));
    assert_int_equal(pidfile_alive(rig->dir, "child"), 0); /* a zombie is gone */
    waitpid(pid, NULL, 0);
}

static void a_child_that_is_killed_starts_again_and_stop_ends_all(void **ctx)
{
    struct rig *rig = *ctx;
    static const char *const argv[] = { "/bin/sleep", "1000", NULL };
    size_t first, second;

    rig->stop_at_start = 3;
    assert_int_equal(procs_add(rig->procs, "first", 0, argv, &first), 0);
    assert_int_equal(procs_add(rig->procs, "second", 1, argv, &second), 0);
    assert_int_equal(procs_start(rig->procs, first), 0);
    assert_int_equal(procs_start(rig->procs, second), 0);
    flt_loop_run(rig->loop);
    assert_true(rig->stopped);
    assert_int_equal(rig->starts, 3);
    assert_int_equal(rig->exits, 1);
    assert_int_equal(procs_exits(rig->procs, second), 1);
    assert_int_equal(pidfile_alive(rig->dir, "first"), 0);
    assert_int_equal(pidfile_alive(rig->dir, "second"), 0);
}

static void what_a_child_said_last_is_kept(void **ctx)
{
    struct rig *rig = *ctx;
    static const char *const argv[] = { "/bin/sh", "-c", "echo first; echo last words >&2; exit 7",
                                        NULL };
    size_t index;
    char line[64];

    rig->stop_at_start = 2; /* the restart */
    assert_int_equal(procs_add(rig->procs, "talker", 0, argv, &index), 0);
    assert_int_equal(procs_start(rig->procs, index), 0);
    flt_loop_run(rig->loop);
    assert_true(procs_exits(rig->procs, index) >= 1);
    assert_string_equal(procs_last_line(rig->procs, index, line, sizeof line), "last words");
}

static void durations_are_read_with_their_units(void **ctx)
{
    (void)ctx;
    assert_int_equal(cli_duration_ms("250ms"), 250);
    assert_int_equal(cli_duration_ms("30"), 30000);
    assert_int_equal(cli_duration_ms("30s"), 30000);
    assert_int_equal(cli_duration_ms("2m"), 120000);
    assert_int_equal(cli_duration_ms("1h"), 3600000);
    assert_int_equal(cli_duration_ms("7d"), 604800000);
    assert_int_equal(cli_duration_ms("-1s"), -1);
    assert_int_equal(cli_duration_ms("1y"), -1);
    assert_int_equal(cli_duration_ms("soon"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pid_file_names_its_process_and_no_later_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_child_that_is_killed_starts_again_and_stop_ends_all,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_child_said_last_is_kept, setup, teardown),
        cmocka_unit_test(durations_are_read_with_their_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
