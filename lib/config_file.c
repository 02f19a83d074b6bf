/* The files of a fleet's folder: whole reads, whole writes. */
#define FLT_MOD "config"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/config.h"

int flt_path_join(char *out, size_t size, const char *dir, const char *name)
{
    const size_t length = strlen(dir);
    const char *const slash = length > 0 && dir[length - 1] == '/' ? "" : "/";
    const int written = snprintf(out, size, "%s%s%s", dir, slash, name);

    if (written < 0 || (size_t)written >= size)
        return FLT_FAIL(-ENAMETOOLONG, "dir=%s name=%s", dir, name);
    return 0;
}

int flt_mkdir_p(const char *path)
{
    char part[PATH_MAX];
    struct stat info;

    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return FLT_FAIL(-ENAMETOOLONG, "path=%s", path);
    for (char *p = part; *p; p++) {
        if (p == part || *p != '/')
            continue;
        *p = '\0'; /* a parent that cannot be made shows in the last step */
        (void)mkdir(part, 0700);
        *p = '/';
    }
    if (mkdir(part, 0700) == 0)
        return 0;
    const int err = -errno;

    if (err == -EEXIST && stat(path, &info) == 0)
        return S_ISDIR(info.st_mode) ? 0 : FLT_FAIL(-ENOTDIR, "path=%s", path);
    return FLT_FAIL(err, "path=%s", path);
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(fd, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        data += written;
        size -= (size_t)written;
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

/* The new name is durable only once its folder is. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX];

    (void)snprintf(folder, sizeof folder, "%s", path);
    const int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)fsync(fd); /* some file systems refuse it for folders; the data is safe either way */
    close(fd);
}

int flt_file_write(const char *path, const void *data, size_t size, unsigned mode)
{
    char temporary[PATH_MAX];

    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return FLT_FAIL(-ENAMETOOLONG, "path=%s", path);
    const int fd = mkostemp(temporary, O_CLOEXEC); /* made 0600, so never open to others */

    if (fd < 0)
        return FLT_FAIL(-errno, "path=%s", path);
    int err = write_all(fd, data, size);

    if (!err && fchmod(fd, (mode_t)mode) != 0)
        err = -errno;
    if (close(fd) != 0 && !err)
        err = -errno;
    if (!err && rename(temporary, path) != 0)
        err = -errno;
    if (err) {
        (void)unlink(temporary);
        return FLT_FAIL(err, "path=%s", path);
    }
    sync_folder(path);
    return 0;
}

/* Reads to the end, growing: the size of a pipe or of a file under /proc is not known before. */
static char *read_all(int fd, size_t max, size_t *size)
{
    size_t capacity = 4096, used = 0;
    char *data = malloc(capacity + 1);

    while (data) {
        const ssize_t got = read(fd, data + used, capacity - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0) {
            data[used] = '\0';
            *size = used;
            return data;
        }
        if (got > 0 && (used += (size_t)got) > max)
            errno = EFBIG;
        if (got < 0 || used > max)
            break;
        if (used == capacity) {
            char *const more = realloc(data, 2 * capacity + 1);

            if (!more)
                break;
            data = more;
            capacity *= 2;
        }
    }
    const int reason = errno;

    free(data);
    errno = reason;
    return NULL;
}

char *flt_file_read(const char *path, size_t max, size_t *size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;

    if (fd < 0)
        return NULL;
    char *const data = read_all(fd, max, &length);
    const int reason = errno;

    close(fd);
    errno = reason;
    if (data && size)
        *size = length;
    return data;
}
