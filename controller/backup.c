#define FLT_MOD "backup"
#include "controller/backup.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "controller/request.h"
#include "lib/archive.h"
#include "lib/config.h"
#include "lib/log.h"

#define PATH_SIZE 512
#define EVERY_S_DEFAULT 86400
#define KEEP_DEFAULT 14
#define RETRY_S 60
#define ALERT "backup"
#define FILES_MAX (3 + 48) /* database, key, box, and config/backup.json's maxItems */

/* One backup on its way: everything the thread needs, and nothing of the loop's. */
struct job {
    struct backups *backups;  /* NULL: the controller ended meanwhile */
    struct request *requests; /* who waits for it; NULL: the timer asked */
    char database[PATH_SIZE], copy[PATH_SIZE], path[PATH_SIZE], name[96], tenant[FLT_NAME_MAX],
        fleet[FLT_ULID_MAX];
    char paths[FILES_MAX][PATH_SIZE], names[FILES_MAX][FLT_ARCHIVE_NAME_MAX];
    size_t file_count;
    uint8_t key[FLT_KEY_SIZE];
    int64_t created_ms;
    struct json_object *manifest; /* of the result */
    int64_t bytes;
    int err;
    struct flt_error error;
};

struct backups {
    struct controller *controller;
    char dir[PATH_SIZE];
    uint8_t key[FLT_KEY_SIZE];
    int64_t every_s, keep;
    int64_t last_ms;  /* of the newest; 0: none */
    int64_t retry_ms; /* monotonic: not before, after a failure */
    char failed[256];
    struct json_object *streams; /* {stream: position} of the newest; NULL: none */
    struct job *job;
};

/* --- the folder
 * ----------------------------------------------------------------------------------- */

static bool is_backup(const char *name)
{
    const size_t length = strlen(name);

    return strncmp(name, "flotilla-", 9) == 0 && length > 16 && length < 96 &&
           strcmp(name + length - 7, ".backup") == 0;
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name); /* the name has the time */
}

static int filter_backups(const struct dirent *entry)
{
    return is_backup(entry->d_name);
}

/* The entries, newest first; negative errno. Freed with free_entries. */
static int list_folder(const char *dir, struct dirent ***out)
{
    const int count = scandir(dir, out, filter_backups, newest_first);

    return count < 0 ? -errno : count;
}

static void free_entries(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    if (count >= 0)
        free(entries);
}

static void row_of(const char *path, const char *name, struct json_object *manifest,
                   struct msg_backup_row *out)
{
    struct stat info;
    const char *version = "";

    *out = (struct msg_backup_row){ .bytes = stat(path, &info) == 0 ? info.st_size : 0 };
    snprintf(out->name, sizeof out->name, "%s", name);
    (void)flt_json_int(manifest, "created_ms", &out->created_ms);
    out->has_version = flt_json_str(manifest, "version", &version);
    snprintf(out->version, sizeof out->version, "%s", version);
    out->has_term = flt_json_int(manifest, "term", &out->term);
    out->has_fills = flt_json_int(manifest, "fills", &out->fills);
    out->has_bots = flt_json_int(manifest, "bots", &out->bots);
}

static void prune(const struct backups *backups)
{
    struct dirent **entries = NULL;
    const int count = list_folder(backups->dir, &entries);
    char path[PATH_SIZE];

    for (int i = (int)backups->keep; i < count; i++)
        if (flt_path_join(path, sizeof path, backups->dir, entries[i]->d_name) == 0 &&
            unlink(path) == 0)
            FLT_LOG(INFO, "pruned", "name=%s", entries[i]->d_name);
    free_entries(entries, count);
}

/* Learns from the newest readable manifest what is safe already. */
static void learn_newest(struct backups *backups)
{
    struct dirent **entries = NULL;
    const int count = list_folder(backups->dir, &entries);
    char path[PATH_SIZE];

    for (int i = 0; i < count && !backups->streams; i++) {
        struct json_object *manifest = NULL;
        struct flt_error error = { 0 };

        if (flt_path_join(path, sizeof path, backups->dir, entries[i]->d_name) == 0)
            manifest = flt_archive_manifest(path, &error);
        if (manifest) {
            backups->streams = json_object_get(flt_json_get(manifest, "streams"));
            (void)flt_json_int(manifest, "created_ms", &backups->last_ms);
        }
        json_object_put(manifest);
    }
    free_entries(entries, count);
}

/* --- one backup, on the thread pool
 * --------------------------------------------------------------- */

/* All pages in one step: a snapshot that the writer can neither change nor start anew. */
static int copy_database(const struct job *job, struct flt_error *error)
{
    sqlite3 *to = NULL;
    sqlite3_backup *backup = NULL;
    struct flt_db *from = NULL;
    int err = flt_db_open_readonly(job->database, STORE_APPLICATION_ID, error, &from);
    int code = SQLITE_OK;

    if (err)
        return err;
    (void)unlink(job->copy);
    code = sqlite3_open(job->copy, &to);
    if (code == SQLITE_OK)
        backup = sqlite3_backup_init(to, "main", flt_db_handle(from), "main");
    if (backup) {
        do
            code = sqlite3_backup_step(backup, -1);
        while ((code == SQLITE_BUSY || code == SQLITE_LOCKED) && usleep(20000) == 0);
        code = sqlite3_backup_finish(backup);
        if (code == SQLITE_OK) /* one file, without a log beside it */
            code = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    } else if (code == SQLITE_OK) {
        code = sqlite3_errcode(to);
    }
    if (code != SQLITE_OK)
        err = flt_error_set(error, code == SQLITE_FULL ? FLT_UNAVAILABLE : FLT_INTERNAL, "",
                            "is there room on the disk?", "cannot copy the database: %s",
                            to ? sqlite3_errmsg(to) : "no memory");
    sqlite3_close(to);
    flt_db_close(from);
    return err;
}

static int64_t one_number(struct flt_db *db, const char *sql)
{
    sqlite3_stmt *stmt = flt_db_stmt(db, sql);
    int64_t value = 0;

    if (stmt && flt_db_step(db, stmt) == FLT_DB_ROW) {
        value = flt_db_int(stmt, 0);
        sqlite3_reset(stmt);
    }
    return value;
}

static void add_number(struct json_object *object, const char *key, int64_t value)
{
    json_object_object_add(object, key, json_object_new_int64(value));
}

/* Checks the copy, not the original, and says in the manifest what it holds. */
static int describe(struct job *job, struct flt_error *error)
{
    struct json_object *streams = json_object_new_object();
    struct flt_db *db = NULL;
    sqlite3_stmt *stmt;
    int err = flt_db_open_readonly(job->copy, STORE_APPLICATION_ID, error, &db);

    job->manifest = json_object_new_object();
    json_object_object_add(job->manifest, "tenant", json_object_new_string(job->tenant));
    json_object_object_add(job->manifest, "fleet", json_object_new_string(job->fleet));
    json_object_object_add(job->manifest, "version", json_object_new_string(FLT_VERSION));
    add_number(job->manifest, "created_ms", job->created_ms);
    json_object_object_add(job->manifest, "streams", streams);
    if (err)
        return err;
    stmt = flt_db_stmt(db, "PRAGMA quick_check(1)");
    if (!stmt || flt_db_step(db, stmt) != FLT_DB_ROW || strcmp(flt_db_str(stmt, 0), "ok") != 0)
        err = flt_error_set(error, FLT_INTERNAL, "", "see flotilla doctor",
                            "the copied database is damaged: %s",
                            stmt ? flt_db_str(stmt, 0) : "it does not open");
    if (stmt)
        sqlite3_reset(stmt);
    add_number(job->manifest, "schema", one_number(db, "PRAGMA user_version"));
    add_number(job->manifest, "term", one_number(db, "SELECT value FROM meta WHERE key = 'term'"));
    add_number(job->manifest, "epoch", one_number(db, "SELECT COALESCE(MAX(epoch), 0) FROM bots"));
    add_number(job->manifest, "fills", one_number(db, "SELECT COUNT(*) FROM fills"));
    add_number(job->manifest, "bots",
               one_number(db, "SELECT COUNT(*) FROM bots WHERE removed = 0"));
    stmt = flt_db_stmt(db, "SELECT stream, committed FROM streams");
    while (stmt && flt_db_step(db, stmt) == FLT_DB_ROW)
        add_number(streams, flt_db_str(stmt, 0), flt_db_int(stmt, 1));
    flt_db_close(db);
    return err;
}

static void work(void *arg)
{
    struct job *job = arg;
    struct flt_archive_file files[FILES_MAX];
    struct stat info;

    job->err = copy_database(job, &job->error);
    if (!job->err)
        job->err = describe(job, &job->error);
    for (size_t i = 0; i < job->file_count; i++)
        files[i] = (struct flt_archive_file){ job->names[i], job->paths[i] };
    if (!job->err)
        job->err = flt_archive_write(job->path, job->key, job->manifest, files, job->file_count,
                                     &job->error);
    if (!job->err)
        job->err = flt_archive_extract(job->path, job->key, NULL, &job->error);
    if (!job->err)
        job->bytes = stat(job->path, &info) == 0 ? info.st_size : 0;
    (void)unlink(job->copy);
}

/* --- before and after, on the loop
 * ---------------------------------------------------------------- */

static void free_job(struct job *job)
{
    flt_wipe(job->key, sizeof job->key);
    json_object_put(job->manifest);
    free(job);
}

static void answer(struct job *job)
{
    struct msg_backup_create_result result = { 0 };

    if (!job->requests)
        return;
    row_of(job->path, job->name, job->manifest, &result.backup);
    snprintf(result.path, sizeof result.path, "%s", job->path);
    if (job->err)
        request_refuse(job->requests, &job->error);
    else
        request_answer(job->requests, &result);
}

static void on_done(void *arg)
{
    struct job *job = arg;
    struct backups *backups = job->backups;

    if (!backups) {
        free_job(job);
        return;
    }
    backups->job = NULL;
    if (job->err) {
        FLT_LOG(ERROR, "failed", "why=\"%s\"", job->error.message);
        backups->retry_ms = controller_mono_ms(backups->controller) + RETRY_S * 1000;
        snprintf(backups->failed, sizeof backups->failed, "%s", job->error.message);
        alert_raise(backups->controller, ALERT, MSG_SEVERITY_WARNING, "backup_failed", "controller",
                    "no backup could be written: %s", job->error.message);
    } else {
        if (backups->failed[0])
            alert_clear(backups->controller, ALERT);
        backups->failed[0] = 0;
        backups->last_ms = job->created_ms;
        json_object_put(backups->streams);
        backups->streams = json_object_get(flt_json_get(job->manifest, "streams"));
        FLT_LOG(INFO, "written", "name=%s bytes=%" PRId64, job->name, job->bytes);
        prune(backups);
    }
    answer(job);
    free_job(job);
}

static int add_file(struct job *job, const char *dir, const char *file, const char *name)
{
    const size_t at = job->file_count;

    char path[PATH_SIZE];

    if (flt_path_join(path, sizeof path, dir, file) == 0 && at > 0 && access(path, F_OK) != 0) {
        FLT_LOG(WARN, "file_missing", "name=%s", name); /* the rest is worth a backup */
        return 0;
    }
    if (at == FILES_MAX || flt_path_join(job->paths[at], PATH_SIZE, dir, file) != 0 ||
        (size_t)snprintf(job->names[at], FLT_ARCHIVE_NAME_MAX, "%s", name) >= FLT_ARCHIVE_NAME_MAX)
        return -ENAMETOOLONG;
    job->file_count++;
    return 0;
}

static int fill_job(struct job *job, struct backups *backups)
{
    const struct msg_config_controller *config = &backups->controller->config;
    const struct msg_config_backup *settings = &config->backup;
    char part[64], stamp[24];
    const time_t seconds = (time_t)(job->created_ms / 1000);
    struct tm tm;
    int err;

    gmtime_r(&seconds, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(job->name, sizeof job->name, "flotilla-%s.backup", stamp);
    snprintf(job->tenant, sizeof job->tenant, "%s", config->tenant);
    snprintf(job->fleet, sizeof job->fleet, "%s", config->fleet);
    memcpy(job->key, backups->key, sizeof job->key);
    snprintf(part, sizeof part, ".copy-%ld.db", (long)getpid());
    err = flt_path_join(job->database, PATH_SIZE, config->dir, "controller.db");
    if (!err)
        err = flt_path_join(job->copy, PATH_SIZE, backups->dir, part);
    if (!err)
        err = flt_path_join(job->path, PATH_SIZE, backups->dir, job->name);
    if (!err)
        err = add_file(job, backups->dir, part, "controller/controller.db");
    if (!err)
        err = add_file(job, config->dir, "key", "controller/key");
    if (!err)
        err = add_file(job, config->dir, "box", "controller/box");
    for (size_t i = 0;
         !err && config->has_backup && settings->has_root && i < settings->files_count; i++)
        err = add_file(job, settings->root, settings->files[i], settings->files[i]);
    return err;
}

/* `request` (may be NULL) gets its answer at the end. */
static int start(struct backups *backups, struct request *request, struct flt_error *error)
{
    struct job *job;
    int err = 0;

    if (backups->job)
        return flt_error_set(error, FLT_CONFLICT, "", "ask again in a moment",
                             "a backup is being written already");
    job = calloc(1, sizeof *job);
    if (!job)
        return -ENOMEM;
    *job = (struct job){ .backups = backups, .created_ms = controller_now_ms(backups->controller) };
    if (request && !(job->requests = request_keep(request)))
        err = -ENOMEM;
    if (!err && !controller_commit(backups->controller)) /* what was answered is in it */
        err = -EIO;
    if (!err)
        err = fill_job(job, backups);
    if (!err)
        err = flt_loop_work(backups->controller->loop, work, on_done, job);
    if (err) {
        free(job->requests);
        free_job(job);
        return flt_error_set(error, flt_error_from_errno(err), "", "", "cannot start a backup: %s",
                             strerror(-err));
    }
    backups->job = job;
    return 0;
}

void backups_on_second(struct backups *backups)
{
    const int64_t now = controller_now_ms(backups->controller);
    struct flt_error error = { 0 };

    if (backups->every_s == 0 || backups->job ||
        controller_mono_ms(backups->controller) < backups->retry_ms ||
        (backups->last_ms && now - backups->last_ms < backups->every_s * 1000))
        return;
    if (start(backups, NULL, &error) != 0)
        backups->retry_ms = controller_mono_ms(backups->controller) + RETRY_S * 1000;
}

int64_t backups_position(struct backups *backups, const char *stream, int64_t committed)
{
    int64_t position = 0; /* nothing of it is in a backup yet */

    if (backups->every_s == 0)
        return committed;
    if (backups->streams)
        (void)flt_json_int(backups->streams, stream, &position);
    return position < committed ? position : committed;
}

int backups_create(struct controller *controller, struct flt_error *error, struct backups **out)
{
    const struct msg_config_backup *settings = &controller->config.backup;
    struct backups *backups = calloc(1, sizeof *backups);
    char path[PATH_SIZE];
    int err = 0;

    if (!backups)
        return -ENOMEM;
    backups->controller = controller;
    backups->every_s = settings->has_every_s ? settings->every_s : EVERY_S_DEFAULT;
    backups->keep = settings->has_keep ? settings->keep : KEEP_DEFAULT;
    if (settings->has_dir)
        snprintf(backups->dir, sizeof backups->dir, "%s", settings->dir);
    else
        err = flt_path_join(backups->dir, sizeof backups->dir, controller->config.dir, "backups");
    if (settings->has_key_file)
        snprintf(path, sizeof path, "%s", settings->key_file);
    else if (!err)
        err = flt_path_join(path, sizeof path, controller->config.dir, "backup.key");
    if (!err)
        err = flt_mkdir_p(backups->dir);
    if (!err)
        err = flt_key_file(path, backups->key);
    if (err) {
        free(backups);
        return flt_error_set(error, flt_error_from_errno(err), "backup",
                             "backup.dir and backup.key_file say where",
                             "the backups' folder or key cannot be used: %s", strerror(-err));
    }
    learn_newest(backups);
    *out = backups;
    return 0;
}

void backups_destroy(struct backups *backups)
{
    if (!backups)
        return;
    if (backups->job) {
        backups->job->backups = NULL;
        free(backups->job->requests);
        backups->job->requests = NULL;
    }
    json_object_put(backups->streams);
    flt_wipe(backups->key, sizeof backups->key);
    free(backups);
}

HANDLER(verb_backup_create)
{
    const int err = start(request->controller->backups, request, error);

    (void)args;
    (void)result;
    return err ? err : REQUEST_LATER;
}

HANDLER(verb_backup_ls)
{
    struct backups *backups = request->controller->backups;
    struct msg_backup_ls_result *out = result;
    struct dirent **entries = NULL;
    const int count = list_folder(backups->dir, &entries);
    char path[PATH_SIZE];

    (void)args;
    if (count < 0)
        return flt_error_set(error, FLT_UNAVAILABLE, "", "", "cannot read %s: %s", backups->dir,
                             strerror(-count));
    out->items = calloc((size_t)count + 1, sizeof *out->items);
    for (int i = 0; out->items && i < count; i++) {
        struct flt_error unread = { 0 };
        struct json_object *manifest = NULL;

        if (flt_path_join(path, sizeof path, backups->dir, entries[i]->d_name) == 0)
            manifest = flt_archive_manifest(path, &unread);
        row_of(path, entries[i]->d_name, manifest, &out->items[out->items_count++]);
        json_object_put(manifest);
    }
    free_entries(entries, count);
    snprintf(out->dir, sizeof out->dir, "%s", backups->dir);
    out->has_next_ms = backups->every_s > 0;
    out->next_ms = (backups->last_ms ? backups->last_ms : controller_now_ms(request->controller)) +
                   (backups->last_ms ? backups->every_s * 1000 : 0);
    out->has_failed = backups->failed[0] != 0;
    snprintf(out->failed, sizeof out->failed, "%s", backups->failed);
    return out->items ? 0 : -ENOMEM;
}
