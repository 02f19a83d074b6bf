/* Pid files that say which process they mean: "pid start boot", since pids are used again. */
#define FLT_MOD "pidfile"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>
#include "controller/cli/procs.h"
#include "lib/config.h"

#define PATH_SIZE 1152

static int path_of(const char *run_dir, const char *name, char *out)
{
    const int size = snprintf(out, PATH_SIZE, "%s/%s.pid", run_dir, name);

    return size > 0 && size < PATH_SIZE ? 0 : -ENAMETOOLONG;
}

static void boot_id(char out[40])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    snprintf(out, 40, "unknown");
    if (file) {
        if (fgets(out, 40, file))
            out[strcspn(out, "\n")] = 0;
        fclose(file);
    }
}

/* Field 22 of /proc/<pid>/stat, in clock ticks since boot; 0: no such process. The command's name
 * (field 2) may hold anything, so fields count from the last ')'. A zombie counts as gone. */
static unsigned long long start_ticks(pid_t pid)
{
    char path[64], text[1024];
    unsigned long long ticks = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");

    if (!file)
        return 0;
    const size_t size = fread(text, 1, sizeof text - 1, file);

    fclose(file);
    text[size] = 0;
    char *field = strrchr(text, ')');
    char *save = NULL;

    if (!field || field[1] != ' ' || field[2] == 'Z')
        return 0;
    field = strtok_r(field + 2, " ", &save);
    for (int number = 3; field && number < 22; number++)
        field = strtok_r(NULL, " ", &save);
    if (field)
        ticks = strtoull(field, NULL, 10);
    return ticks;
}

int pidfile_write(const char *run_dir, const char *name, pid_t pid)
{
    char path[PATH_SIZE], boot[40], text[128];
    int err = path_of(run_dir, name, path);

    if (err)
        return err;
    boot_id(boot);
    const int size = snprintf(text, sizeof text, "%d %llu %s\n", (int)pid, start_ticks(pid), boot);

    return flt_file_write(path, text, (size_t)size, 0600);
}

pid_t pidfile_alive(const char *run_dir, const char *name)
{
    char path[PATH_SIZE], boot[40], was_boot[40] = "";
    int pid = 0;
    unsigned long long ticks = 0;

    if (path_of(run_dir, name, path))
        return 0;
    FILE *file = fopen(path, "re");

    if (!file)
        return 0;
    const int fields = fscanf(file, "%d %llu %39s", &pid, &ticks, was_boot);

    fclose(file);
    boot_id(boot);
    if (fields != 3 || pid <= 1 || ticks == 0 || strcmp(boot, was_boot) != 0)
        return 0;
    return start_ticks(pid) == ticks ? pid : 0;
}

bool pidfile_wait(pid_t pid, int timeout_ms)
{
    const int fd = pidfd_open(pid, 0);
    struct pollfd ended = { .fd = fd, .events = POLLIN };

    if (fd < 0)
        return errno == ESRCH;
    const int count = poll(&ended, 1, timeout_ms);

    close(fd);
    return count == 1;
}

void pidfile_remove(const char *run_dir, const char *name)
{
    char path[PATH_SIZE];

    if (path_of(run_dir, name, path) == 0)
        unlink(path);
}
