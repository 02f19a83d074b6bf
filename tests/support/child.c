#include "tests/support/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MS 90000

void child_start(struct child *child, const char *const *argv)
{
    int in[2], out[2];
    char *args[32];
    size_t count = 0;

    assert_int_equal(0, pipe(in));
    assert_int_equal(0, pipe(out));
    for (; argv[count]; count++) {
        assert_true(count + 1 < sizeof args / sizeof args[0]);
        args[count] = (char *)(uintptr_t)argv[count];
    }
    args[count] = NULL;
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashes leaves nothing behind */
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execvp(args[0], args);
        dprintf(2, "cannot start %s\n", args[0]);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    child->in = in[1];
    child->out = out[0];
}

void child_read_line(struct child *child, char *out, size_t size)
{
    size_t used = 0;

    while (used + 1 < size) {
        struct pollfd poller = { .fd = child->out, .events = POLLIN };
        if (poll(&poller, 1, LINE_MS) <= 0 || read(child->out, out + used, 1) != 1)
            fail_msg("child %d said nothing, or ended", (int)child->pid);
        if (out[used] == '\n')
            break;
        used++;
    }
    out[used] = '\0';
}

void child_end(struct child *child, int signal)
{
    if (child->pid <= 0)
        return;
    close(child->in);
    close(child->out);
    if (signal != 0)
        kill(child->pid, signal);
    waitpid(child->pid, NULL, 0);
    child->pid = 0;
}
