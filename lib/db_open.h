/* What lib/db.c and lib/db_open.c share; nobody else includes it. */
#pragma once
#include "lib/db.h"

struct flt_db_slot {
    const char *sql; /* the literal's address is the key; NULL: free */
    sqlite3_stmt *stmt;
};

struct flt_db {
    sqlite3 *handle;
    char *path;
    struct flt_db_slot *slots; /* open addressing, a power of two, at most half full */
    size_t slot_count, slots_used;
};

/* The errno of SQLite's last result on `db`, negative. */
int flt_db_errno(sqlite3 *handle);
