/* SQLite, opened the way every database here is: WAL, synchronous FULL, foreign keys, a busy
 * timeout, numbered migrations, and prepared statements that are kept.
 *
 * A file that is corrupt, of a newer version, or not ours is refused and left untouched. Failures:
 * -ENOMEM, -EIO, -ENOSPC (full disk), -EBUSY, -EBADMSG (corrupt), -EPROTO (newer version),
 * -EEXIST (a unique key is there). Threads: a connection belongs to one thread. */
#pragma once
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/amt.h"
#include "lib/attr.h"
#include "lib/dec.h"
#include "lib/fail.h"

struct flt_db;

struct flt_migration {
    int version;     /* 1, 2, 3, ... without gaps */
    const char *sql; /* runs inside one transaction with the others that are due */
};

/* Opens or creates `path` and brings it to the newest version. `error` (may be NULL) gets a
 * sentence for people: what is wrong with which file and what to do. `application_id` marks the
 * file as ours (PRAGMA application_id), so that the controller cannot open a node's journal by
 * mistake. */
FLT_MUST_USE int flt_db_open(const char *path, int32_t application_id,
                             const struct flt_migration *migrations, size_t count,
                             struct flt_error *error, struct flt_db **out);
FLT_MUST_USE int flt_db_open_readonly(const char *path, int32_t application_id,
                                      struct flt_error *error, struct flt_db **out);
void flt_db_close(struct flt_db *db); /* NULL is fine; finalizes its statements, checkpoints */
sqlite3 *flt_db_handle(struct flt_db *db);
int64_t flt_db_memory_bytes(void); /* of all connections of this process: pages, statements */

FLT_MUST_USE int flt_db_exec(struct flt_db *db, const char *sql);
FLT_MUST_USE int flt_db_begin(struct flt_db *db); /* BEGIN IMMEDIATE */
FLT_MUST_USE int flt_db_commit(struct flt_db *db);
void flt_db_rollback(struct flt_db *db);

/* A statement kept by the address of its SQL literal: prepared once, reset and unbound at each
 * call. NULL: does not prepare (logged); bind and step take it, step then fails. */
sqlite3_stmt *flt_db_stmt(struct flt_db *db, const char *sql);
/* Runs `stmt`: 0 done, FLT_DB_ROW a row is there, negative a failure (logged; -EEXIST is not). Who
 * stops before the last row calls sqlite3_reset(), or the read goes on and holds the log's end. */
enum { FLT_DB_ROW = 1 };
FLT_MUST_USE int flt_db_step(struct flt_db *db, sqlite3_stmt *stmt);

/* Binding by position from 1; text is copied. A bad decimal is bound as null, which NOT NULL
 * refuses. */
void flt_db_bind_str(sqlite3_stmt *stmt, int index, const char *text); /* NULL: null */
void flt_db_bind_int(sqlite3_stmt *stmt, int index, int64_t value);
void flt_db_bind_dec(sqlite3_stmt *stmt, int index, struct flt_dec value); /* canonical text */
void flt_db_bind_amt(sqlite3_stmt *stmt, int index, struct flt_amt value);
/* Reading by column from 0. Text is borrowed until the next step; never NULL ("" for null, which is
 * a bad decimal). */
const char *flt_db_str(sqlite3_stmt *stmt, int column);
int64_t flt_db_int(sqlite3_stmt *stmt, int column);
struct flt_dec flt_db_dec(sqlite3_stmt *stmt, int column);
struct flt_amt flt_db_amt(sqlite3_stmt *stmt, int column);
/* Copies text into a caller's array, cut to fit; the usual end of a row's read. */
void flt_db_copy(sqlite3_stmt *stmt, int column, char *out, size_t size);
