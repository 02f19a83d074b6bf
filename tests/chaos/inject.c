/* The control block, the dice, and the calls that fail, come short or late. */
#include "tests/chaos/inject.h"
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 65536
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static struct chaos_control *shared;
static uint64_t dice;
static unsigned char kinds[FDS_MAX]; /* of a descriptor: 0 not looked at, else enum kind */

enum kind { KIND_UNKNOWN, KIND_STREAM, KIND_OTHER };

struct chaos_control *chaos_control(void)
{
    return shared;
}

void *chaos_next(const char *name)
{
    void *const found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    return found;
}

/* splitmix64 over a counter: the n-th throw of a process is the same each time. */
uint64_t chaos_random(void)
{
    uint64_t z = __atomic_add_fetch(&dice, UINT64_C(0x9e3779b97f4a7c15), __ATOMIC_RELAXED);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

bool chaos_roll(int64_t ppm)
{
    return ppm > 0 && (int64_t)(chaos_random() % 1000000) < ppm;
}

void chaos_count(int64_t *counter)
{
    __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

void chaos_sleep_us(int64_t us)
{
    const struct timespec wait = { us / 1000000, us % 1000000 * 1000 };

    if (us > 0)
        syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &wait, NULL);
}

/* Programs that hold keys leave no core; where one died is said in its log. */
static void on_crash(int number)
{
    void *frames[48];

    backtrace_symbols_fd(frames, backtrace(frames, 48), STDERR_FILENO);
    signal(number, SIG_DFL);
    raise(number);
}

__attribute__((constructor)) static void start(void)
{
    const char *const path = getenv("CHAOS_CONTROL");
    const int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    struct chaos_control *const control = (struct chaos_control *)syscall(
        SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    syscall(SYS_close, fd);
    if (control == MAP_FAILED || control->magic != CHAOS_MAGIC)
        abort();
    dice = (uint64_t)control->seed;
    shared = control;
    signal(SIGSEGV, on_crash);
    signal(SIGABRT, on_crash);
    signal(SIGBUS, on_crash);
    chaos_file_start();
}

/* --- sockets ------------------------------------------------------------------------------------
 */

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;

    if (!shared || fd < 0 || fd >= FDS_MAX)
        return false;
    if (kinds[fd] == KIND_UNKNOWN)
        kinds[fd] = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM
                        ? KIND_STREAM
                        : KIND_OTHER;
    return kinds[fd] == KIND_STREAM;
}

/* How many of `size` bytes go out; -1 with errno: the connection is cut under the caller's hands.
 */
static ssize_t allow(int fd, size_t size)
{
    if (!is_stream(fd))
        return (ssize_t)size;
    while (chaos_dead)
        chaos_sleep_us(1000000);
    chaos_sleep_us(shared->net_late_us);
    if (chaos_roll(shared->net_fail_ppm)) {
        chaos_count(&shared->net_failed);
        shutdown(fd, SHUT_RDWR);
        errno = EPIPE;
        return -1;
    }
    if (size > 1 && chaos_roll(shared->net_short_ppm)) {
        chaos_count(&shared->net_short);
        return (ssize_t)(1 + chaos_random() % (size - 1));
    }
    return (ssize_t)size;
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    const ssize_t part = allow(fd, size);

    return part < 0 ? -1 : syscall(SYS_sendto, fd, data, (size_t)part, flags, NULL, 0);
}

/* The list up to `part` bytes, in `out`. */
static int cut(const struct iovec *list, int count, size_t part, struct iovec out[16])
{
    int used = 0;

    for (int i = 0; i < count && i < 16 && part > 0; i++) {
        out[used] = list[i];
        if (out[used].iov_len > part)
            out[used].iov_len = part;
        part -= out[used++].iov_len;
    }
    return used;
}

static size_t total(const struct iovec *list, int count)
{
    size_t size = 0;

    for (int i = 0; i < count; i++)
        size += list[i].iov_len;
    return size;
}

ssize_t writev(int fd, const struct iovec *list, int count)
{
    const size_t size = total(list, count);
    const ssize_t part = allow(fd, size);
    struct iovec some[16];

    if (part < 0)
        return -1;
    if ((size_t)part == size)
        return syscall(SYS_writev, fd, list, count);
    return syscall(SYS_writev, fd, some, cut(list, count, (size_t)part, some));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    const size_t size = total(message->msg_iov, (int)message->msg_iovlen);
    const ssize_t part = message->msg_controllen ? (ssize_t)size : allow(fd, size);
    struct msghdr less = *message;
    struct iovec some[16];

    if (part < 0)
        return -1;
    if ((size_t)part == size)
        return syscall(SYS_sendmsg, fd, message, flags);
    less.msg_iov = some;
    less.msg_iovlen = (size_t)cut(message->msg_iov, (int)message->msg_iovlen, (size_t)part, some);
    return syscall(SYS_sendmsg, fd, &less, flags);
}

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    if (is_stream(fd)) {
        chaos_sleep_us(shared->connect_late_us);
        if (chaos_roll(shared->connect_fail_ppm)) {
            chaos_count(&shared->connect_failed);
            errno = ECONNREFUSED;
            return -1;
        }
    }
    return (int)syscall(SYS_connect, fd, address.__sockaddr__, size);
}

/* --- files --------------------------------------------------------------------------------------
 */

/* A file with the boot id that this machine shows. */
static int open_boot_id(void)
{
    char text[64];
    const int fd = (int)syscall(SYS_memfd_create, "boot_id", 0);
    const int size = snprintf(text, sizeof text, "c4a05000-0000-4000-8000-%012llx\n",
                              (unsigned long long)shared->boot);

    if (fd < 0)
        return -1;
    syscall(SYS_write, fd, text, (size_t)size);
    syscall(SYS_lseek, fd, 0, SEEK_SET);
    return fd;
}

static int open_file(int dir, const char *path, int flags, mode_t mode)
{
    if (shared && strcmp(path, BOOT_ID) == 0)
        return open_boot_id();
    const int fd = (int)syscall(SYS_openat, dir, path, flags, mode);

    if (shared && fd >= 0 && fd < FDS_MAX)
        kinds[fd] = KIND_UNKNOWN;
    if (shared && fd >= 0 && (flags & O_ACCMODE) != O_RDONLY)
        chaos_file_opened(fd, path);
    return fd;
}

#define TAKE_MODE(flags, mode)                                                                     \
    do {                                                                                           \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        if ((flags) & (O_CREAT | __O_TMPFILE))                                                     \
            (mode) = va_arg(args, mode_t);                                                         \
        va_end(args);                                                                              \
    } while (0)

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    TAKE_MODE(flags, mode);
    return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;

    TAKE_MODE(flags, mode);
    return open_file(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;

    TAKE_MODE(flags, mode);
    return open_file(dir, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open_file(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_file(AT_FDCWD, path, flags, 0);
}

int openat64(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;

    TAKE_MODE(flags, mode);
    return open_file(dir, path, flags, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    static FILE *(*next)(const char *, const char *);

    if (shared && strcmp(path, BOOT_ID) == 0) {
        const int fd = open_boot_id();
        return fd < 0 ? NULL : fdopen(fd, "r");
    }
    if (!next)
        *(void **)(&next) = chaos_next("fopen64");
    return next(path, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    return fopen64(path, mode);
}

int close(int fd)
{
    if (shared && fd >= 0 && fd < FDS_MAX)
        kinds[fd] = KIND_UNKNOWN;
    if (shared)
        chaos_file_closed(fd);
    return (int)syscall(SYS_close, fd);
}

static bool is_full(int fd, off_t end)
{
    if (!shared || !chaos_file_is_full(fd, end))
        return false;
    chaos_count(&shared->full);
    errno = ENOSPC;
    return true;
}

ssize_t write(int fd, const void *data, size_t size)
{
    if (shared && chaos_file_is_ours(fd)) {
        const off_t at = lseek(fd, 0, SEEK_CUR);
        if (is_full(fd, at + (off_t)size))
            return -1;
        chaos_file_before_write(fd, at, size);
        return syscall(SYS_write, fd, data, size);
    }
    const ssize_t part = allow(fd, size);

    return part < 0 ? -1 : syscall(SYS_write, fd, data, (size_t)part);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    if (is_full(fd, offset + (off_t)size))
        return -1;
    chaos_file_before_write(fd, offset, size);
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite(fd, data, size, offset);
}

int ftruncate(int fd, off_t size)
{
    if (is_full(fd, size))
        return -1;
    chaos_file_before_cut(fd, size);
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    if (is_full(fd, offset + size))
        return ENOSPC;
    return syscall(SYS_fallocate, fd, 0, offset, size) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off_t offset, off_t size)
{
    return posix_fallocate(fd, offset, size);
}

static int sync_file(int fd, long call)
{
    if (shared && chaos_file_is_ours(fd)) {
        chaos_sleep_us(shared->sync_late_us);
        if (chaos_roll(shared->sync_fail_ppm)) {
            chaos_count(&shared->sync_failed);
            errno = EIO;
            return -1;
        }
        chaos_file_synced(
            fd); /* the kernel of this machine keeps what it has: no flush is needed */
        return 0;
    }
    return (int)syscall(call, fd);
}

int fsync(int fd)
{
    return sync_file(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_file(fd, SYS_fdatasync);
}

int unlink(const char *path)
{
    if (shared)
        chaos_file_gone(path);
    return (int)syscall(SYS_unlink, path);
}

void *mmap(void *wanted, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *const address = (void *)syscall(SYS_mmap, wanted, size, protection, flags, fd, offset);

    if (shared && address != MAP_FAILED && fd >= 0 && offset == 0 && (flags & MAP_SHARED) &&
        (protection & PROT_WRITE))
        chaos_file_mapped(fd, address, size);
    return address;
}

void *mmap64(void *wanted, size_t size, int protection, int flags, int fd, off_t offset)
{
    return mmap(wanted, size, protection, flags, fd, offset);
}

int statvfs(const char *restrict path, struct statvfs *restrict out)
{
    static int (*next)(const char *, struct statvfs *);

    if (!next)
        *(void **)(&next) = chaos_next("statvfs");
    const int code = next(path, out);

    if (code == 0 && shared && shared->disk_full)
        out->f_bavail = out->f_bfree = 0;
    return code;
}

int statvfs64(const char *restrict path, struct statvfs64 *restrict out)
{
    static int (*next)(const char *, struct statvfs64 *);

    if (!next)
        *(void **)(&next) = chaos_next("statvfs64");
    const int code = next(path, out);

    if (code == 0 && shared && shared->disk_full)
        out->f_bavail = out->f_bfree = 0;
    return code;
}
