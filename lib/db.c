/* Statements, transactions and values. Opening and migrating: lib/db_open.c. */
#define FLT_MOD "db"
#include "lib/db.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/db_open.h"

#define SLOTS_MIN 64

int flt_db_errno(sqlite3 *handle)
{
    const int code = sqlite3_extended_errcode(handle);

    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
        code == SQLITE_CONSTRAINT_ROWID)
        return -EEXIST;
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return -EACCES;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
        return -EINVAL;
    case SQLITE_CANTOPEN:
        return sqlite3_system_errno(handle) > 0 ? -sqlite3_system_errno(handle) : -EIO;
    default:
        return -EIO;
    }
}

/* Logged here, where it starts; a unique key that is there is an outcome that callers expect. */
static int failed(struct flt_db *db, const char *sql)
{
    const int err = flt_db_errno(db->handle);

    if (err == -EEXIST)
        return err;
    return FLT_FAIL(err, "path=%s why=\"%s\" sql=\"%.100s\"", db->path, sqlite3_errmsg(db->handle),
                    sql ? sql : "");
}

sqlite3 *flt_db_handle(struct flt_db *db)
{
    return db->handle;
}

int64_t flt_db_memory_bytes(void)
{
    return sqlite3_memory_used();
}

int flt_db_exec(struct flt_db *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db, sql);
}

/* The slot of `sql`, or the free one where it belongs. */
static struct flt_db_slot *slot_of(struct flt_db_slot *slots, size_t count, const char *sql)
{
    size_t i = (size_t)(((uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (count - 1);

    while (slots[i].sql && slots[i].sql != sql)
        i = (i + 1) & (count - 1);
    return &slots[i];
}

static bool grow(struct flt_db *db)
{
    const size_t count = db->slot_count ? db->slot_count * 2 : SLOTS_MIN;
    struct flt_db_slot *const slots = calloc(count, sizeof *slots);

    if (!slots)
        return false;
    for (size_t i = 0; i < db->slot_count; i++)
        if (db->slots[i].sql)
            *slot_of(slots, count, db->slots[i].sql) = db->slots[i];
    free(db->slots);
    db->slots = slots;
    db->slot_count = count;
    return true;
}

sqlite3_stmt *flt_db_stmt(struct flt_db *db, const char *sql)
{
    if (2 * db->slots_used >= db->slot_count && !grow(db)) {
        (void)FLT_FAIL(-ENOMEM, "path=%s", db->path);
        return NULL;
    }
    struct flt_db_slot *const slot = slot_of(db->slots, db->slot_count, sql);

    if (slot->sql) {
        const char *const known = sqlite3_sql(slot->stmt);

        assert(strncmp(known, sql, strlen(known)) == 0); /* not a literal: its memory was reused */
        (void)sqlite3_reset(slot->stmt);                 /* repeats the error of its last step */
        (void)sqlite3_clear_bindings(slot->stmt);
        return slot->stmt;
    }
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &slot->stmt, NULL) !=
        SQLITE_OK) {
        (void)failed(db, sql);
        return NULL;
    }
    slot->sql = sql;
    db->slots_used++;
    return slot->stmt;
}

int flt_db_step(struct flt_db *db, sqlite3_stmt *stmt)
{
    if (!stmt)
        return -EIO; /* logged when it did not prepare */
    const int code = sqlite3_step(stmt);

    if (code == SQLITE_ROW)
        return FLT_DB_ROW;
    const int err = code == SQLITE_DONE ? 0 : failed(db, sqlite3_sql(stmt));

    (void)sqlite3_reset(stmt); /* lets go of its lock, so that the log can be checkpointed */
    return err;
}

int flt_db_begin(struct flt_db *db)
{
    return flt_db_step(db, flt_db_stmt(db, "BEGIN IMMEDIATE"));
}

int flt_db_commit(struct flt_db *db)
{
    return flt_db_step(db, flt_db_stmt(db, "COMMIT"));
}

void flt_db_rollback(struct flt_db *db)
{
    if (!sqlite3_get_autocommit(db->handle)) /* a full disk has rolled back by itself */
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* A wrong index is a bug of ours, and a row without its value must not be written. */
static void bound(int code)
{
    assert(code == SQLITE_OK);
    (void)code;
}

void flt_db_bind_str(sqlite3_stmt *stmt, int index, const char *text)
{
    if (stmt)
        bound(text ? sqlite3_bind_text(stmt, index, text, -1, SQLITE_TRANSIENT)
                   : sqlite3_bind_null(stmt, index));
}

void flt_db_bind_int(sqlite3_stmt *stmt, int index, int64_t value)
{
    if (stmt)
        bound(sqlite3_bind_int64(stmt, index, value));
}

void flt_db_bind_dec(sqlite3_stmt *stmt, int index, struct flt_dec value)
{
    char text[FLT_DEC_TEXT_MAX];

    flt_db_bind_str(stmt, index, flt_dec_ok(value) ? flt_dec_format(value, text) : NULL);
}

void flt_db_bind_amt(sqlite3_stmt *stmt, int index, struct flt_amt value)
{
    char text[FLT_AMT_TEXT_MAX];

    flt_db_bind_str(stmt, index, flt_amt_ok(value) ? flt_amt_format(value, text) : NULL);
}

const char *flt_db_str(sqlite3_stmt *stmt, int column)
{
    const unsigned char *const text = sqlite3_column_text(stmt, column);

    return text ? (const char *)text : "";
}

int64_t flt_db_int(sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_int64(stmt, column);
}

struct flt_dec flt_db_dec(sqlite3_stmt *stmt, int column)
{
    return flt_dec_parse(flt_db_str(stmt, column));
}

struct flt_amt flt_db_amt(sqlite3_stmt *stmt, int column)
{
    return flt_amt_parse(flt_db_str(stmt, column));
}

void flt_db_copy(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
    if (size > 0)
        (void)snprintf(out, size, "%s", flt_db_str(stmt, column));
}
