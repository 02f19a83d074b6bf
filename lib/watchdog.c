#define FLT_MOD "watchdog"
#include "lib/watchdog.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "lib/fail.h"

struct flt_watchdog {
    int fd;
    struct flt_timer *timer; /* NULL: nobody waits for signs of life */
};

static void say(const struct flt_watchdog *watchdog, const char *words)
{
    /* A manager that does not read is no reason to wait. */
    (void)send(watchdog->fd, words, strlen(words), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void on_timer(void *ctx)
{
    say(ctx, "WATCHDOG=1");
}

/* "/run/systemd/notify", or "@name" in the abstract namespace. */
static int connect_manager(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const size_t length = strlen(path);
    int fd;

    if (length < 2 || length >= sizeof address.sun_path || (*path != '/' && *path != '@'))
        return -EINVAL;
    memcpy(address.sun_path, path, length);
    if (*path == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) == 0)
        return fd;
    const int err = -errno;

    close(fd);
    return err;
}

/* Half the time the manager waits; 0: it does not. Meant for another process: 0 too. */
static uint64_t period_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    const unsigned long long value = usec ? strtoull(usec, NULL, 10) : 0;

    if (pid && strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    return value / 2000;
}

int flt_watchdog_start(struct flt_loop *loop, struct flt_watchdog **out)
{
    const char *path = getenv("NOTIFY_SOCKET");
    const uint64_t period = period_ms();
    struct flt_watchdog *watchdog;
    int fd, err = 0;

    *out = NULL;
    if (!path || !*path)
        return 0;
    fd = connect_manager(path);
    if (fd < 0)
        return FLT_FAIL(fd, "socket=%s", path);
    watchdog = calloc(1, sizeof *watchdog);
    if (!watchdog) {
        close(fd);
        return -ENOMEM;
    }
    watchdog->fd = fd;
    if (period > 0)
        err = flt_timer_create(loop, on_timer, watchdog, &watchdog->timer);
    if (err) {
        close(fd);
        free(watchdog);
        return err;
    }
    if (watchdog->timer)
        flt_timer_start(watchdog->timer, period, period);
    say(watchdog, "READY=1");
    *out = watchdog;
    return 0;
}

void flt_watchdog_stop(struct flt_watchdog *watchdog)
{
    if (!watchdog)
        return;
    say(watchdog, "STOPPING=1");
    flt_timer_destroy(watchdog->timer);
    close(watchdog->fd);
    free(watchdog);
}
