/* flotilla backup: create and ls ask the controller; verify and restore work on files. */
#define FLT_MOD "cli"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "controller/cli/commands.h"
#include "controller/cli/fleet.h"
#include "controller/cli/session.h"
#include "lib/archive.h"
#include "lib/clock.h"
#include "lib/config.h"
#include "lib/db.h"
#include "lib/json.h"

static const struct column backup_columns[] = {
    { "BACKUP", "name", COLUMN_TEXT },     { "WRITTEN", "created_ms", COLUMN_TIME },
    { "AGE", "created_ms", COLUMN_AGE },   { "BYTES", "bytes", COLUMN_NUMBER },
    { "BOTS", "bots", COLUMN_NUMBER },     { "FILLS", "fills", COLUMN_NUMBER },
    { "VERSION", "version", COLUMN_TEXT }, { NULL, NULL, COLUMN_TEXT },
};

int cmd_backup_create(struct cli *cli)
{
    struct json_object *result = NULL;
    char path[BROKER_PATH_MAX], bytes[32], fills[32];
    int err;

    if (cli->timeout_ms < 600000)
        cli->timeout_ms = 600000; /* a big database takes its time */
    err = ask_once(cli, "backup-create", NULL, &result);
    if (!err && cli->json) {
        out_json(result);
    } else if (!err) {
        printf("%s\n", out_text(result, "path", path, sizeof path));
        out_note(cli, "checked: %s bytes, %s fills; it opens only with DIR/secrets/backup.key",
                 out_text(result, "backup.bytes", bytes, sizeof bytes),
                 out_text(result, "backup.fills", fills, sizeof fills));
    }
    json_object_put(result);
    return err;
}

/* --- files
 * ------------------------------------------------------------------------------------------ */

static int is_backup(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);

    return length > 7 && strcmp(entry->d_name + length - 7, ".backup") == 0;
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name);
}

/* {"dir": ..., "items": [...]} from the manifests in DIR/backups. */
static int list_folder(struct cli *cli, struct json_object **out)
{
    char dir[BROKER_PATH_MAX], path[BROKER_PATH_MAX];
    struct dirent **entries = NULL;
    struct json_object *items;
    int count, err = fleet_path(cli->dir, dir, &cli->error, "backups");

    if (err)
        return err;
    count = scandir(dir, &entries, is_backup, newest_first);
    if (count < 0)
        return CLI_FAIL(cli, flt_error_from_errno(-errno), "dir", "flotilla backup create",
                        "there are no backups in %s", dir);
    items = json_object_new_array();
    for (int i = 0; i < count; i++) {
        struct stat info = { 0 };
        struct flt_error unread = { 0 };
        struct json_object *row = NULL;

        if (flt_path_join(path, sizeof path, dir, entries[i]->d_name) == 0)
            row = flt_archive_manifest(path, &unread);
        if (!row)
            row = json_object_new_object();
        json_object_object_add(row, "name", json_object_new_string(entries[i]->d_name));
        if (stat(path, &info) == 0)
            json_object_object_add(row, "bytes", json_object_new_int64(info.st_size));
        json_object_object_del(row, "streams");
        json_object_object_del(row, "files");
        json_object_array_add(items, row);
        free(entries[i]);
    }
    free(entries);
    *out = json_object_new_object();
    json_object_object_add(*out, "dir", json_object_new_string(dir));
    json_object_object_add(*out, "items", items);
    return 0;
}

int cmd_backup_ls(struct cli *cli)
{
    struct json_object *result = NULL;
    const char *failed;
    int err = ask_once(cli, "backup-ls", NULL, &result);

    if (err && cli->error.code == FLT_UNAVAILABLE) {
        cli->error = (struct flt_error){ 0 };
        err = list_folder(cli, &result);
    }
    if (!err)
        out_list(cli, result, flt_json_get(result, "items"), backup_columns);
    if (!err && flt_json_str(result, "failed", &failed))
        out_note(cli, "the last one failed: %s", failed);
    json_object_put(result);
    return err;
}

static int load_key(struct cli *cli, uint8_t key[FLT_KEY_SIZE])
{
    const char *given = cli_flag(cli, "key-file");
    char path[BROKER_PATH_MAX];
    int err = 0;

    if (given)
        snprintf(path, sizeof path, "%s", given);
    else
        err = fleet_path(cli->dir, path, &cli->error, "secrets/backup.key");
    if (err)
        return err;
    /* flt_key_file makes what is missing, and a new key opens nothing. */
    if (access(path, R_OK) != 0)
        return CLI_FAIL(cli, FLT_NOT_FOUND, "key-file", "--key-file FILE names a copy of it",
                        "the backups' key %s is not there", path);
    err = flt_key_file(path, key);
    return err ? CLI_FAIL(cli, flt_error_from_errno(err), "key-file",
                          "64 hex digits, readable by you alone (chmod 600)",
                          "%s is not a key file", path)
               : 0;
}

/* A path as given, or a name in DIR/backups. */
static int find_file(struct cli *cli, const char *name, char path[BROKER_PATH_MAX])
{
    struct json_object *result = NULL, *items, *first;
    const char *newest = NULL;
    int err = 0;

    if (name && (strchr(name, '/') || access(name, F_OK) == 0)) {
        snprintf(path, BROKER_PATH_MAX, "%s", name);
        return 0;
    }
    if (!name) {
        err = list_folder(cli, &result);
        items = err ? NULL : flt_json_get(result, "items");
        first = items ? json_object_array_get_idx(items, 0) : NULL;
        if (!err && !flt_json_str(first, "name", &newest))
            err = CLI_FAIL(cli, FLT_NOT_FOUND, "FILE", "flotilla backup create",
                           "there is no backup yet");
    }
    if (!err)
        err = fleet_path(cli->dir, path, &cli->error, "backups/%s", name ? name : newest);
    json_object_put(result);
    return err;
}

int cmd_backup_verify(struct cli *cli)
{
    char path[BROKER_PATH_MAX];
    uint8_t key[FLT_KEY_SIZE];
    struct json_object *manifest;
    int err = find_file(cli, cli_arg(cli, 0), path);

    if (!err)
        err = load_key(cli, key);
    if (!err)
        err = flt_archive_extract(path, key, NULL, &cli->error);
    flt_wipe(key, sizeof key);
    manifest = err ? NULL : flt_archive_manifest(path, &cli->error);
    if (err || !manifest)
        return err ? err : -EBADMSG;
    if (cli->json) {
        json_object_object_add(manifest, "ok", json_object_new_boolean(true));
        out_json(manifest);
    } else {
        printf("ok %s: %zu files, every byte as it was written\n", path,
               json_object_array_length(flt_json_get(manifest, "files")));
    }
    json_object_put(manifest);
    return 0;
}

/* --- restore
 * ---------------------------------------------------------------------------------------- */

/* Does the database open, and is it whole? Asked before anything is replaced. */
static int check_database(struct cli *cli, const char *dir)
{
    char path[BROKER_PATH_MAX];
    struct flt_db *db = NULL;
    sqlite3_stmt *stmt;
    int err = flt_path_join(path, sizeof path, dir, "controller/controller.db");

    if (!err)
        err = flt_db_open_readonly(path, 0x464c5443 /* the controller's */, &cli->error, &db);
    if (err)
        return err;
    stmt = flt_db_stmt(db, "PRAGMA integrity_check(1)");
    if (!stmt || flt_db_step(db, stmt) != FLT_DB_ROW || strcmp(flt_db_str(stmt, 0), "ok") != 0)
        err = CLI_FAIL(cli, FLT_INTERNAL, "FILE", "try an older backup",
                       "the database in it is damaged");
    if (stmt)
        sqlite3_reset(stmt);
    flt_db_close(db);
    (void)unlink(strcat(path, "-shm"));
    path[strlen(path) - 4] = 0;
    (void)unlink(strcat(path, "-wal"));
    return err;
}

static int move(struct cli *cli, const char *from_dir, const char *to_dir, const char *name)
{
    char from[BROKER_PATH_MAX], to[BROKER_PATH_MAX];
    char *slash;
    int err = flt_path_join(from, sizeof from, from_dir, name);

    if (!err)
        err = flt_path_join(to, sizeof to, to_dir, name);
    if (!err && access(from, F_OK) != 0)
        return 0;
    slash = err ? NULL : strrchr(to, '/');
    if (slash) {
        *slash = 0;
        err = flt_mkdir_p(to);
        *slash = '/';
    }
    if (!err && rename(from, to) != 0)
        err = -errno;
    return err ? CLI_FAIL(cli, flt_error_from_errno(err), "dir", "nothing is lost: see DIR",
                          "cannot move %s to %s: %s", from, to, strerror(-err))
               : 0;
}

/* The mark is set first: a start in the middle of a restore then pauses everything too. */
static int mark(struct cli *cli, const char *name)
{
    char path[BROKER_PATH_MAX];
    struct flt_buf buf = FLT_BUF_INIT;
    int err = fleet_path(cli->dir, path, &cli->error, "controller");

    if (!err)
        err = flt_mkdir_p(path);
    if (!err)
        err = fleet_path(cli->dir, path, &cli->error, "controller/restored.json");
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "from", name);
    flt_jw_int(&buf, "ts_ms", flt_wall_ms(flt_clock_system()));
    flt_jw_end(&buf, '}');
    if (!err)
        err = buf.failed ? -ENOMEM : flt_file_write(path, buf.data, buf.length, 0600);
    flt_buf_finish(&buf);
    return err;
}

/* What the fleet has now goes to DIR/replaced-TIME, file by file, and the backup's takes its place.
 * Files that the fleet has (logins) stay when they are newer than a whole fleet: only a folder
 * without fleet.json gets them. */
static int exchange(struct cli *cli, const char *staged, struct json_object *files,
                    const char *replaced, bool fresh)
{
    static const char *const leftovers[] = { "controller/controller.db-wal",
                                             "controller/controller.db-shm" };
    int err = 0;

    for (size_t i = 0; i < FLT_COUNT(leftovers) && !err; i++)
        err = move(cli, cli->dir, replaced, leftovers[i]);
    for (size_t i = 0; i < json_object_array_length(files) && !err; i++) {
        const char *name = "";

        flt_json_str(json_object_array_get_idx(files, i), "name", &name);
        if (!fresh && strncmp(name, "controller/", 11) != 0)
            continue;
        err = move(cli, cli->dir, replaced, name);
        if (!err)
            err = move(cli, staged, cli->dir, name);
    }
    return err;
}

static int remove_tree(const char *dir)
{
    static const char *const files[] = { "controller/controller.db", "controller/key",
                                         "controller/box", "fleet.json", "broker/dynsec.json" };
    static const char *const folders[] = { "controller", "broker", "secrets" };
    char path[BROKER_PATH_MAX];
    DIR *secrets;

    for (size_t i = 0; i < FLT_COUNT(files); i++)
        if (flt_path_join(path, sizeof path, dir, files[i]) == 0)
            (void)unlink(path);
    secrets = flt_path_join(path, sizeof path, dir, "secrets") == 0 ? opendir(path) : NULL;
    for (struct dirent *entry; secrets && (entry = readdir(secrets));)
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(secrets), entry->d_name, 0);
    if (secrets)
        closedir(secrets);
    for (size_t i = 0; i < FLT_COUNT(folders); i++)
        if (flt_path_join(path, sizeof path, dir, folders[i]) == 0)
            (void)rmdir(path);
    return rmdir(dir) == 0 ? 0 : -errno;
}

static int restore_locked(struct cli *cli, const char *path, struct json_object *manifest,
                          const uint8_t key[FLT_KEY_SIZE])
{
    char staged[BROKER_PATH_MAX], replaced[BROKER_PATH_MAX], present[BROKER_PATH_MAX];
    const long long now = (long long)time(NULL);
    int err = fleet_path(cli->dir, staged, &cli->error, "restore-%lld", now);

    if (!err)
        err = fleet_path(cli->dir, replaced, &cli->error, "replaced-%lld", now);
    if (!err)
        err = fleet_path(cli->dir, present, &cli->error, "fleet.json");
    if (err)
        return err;
    err = flt_archive_extract(path, key, staged, &cli->error);
    if (!err)
        err = check_database(cli, staged);
    if (!err)
        err = mark(cli, path);
    if (!err)
        err = exchange(cli, staged, flt_json_get(manifest, "files"), replaced,
                       access(present, F_OK) != 0);
    (void)remove_tree(staged);
    if (!err)
        out_note(cli, "restored; what was there is in %s", replaced);
    return err;
}

static int ask_first(struct cli *cli, struct json_object *manifest)
{
    char question[256], fills[32], bots[32];
    int64_t created_ms = 0;
    char when[32] = "?";

    (void)flt_json_int(manifest, "created_ms", &created_ms);
    const time_t seconds = (time_t)(created_ms / 1000);
    struct tm tm;

    if (gmtime_r(&seconds, &tm))
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm);
    snprintf(question, sizeof question,
             "Go back to %s (%s bots, %s fills)? Every bot will be paused", when,
             out_text(manifest, "bots", bots, sizeof bots),
             out_text(manifest, "fills", fills, sizeof fills));
    return cli_confirm(cli, question);
}

int cmd_backup_restore(struct cli *cli)
{
    char path[BROKER_PATH_MAX];
    uint8_t key[FLT_KEY_SIZE];
    struct json_object *manifest = NULL;
    int lock = -1;
    int err = find_file(cli, cli_arg(cli, 0), path);

    if (!err && !(manifest = flt_archive_manifest(path, &cli->error)))
        err = -EBADMSG;
    if (!err)
        err = load_key(cli, key);
    if (!err)
        err = fleet_lock(cli->dir, &lock, &cli->error);
    if (!err)
        err = ask_first(cli, manifest);
    if (!err)
        err = restore_locked(cli, path, manifest, key);
    if (lock >= 0)
        close(lock);
    flt_wipe(key, sizeof key);
    json_object_put(manifest);
    if (!err && cli->json)
        printf("{\"restored\":true}\n");
    else if (!err)
        out_note(cli, "next: flotilla up, then flotilla doctor --reconcile, then flotilla bot "
                      "resume BOT");
    return err;
}
