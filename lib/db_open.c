/* Opening a database: whose it is, whether it is sound, and the migrations that are due. Nothing is
 * written before all of that is known. */
#define FLT_MOD "db"
#include "lib/db_open.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file up to this size is checked whole (some 10 ms); a larger one shows its damage when the
 * damaged page is read, as -EBADMSG. */
#define CHECK_BYTES_MAX ((off_t)8 * 1024 * 1024)
#define BUSY_TIMEOUT_MS 5000

#define HINT_DAMAGED "restore it from a backup, or move it away to start with an empty one"

/* Measured, and why each: docs/ARCHITECTURE.md. FULL: a commit that was acknowledged survives a
 * power cut. journal_size_limit gives the space of a burst back. */
#define PRAGMAS                                                                                    \
    "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-4096;"                    \
    "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=OFF; PRAGMA wal_autocheckpoint=4000;"          \
    "PRAGMA journal_size_limit=67108864; PRAGMA trusted_schema=OFF"

struct opening {
    const char *path;
    int32_t application_id;
    int version_newest;
    struct flt_error *error;
    struct flt_db *db;
};

static int refuse(struct opening *opening, int err, enum flt_error_code code, const char *hint,
                  const char *why)
{
    (void)flt_error_set(opening->error, code, NULL, hint, "%s %s", opening->path, why);
    return FLT_FAIL(err, "path=%s why=\"%s\"", opening->path, why);
}

/* What SQLite said last, as a sentence about the file. */
static int refuse_sqlite(struct opening *opening)
{
    sqlite3 *const handle = opening->db->handle;
    const int err = handle ? flt_db_errno(handle) : -ENOMEM;
    char why[200];

    if (err == -EBADMSG)
        return refuse(opening, err, FLT_CONFLICT, HINT_DAMAGED,
                      "is damaged; it was left untouched");
    if (err == -EBUSY)
        return refuse(opening, err, FLT_CONFLICT, "stop the other program first",
                      "is in use by another program");
    if (err == -ENOSPC)
        return refuse(opening, err, FLT_UNAVAILABLE, "free some space and start again",
                      "cannot be written: the disk is full");
    (void)snprintf(why, sizeof why, "cannot be opened: %s%s%s",
                   handle ? sqlite3_errmsg(handle) : "out of memory",
                   err != -EIO && err != -ENOMEM ? ": " : "",
                   err != -EIO && err != -ENOMEM ? strerror(-err) : "");
    return refuse(opening, err, flt_error_from_errno(err), NULL, why);
}

static int refuse_foreign(struct opening *opening, int64_t id)
{
    char why[120];

    (void)snprintf(why, sizeof why,
                   "is a database of another kind (id %" PRId64 ", expected %" PRId32
                   "); it was left untouched",
                   id, opening->application_id);
    return refuse(opening, -EBADMSG, FLT_CONFLICT, "check the folder that the configuration names",
                  why);
}

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The first 100 bytes (sqlite.org/fileformat2.html, 1.3), before SQLite touches the file: it would
 * roll a journal back that lies beside it. An empty or missing file is fine. */
static int check_header(struct opening *opening)
{
    unsigned char header[100];
    const int fd = open(opening->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? 0 : FLT_FAIL(-errno, "path=%s", opening->path);
    const ssize_t size = read(fd, header, sizeof header);

    close(fd);
    if (size == 0)
        return 0;
    if (size != (ssize_t)sizeof header || memcmp(header, "SQLite format 3", 16) != 0)
        return refuse(opening, -EBADMSG, FLT_CONFLICT, HINT_DAMAGED,
                      "is not a database, or is damaged; it was left untouched");
    const int32_t id = (int32_t)be32(header + 68);

    return id != 0 && id != opening->application_id ? refuse_foreign(opening, id) : 0;
}

/* The one integer or text that a statement gives. */
static int query(struct opening *opening, const char *sql, int64_t *integer, char text[16])
{
    sqlite3_stmt *stmt = NULL;
    int err = 0;

    if (sqlite3_prepare_v2(opening->db->handle, sql, -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        err = refuse_sqlite(opening);
    else if (text)
        flt_db_copy(stmt, 0, text, 16);
    else
        *integer = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return err;
}

static int check_pages(struct opening *opening)
{
    struct stat info;
    char result[16];

    if (stat(opening->path, &info) != 0 || info.st_size > CHECK_BYTES_MAX)
        return 0;
    const int err = query(opening, "PRAGMA quick_check(1)", NULL, result);

    if (err || strcmp(result, "ok") == 0)
        return err;
    return refuse(opening, -EBADMSG, FLT_CONFLICT, HINT_DAMAGED,
                  "is damaged; it was left untouched");
}

static int check_owner(struct opening *opening)
{
    int64_t id = 0, tables = 0, version = 0;
    char why[120];
    int err = query(opening, "PRAGMA application_id", &id, NULL);

    if (!err)
        err = query(opening, "SELECT count(*) FROM sqlite_master", &tables, NULL);
    if (!err)
        err = query(opening, "PRAGMA user_version", &version, NULL);
    if (err)
        return err;
    if (id != opening->application_id && (id != 0 || tables > 0))
        return refuse_foreign(opening, id);
    if (version <= opening->version_newest)
        return check_pages(opening);
    (void)snprintf(why, sizeof why,
                   "was written by a newer version (schema %" PRId64 ", this program knows %d)",
                   version, opening->version_newest);
    return refuse(opening, -EPROTO, FLT_CONFLICT, "start the newer version of the program", why);
}

/* Runs under the write lock, so that of two programs that start at once one migrates. */
static int migrate_locked(struct opening *opening, const struct flt_migration *migrations,
                          size_t count)
{
    int64_t version = 0;
    char sql[96];
    int err = query(opening, "PRAGMA user_version", &version, NULL);

    for (size_t i = (size_t)version; !err && i < count; i++) {
        assert(migrations[i].version == (int)i + 1);
        if (sqlite3_exec(opening->db->handle, migrations[i].sql, NULL, NULL, NULL) != SQLITE_OK)
            err = refuse_sqlite(opening);
    }
    if (err || (size_t)version >= count)
        return err;
    (void)snprintf(sql, sizeof sql, "PRAGMA application_id=%" PRId32 "; PRAGMA user_version=%zu",
                   opening->application_id, count);
    return sqlite3_exec(opening->db->handle, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : refuse_sqlite(opening);
}

static int migrate(struct opening *opening, const struct flt_migration *migrations, size_t count)
{
    sqlite3 *const handle = opening->db->handle;

    if (sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return refuse_sqlite(opening);
    int err = migrate_locked(opening, migrations, count);

    if (!err && sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        err = refuse_sqlite(opening);
    if (err)
        flt_db_rollback(opening->db);
    return err;
}

static int go_wal(struct opening *opening)
{
    char mode[16] = "";
    const int err = query(opening, "PRAGMA journal_mode=WAL", NULL, mode);

    if (err)
        return err;
    if (strcmp(mode, "wal") != 0)
        return refuse(opening, -EIO, FLT_UNAVAILABLE, "put the folder on a local disk",
                      "cannot use write-ahead logging");
    return 0;
}

/* SQLite would make it readable by all; -wal and -shm take the file's mode. */
static int create_private(struct opening *opening)
{
    const int fd = open(opening->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char why[120];

    if (fd >= 0) {
        close(fd);
        return 0;
    }
    const int err = -errno;

    (void)snprintf(why, sizeof why, "cannot be opened: %s", strerror(-err));
    return refuse(opening, err, flt_error_from_errno(err), NULL, why);
}

/* While `held` nothing moves from the log into the file, also not at close. */
static void hold_checkpoint(struct flt_db *db, bool held)
{
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (int)held, NULL);
}

static int open_handle(struct opening *opening, int flags)
{
    struct flt_db *const db = opening->db = calloc(1, sizeof *db);

    if (!db || !(db->path = strdup(opening->path)))
        return FLT_FAIL(-ENOMEM, "path=%s", opening->path);
    if (sqlite3_open_v2(opening->path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return refuse_sqlite(opening);
    (void)sqlite3_extended_result_codes(db->handle, 1);
    (void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    hold_checkpoint(db, true);
    return check_owner(opening);
}

static int settle(struct opening *opening, int err, struct flt_db **out)
{
    if (err) {
        flt_db_close(opening->db);
        return err;
    }
    *out = opening->db;
    return 0;
}

int flt_db_open(const char *path, int32_t application_id, const struct flt_migration *migrations,
                size_t count, struct flt_error *error, struct flt_db **out)
{
    struct opening opening = {
        .path = path, .application_id = application_id, .version_newest = (int)count, .error = error
    };
    int err = check_header(&opening);

    if (!err)
        err = create_private(&opening);
    if (!err)
        err = open_handle(&opening, SQLITE_OPEN_READWRITE);
    if (!err)
        err = go_wal(&opening);
    if (!err && sqlite3_exec(opening.db->handle, PRAGMAS, NULL, NULL, NULL) != SQLITE_OK)
        err = refuse_sqlite(&opening);
    if (!err)
        err = migrate(&opening, migrations, count);
    if (!err)
        hold_checkpoint(opening.db, false);
    return settle(&opening, err, out);
}

int flt_db_open_readonly(const char *path, int32_t application_id, struct flt_error *error,
                         struct flt_db **out)
{
    struct opening opening = {
        .path = path, .application_id = application_id, .version_newest = INT32_MAX, .error = error
    };
    int err = check_header(&opening);

    if (!err)
        err = open_handle(&opening, SQLITE_OPEN_READONLY);
    if (!err && sqlite3_exec(opening.db->handle, "PRAGMA cache_size=-4096; PRAGMA query_only=ON",
                             NULL, NULL, NULL) != SQLITE_OK)
        err = refuse_sqlite(&opening);
    return settle(&opening, err, out);
}

void flt_db_close(struct flt_db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < db->slot_count; i++)
        (void)sqlite3_finalize(db->slots[i].stmt);
    (void)sqlite3_close_v2(db->handle);
    free(db->slots);
    free(db->path);
    free(db);
}
