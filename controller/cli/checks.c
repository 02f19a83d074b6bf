#define FLT_MOD "cli"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>
#include "controller/cli/doctor.h"
#include "controller/cli/procs.h"
#include "controller/cli/text.h"
#include "lib/crypto.h"
#include "lib/json.h"

#define INODES_MAX 512

static const char *const process_names[] = { "up",     "broker", "sim",      "controller",
                                             "node-1", "node-2", "dashboard" };

static void check_folder(struct json_object *checks, const struct fleet *fleet)
{
    struct stat st;

    if (stat(fleet->dir, &st) != 0)
        return;
    if (st.st_mode & 077)
        check_add(checks, "folder", CHECK_WARN, "chmod 700 it: passwords and keys are inside",
                  "others may look into %s", fleet->dir);
    else
        check_add(checks, "folder", CHECK_OK, "", "%s, for its owner alone", fleet->dir);
}

static pid_t pid_of(const struct fleet *fleet, const char *name)
{
    char run_dir[BROKER_PATH_MAX];
    struct flt_error error = { 0 };

    return fleet_path(fleet->dir, run_dir, &error, "run") ? 0 : pidfile_alive(run_dir, name);
}

static void check_processes(struct json_object *checks, const struct fleet *fleet)
{
    char missing[128] = "";
    size_t count = 0;

    for (size_t i = 0; i < FLT_COUNT(process_names); i++) {
        if (!fleet->demo && strcmp(process_names[i], "sim") == 0)
            continue;
        if (pid_of(fleet, process_names[i])) {
            count++;
            continue;
        }
        const size_t length = strlen(missing);

        snprintf(missing + length, sizeof missing - length, " %s", process_names[i]);
    }
    if (count == 0)
        check_add(checks, "processes", CHECK_FAIL, "flotilla up --dir DIR", "nothing runs");
    else if (*missing)
        check_add(checks, "processes", CHECK_FAIL, "see log/ in the fleet's folder",
                  "not running:%s", missing);
    else
        check_add(checks, "processes", CHECK_OK, "", "all %zu run", count);
}

/* --- what listens
 * ----------------------------------------------------------------------------------- */

static size_t sockets_of(pid_t pid, unsigned long *inodes, size_t count)
{
    char path[64], target[64];
    struct dirent *entry;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);

    while (dir && count < INODES_MAX && (entry = readdir(dir))) {
        const ssize_t size = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);

        if (size <= 0)
            continue;
        target[size] = 0;
        if (strncmp(target, "socket:[", 8) == 0)
            inodes[count++] = strtoul(target + 8, NULL, 10);
    }
    if (dir)
        closedir(dir);
    return count;
}

/* Loopback in /proc/net/tcp's hex, where each group of 4 bytes is in host order. */
static bool is_loopback(const char *hex)
{
    if (strlen(hex) == 8)
        return strcmp(hex + 6, "7F") == 0;
    return strcmp(hex, "00000000000000000000000001000000") == 0 ||
           strncmp(hex, "0000000000000000FFFF0000", 24) == 0;
}

/* Counts listening sockets of `inodes` that strangers can reach; their ports go to `out`. */
static size_t open_ports(const char *table, const unsigned long *inodes, size_t count, char *out,
                         size_t size)
{
    char line[512], address[64];
    unsigned port, state;
    unsigned long inode;
    size_t found = 0;
    FILE *file = fopen(table, "re");

    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, " %*d: %63[0-9A-F]:%x %*s %x %*s %*s %*s %*s %*s %lu", address, &port,
                   &state, &inode) != 4 ||
            state != 10 || is_loopback(address))
            continue;
        for (size_t i = 0; i < count; i++)
            if (inodes[i] == inode) {
                const size_t length = strlen(out);

                snprintf(out + length, size - length, " %u", port);
                found++;
            }
    }
    if (file)
        fclose(file);
    return found;
}

static void check_listening(struct json_object *checks, const struct fleet *fleet)
{
    static unsigned long inodes[INODES_MAX];
    char ports[128] = "";
    size_t count = 0;

    for (size_t i = 0; i < FLT_COUNT(process_names); i++) {
        const pid_t pid = pid_of(fleet, process_names[i]);

        if (pid)
            count = sockets_of(pid, inodes, count);
    }
    if (open_ports("/proc/net/tcp", inodes, count, ports, sizeof ports) +
        open_ports("/proc/net/tcp6", inodes, count, ports, sizeof ports))
        check_add(checks, "listening", CHECK_WARN, "other machines can reach these ports",
                  "not on loopback alone:%s", ports);
    else
        check_add(checks, "listening", CHECK_OK, "", "on loopback only");
}

/* --- disk, clock, databases
 * ------------------------------------------------------------------------- */

static void check_disk(struct json_object *checks, const struct fleet *fleet)
{
    struct statvfs fs;

    if (statvfs(fleet->dir, &fs) != 0)
        return;
    const uint64_t mib = (uint64_t)fs.f_bavail * fs.f_frsize / (1024 * 1024);

    check_add(checks, "disk",
              mib < 200    ? CHECK_FAIL
              : mib < 1024 ? CHECK_WARN
                           : CHECK_OK,
              mib < 1024 ? "free some: a full disk stops trading" : "", "%" PRIu64 " MiB free",
              mib);
}

static void check_clock(struct json_object *checks)
{
    struct timex timex = { .modes = 0 };
    const int state = adjtimex(&timex);

    if (state < 0 || state == TIME_ERROR || (timex.status & STA_UNSYNC))
        check_add(checks, "clock", CHECK_WARN,
                  "run chrony or systemd-timesyncd; venues refuse late requests",
                  "the kernel says that nothing synchronises it");
    else
        check_add(checks, "clock", CHECK_OK, "", "synchronised, error at most %ld us",
                  (long)timex.maxerror);
}

/* 0, or a sentence. Read-only, so a broken file stays as it is. */
static bool quick_check(const char *path, char *out, size_t size)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    bool fine = false;

    snprintf(out, size, "cannot be read");
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(db, 2000) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        snprintf(out, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
        fine = strcmp(out, "ok") == 0;
    } else if (db) {
        snprintf(out, size, "%s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return fine;
}

static void check_databases(struct json_object *checks, const struct fleet *fleet)
{
    static const char *const names[] = { "controller/controller.db", "node-1/journal.db",
                                         "node-2/journal.db", "sim/sim.db" };
    char path[BROKER_PATH_MAX], why[160];
    struct flt_error error = { 0 };
    size_t good = 0, bad = 0;

    for (size_t i = 0; i < FLT_COUNT(names); i++) {
        if (fleet_path(fleet->dir, path, &error, "%s", names[i]) || access(path, F_OK) != 0)
            continue;
        if (quick_check(path, why, sizeof why)) {
            good++;
            continue;
        }
        bad++;
        check_add(checks, "database", CHECK_FAIL,
                  "stop the fleet and restore it from a backup; it was left untouched", "%s: %s",
                  names[i], why);
    }
    if (!bad)
        check_add(checks, "databases", CHECK_OK, "", "%zu sound", good);
}

/* --- certificates
 * --------------------------------------------------------------------------------------- */

#define CERT_WARN_MS (14 * INT64_C(86400000))

static void check_certificate(struct json_object *checks, const char *path)
{
    int64_t expiry_ms = 0;
    char age[24];
    const int err = flt_cert_expiry_ms(path, &expiry_ms);
    const int64_t left_ms = expiry_ms - flt_wall_ms(flt_clock_system());

    if (err)
        check_add(checks, "certificate", CHECK_FAIL,
                  "put a certificate there, or change dashboard.json", "%s cannot be read", path);
    else if (left_ms <= 0)
        check_add(checks, "certificate", CHECK_FAIL, "renew it: browsers refuse it",
                  "%s ended %s ago", path, text_age(-left_ms, age, sizeof age));
    else
        check_add(checks, "certificate", left_ms < CERT_WARN_MS ? CHECK_WARN : CHECK_OK,
                  left_ms < CERT_WARN_MS ? "renew it soon" : "", "%s is good for %s", path,
                  text_age(left_ms, age, sizeof age));
}

static void check_certificates(struct json_object *checks, const struct fleet *fleet)
{
    char path[BROKER_PATH_MAX];
    struct flt_error error = { 0 };
    const char *cert = NULL;
    struct json_object *config;

    if (fleet_path(fleet->dir, path, &error, "dashboard/dashboard.json") || access(path, F_OK) != 0)
        return;
    config = flt_json_load(path, &error);
    if (flt_json_str(config, "tls_cert", &cert))
        check_certificate(checks, cert);
    else if (config)
        check_add(checks, "certificates", CHECK_OK, "", "none needed: the page is on loopback");
    json_object_put(config);
}

void check_machine(struct json_object *checks, const struct fleet *fleet)
{
    check_folder(checks, fleet);
    check_processes(checks, fleet);
    check_listening(checks, fleet);
    check_disk(checks, fleet);
    check_clock(checks);
    check_databases(checks, fleet);
    check_certificates(checks, fleet);
}
