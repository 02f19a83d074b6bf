/* The folders of stores on disk: made, locked, put in place and taken away. */
#define FLT_MOD "store"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "backtest/store_file.h"
#include "backtest/store_folder.h"
#include "lib/config.h"

/* "a/b/1m" and ".new" -> "a/b/.1m.new": hidden from those who list stores. */
int store_sibling(const char *path, const char *ending, char *out, size_t size)
{
    const char *const slash = strrchr(path, '/');
    const int base = slash ? (int)(slash - path) + 1 : 0;
    const int length = snprintf(out, size, "%.*s.%s%s", base, path, path + base, ending);

    return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

static int sync_folder(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    const int err = fsync(fd) == 0 ? 0 : -errno;

    close(fd);
    return err;
}

int store_sync_parent(const char *path)
{
    char parent[STORE_PATH_MAX];
    const char *const slash = strrchr(path, '/');

    if (!slash || slash == path)
        return sync_folder(slash ? "/" : ".");
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    return sync_folder(parent);
}

int store_lock(const char *path, int *out, struct flt_error *error)
{
    char lock[STORE_PATH_MAX];
    int err = store_sibling(path, ".lock", lock, sizeof lock);
    const char *const slash = strrchr(lock, '/');
    char parent[STORE_PATH_MAX];

    *out = -1;
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - lock) : 0, lock);
    if (!err && slash)
        err = flt_mkdir_p(parent);
    if (!err && (*out = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
        err = -errno;
    if (!err && flock(*out, LOCK_EX | LOCK_NB) != 0)
        err = errno == EWOULDBLOCK ? -EBUSY : -errno;
    if (!err)
        return 0;
    flt_error_set(error, err == -EBUSY ? FLT_CONFLICT : flt_error_from_errno(err), "",
                  err == -EBUSY ? "wait for the import or download that is running" : "",
                  err == -EBUSY ? "another program is writing to %.160s" : "cannot lock %.100s: %s",
                  path, strerror(-err));
    if (*out >= 0)
        close(*out);
    *out = -1;
    return err;
}

/* A store is a folder of files without folders of its own. */
int store_remove(const char *path)
{
    DIR *const folder = opendir(path);

    if (!folder)
        return errno == ENOENT ? 0 : -errno;
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    return rmdir(path) == 0 ? 0 : -errno;
}

int store_put_in_place(const char *fresh, const char *path)
{
    int err = sync_folder(fresh);

    if (!err && renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
        err = store_sync_parent(path);
        (void)store_remove(fresh); /* what it replaced; readers keep their maps */
        return err;
    }
    if (!err && errno == ENOENT)
        err = rename(fresh, path) == 0 ? store_sync_parent(path) : -errno;
    else if (!err)
        err = -errno;
    return err;
}
