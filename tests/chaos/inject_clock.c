/* Clocks and waits. Fleet time = base + (real - base) * factor, so a program that waits 5 s wakes
 * after 0.5 s at factor 10 and finds that 5 s have passed. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include "tests/chaos/inject.h"

#define SECOND_NS INT64_C(1000000000)
__extension__ typedef __int128 wide;

static int64_t real_ns(clockid_t id)
{
    struct timespec now;

    syscall(SYS_clock_gettime, id, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static int64_t scaled(const struct chaos_control *control, int64_t real)
{
    return (int64_t)((wide)real * control->factor_milli / 1000);
}

static int64_t unscaled(const struct chaos_control *control, int64_t fleet)
{
    return (int64_t)(((wide)fleet * 1000 + control->factor_milli - 1) / control->factor_milli);
}

static int64_t fleet_wall(const struct chaos_control *control)
{
    return control->wall_ns + control->step_ns +
           scaled(control, real_ns(CLOCK_REALTIME) - control->real_wall_ns);
}

static int64_t fleet_mono(const struct chaos_control *control)
{
    return control->mono_ns + scaled(control, real_ns(CLOCK_MONOTONIC) - control->real_mono_ns);
}

static struct timespec spec(int64_t ns)
{
    return (struct timespec){ ns / SECOND_NS, ns % SECOND_NS };
}

static int64_t ns_of(const struct timespec *time)
{
    return time->tv_sec * SECOND_NS + time->tv_nsec;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    const struct chaos_control *const control = chaos_control();

    if (!control)
        return (int)syscall(SYS_clock_gettime, id, out);
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        *out = spec(fleet_wall(control));
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *out = spec(fleet_mono(control));
        return 0;
    default:
        return (int)syscall(SYS_clock_gettime, id, out);
    }
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

/* --- waits --------------------------------------------------------------------------------------
 */

static int wait_epoll(int epoll, struct epoll_event *events, int max, int timeout_ms,
                      const sigset_t *mask)
{
    const struct chaos_control *const control = chaos_control();

    if (!control || timeout_ms <= 0)
        return (int)syscall(SYS_epoll_pwait, epoll, events, max, timeout_ms, mask, 8);
    const struct timespec wait = spec(unscaled(control, timeout_ms * INT64_C(1000000)));

    return (int)syscall(SYS_epoll_pwait2, epoll, events, max, &wait, mask, 8);
}

int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout_ms)
{
    return wait_epoll(epoll, events, max, timeout_ms, NULL);
}

int epoll_pwait(int epoll, struct epoll_event *events, int max, int timeout_ms,
                const sigset_t *mask)
{
    return wait_epoll(epoll, events, max, timeout_ms, mask);
}

static int wait_poll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                     const sigset_t *mask)
{
    const struct chaos_control *const control = chaos_control();
    struct timespec wait;

    if (timeout)
        wait = spec(control ? unscaled(control, ns_of(timeout)) : ns_of(timeout));
    return (int)syscall(SYS_ppoll, fds, count, timeout ? &wait : NULL, mask, 8);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    const struct timespec wait = spec(timeout_ms * INT64_C(1000000));

    return wait_poll(fds, count, timeout_ms < 0 ? NULL : &wait, NULL);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    return wait_poll(fds, count, timeout, mask);
}

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size)
{
    (void)size;
    return poll(fds, count, timeout_ms);
}

int select(int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
           struct timeval *restrict timeout)
{
    const struct chaos_control *const control = chaos_control();
    struct timespec wait;

    if (timeout) {
        const int64_t ns = timeout->tv_sec * SECOND_NS + timeout->tv_usec * 1000;
        wait = spec(control ? unscaled(control, ns) : ns);
    }
    return (int)syscall(SYS_pselect6, count, reads, writes, others, timeout ? &wait : NULL, NULL);
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *wanted, struct timespec *rest)
{
    const struct chaos_control *const control = chaos_control();
    struct timespec now;

    (void)rest;
    clock_gettime(id, &now);
    const int64_t ns = ns_of(wanted) - (flags & TIMER_ABSTIME ? ns_of(&now) : 0);
    const struct timespec wait = spec(ns <= 0 ? 0 : control ? unscaled(control, ns) : ns);

    return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &wait, NULL) == 0 ? 0 : errno;
}

int nanosleep(const struct timespec *wanted, struct timespec *rest)
{
    errno = clock_nanosleep(CLOCK_MONOTONIC, 0, wanted, rest);
    return errno ? -1 : 0;
}

int usleep(useconds_t us)
{
    const struct timespec wait = spec(us * INT64_C(1000));

    return nanosleep(&wait, NULL);
}

unsigned sleep(unsigned seconds)
{
    const struct timespec wait = spec(seconds * SECOND_NS);

    nanosleep(&wait, NULL);
    return 0;
}

/* A deadline in fleet time, as the real clock of the same kind will show it. A condition variable
 * does not say which clock it was made for; the numbers of the two lie decades apart. */
static struct timespec real_deadline(const struct chaos_control *control,
                                     const struct timespec *wanted)
{
    const bool is_wall = wanted->tv_sec > 1000000000;
    const int64_t left = ns_of(wanted) - (is_wall ? fleet_wall(control) : fleet_mono(control));

    return spec(real_ns(is_wall ? CLOCK_REALTIME : CLOCK_MONOTONIC) +
                (left > 0 ? unscaled(control, left) : 0));
}

typedef int cond_timedwait_fn(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
typedef int cond_clockwait_fn(pthread_cond_t *, pthread_mutex_t *, clockid_t,
                              const struct timespec *);

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict wanted)
{
    static cond_timedwait_fn *next;
    const struct chaos_control *const control = chaos_control();

    if (!next) { /* without its version dlsym finds the one of 1997 */
        void *found = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
        if (!found)
            found = chaos_next("pthread_cond_timedwait");
        *(void **)(&next) = found;
    }
    if (!control)
        return next(cond, mutex, wanted);
    const struct timespec deadline = real_deadline(control, wanted);

    return next(cond, mutex, &deadline);
}

int pthread_cond_clockwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           clockid_t id, const struct timespec *restrict wanted)
{
    static cond_clockwait_fn *next;
    const struct chaos_control *const control = chaos_control();

    if (!next)
        *(void **)(&next) = chaos_next("pthread_cond_clockwait");
    if (!control)
        return next(cond, mutex, id, wanted);
    const struct timespec deadline = real_deadline(control, wanted);

    return next(cond, mutex, id, &deadline);
}
