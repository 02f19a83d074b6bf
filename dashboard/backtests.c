#define FLT_MOD "backtests"
#include "dashboard/backtests.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/crypto.h"

#define FILE_BYTES_MAX ((off_t)32 * 1024 * 1024)
#define SUMMARY_BYTES_MAX 65536

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool backtests_name_ok(const char *name)
{
    size_t size = 0;

    for (; name[size]; size++)
        if (!is_plain(name[size]) &&
            (size == 0 || (name[size] != '.' && name[size] != '_' && name[size] != '-')))
            return false;
    return size > 0 && size <= 64;
}

/* Step by step and without following links, so that no name leads out of the folder. */
static int open_run(const char *dir, const char *name)
{
    int top, all, run = -1;

    if (!dir || !backtests_name_ok(name))
        return -1;
    top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    all = top < 0 ? -1 : openat(top, "backtests", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (all >= 0)
        run = openat(all, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top >= 0)
        close(top);
    if (all >= 0)
        close(all);
    return run;
}

static char *read_whole(int fd, off_t most, size_t *size)
{
    struct stat stat;
    char *text = NULL;
    size_t used = 0;
    ssize_t got = 1;

    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_size > most)
        return NULL;
    text = malloc((size_t)stat.st_size + 1);
    while (text && used < (size_t)stat.st_size && got > 0) {
        got = read(fd, text + used, (size_t)stat.st_size - used);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            used += (size_t)got;
    }
    if (!text)
        return NULL;
    text[used] = '\0';
    *size = used;
    return text;
}

static char *read_at(int run, const char *file, off_t most, size_t *size)
{
    const int fd = openat(run, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char *text = fd < 0 ? NULL : read_whole(fd, most, size);

    if (fd >= 0)
        close(fd);
    return text;
}

char *backtests_read(const char *dir, const char *name, const char *file, size_t *size)
{
    const int run = open_run(dir, name);
    char *text = run < 0 ? NULL : read_at(run, file, FILE_BYTES_MAX, size);

    if (run >= 0)
        close(run);
    return text;
}

/* --- the list
 * --------------------------------------------------------------------------------------- */

struct run {
    char name[65];
    int64_t ts_ms;
    bool report;
};

static int newest_first(const void *a, const void *b)
{
    const struct run *one = a, *two = b;

    return one->ts_ms != two->ts_ms ? (one->ts_ms < two->ts_ms ? 1 : -1)
                                    : strcmp(one->name, two->name);
}

static bool look_at(const char *dir, const char *name, struct run *out)
{
    const int fd = open_run(dir, name);
    struct stat stat;
    bool ok = false;

    if (fd < 0)
        return false;
    snprintf(out->name, sizeof out->name, "%.64s", name);
    out->report = fstatat(fd, "report.html", &stat, AT_SYMLINK_NOFOLLOW) == 0;
    ok = fstatat(fd, "summary.json", &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(stat.st_mode);
    out->ts_ms = ok ? (int64_t)stat.st_mtim.tv_sec * 1000 + stat.st_mtim.tv_nsec / 1000000 : 0;
    close(fd);
    return ok;
}

static void write_run(const char *dir, const struct run *run, struct flt_buf *out)
{
    const int fd = open_run(dir, run->name);
    size_t size = 0;
    char *text = fd < 0 ? NULL : read_at(fd, "summary.json", SUMMARY_BYTES_MAX, &size);
    struct json_object *summary = text ? flt_json_parse(text, size, NULL) : NULL;

    flt_jw_begin(out, NULL, '{');
    flt_jw_str(out, "name", run->name);
    flt_jw_int(out, "ts_ms", run->ts_ms);
    flt_jw_bool(out, "report", run->report);
    if (summary)
        flt_jw_tree(out, "summary", summary);
    flt_jw_end(out, '}');
    json_object_put(summary);
    free(text);
    if (fd >= 0)
        close(fd);
}

void backtests_write(const char *dir, struct flt_buf *out)
{
    struct run *runs = dir ? calloc(BACKTESTS_LISTED_MAX, sizeof *runs) : NULL;
    char path[512];
    size_t count = 0;
    DIR *all = NULL;

    if (runs && snprintf(path, sizeof path, "%s/backtests", dir) < (int)sizeof path)
        all = opendir(path);
    for (struct dirent *entry; all && count < BACKTESTS_LISTED_MAX && (entry = readdir(all));)
        if (backtests_name_ok(entry->d_name) && look_at(dir, entry->d_name, &runs[count]))
            count++;
    if (all)
        closedir(all);
    if (count)
        qsort(runs, count, sizeof *runs, newest_first);
    flt_jw_begin(out, "items", '[');
    for (size_t i = 0; i < count; i++)
        write_run(dir, &runs[i], out);
    flt_jw_end(out, ']');
    free(runs);
}

/* --- tickets
 * ---------------------------------------------------------------------------------------- */

static void sign(const uint8_t secret[32], const char *name, int64_t until_ms, char out[65])
{
    char text[128];
    uint8_t mac[32];
    const int size = snprintf(text, sizeof text, "report/%s/%" PRId64, name, until_ms);

    flt_hmac_sha256(secret, 32, text, (size_t)size, mac);
    flt_hex(mac, sizeof mac, out);
}

void ticket_make(const uint8_t secret[32], const char *name, int64_t now_ms, char out[TICKET_MAX])
{
    const int64_t until = now_ms + TICKET_MS;
    char mac[65];

    sign(secret, name, until, mac);
    snprintf(out, TICKET_MAX, "%" PRId64 ".%s", until, mac);
}

bool ticket_ok(const uint8_t secret[32], const char *name, int64_t now_ms, const char *ticket)
{
    char mac[65];
    char *end = NULL;
    const long long until = strtoll(ticket, &end, 10);

    if (end == ticket || *end != '.' || until < now_ms || until > now_ms + TICKET_MS ||
        strlen(end + 1) != 64)
        return false;
    sign(secret, name, until, mac);
    return flt_equal(mac, end + 1, 64);
}
