/* The controller's database: writes gather in one transaction that the caller commits.
 *
 * The first write opens the transaction; store_commit() makes all of them durable together (the
 * loop does so every 10 ms while something waits, and before each answer that says "recorded"). A
 * write or commit that fails leaves memory ahead of the file, so the caller ends the process: a
 * restart from the file is right, going on would not be. Thread: the loop's. Failures: as lib/db.h.
 */
#pragma once
#include "controller/books.h"
#include "controller/inventory.h"
#include "lib/db.h"

#define STORE_APPLICATION_ID 0x464c5443 /* "FLTC" */

struct store {
    struct flt_db *db;
    bool open_tx;
    uint64_t writes; /* since the last commit */
    /* Of the request that is being carried out; "" otherwise. */
    char origin[49], request[TOPIC_LEVEL_MAX]; /* whence; its id, where answers are kept by it */
};

FLT_MUST_USE int store_open(struct store *store, const char *path, struct flt_error *error);
void store_close(struct store *store);
FLT_MUST_USE int store_commit(struct store *store);

/* A statement for writing (inside the transaction) or reading (sees what is not committed yet). */
sqlite3_stmt *store_write(struct store *store, const char *sql);
sqlite3_stmt *store_read(struct store *store, const char *sql);
/* Runs a write to its end. */
FLT_MUST_USE int store_run(struct store *store, sqlite3_stmt *stmt);
bool store_next(struct store *store, sqlite3_stmt *stmt); /* false: no more rows, or a failure */

int64_t store_meta_int(struct store *store, const char *key, int64_t fallback);
FLT_MUST_USE int store_set_meta_int(struct store *store, const char *key, int64_t value);

FLT_MUST_USE int store_load(struct store *store, struct inventory *inventory, struct books *books);
FLT_MUST_USE int store_save_node(struct store *store, const struct node *node, int64_t now_ms);
/* The bot's row, and one of its history: who did what. */
FLT_MUST_USE int store_save_bot(struct store *store, const struct bot *bot, const char *by,
                                const char *what);
FLT_MUST_USE int store_save_books(struct store *store, struct books *books); /* the dirty ones */

/* --- the streams of the nodes -------------------------------------------------------------------
 */

int64_t store_stream_position(struct store *store, const char *stream); /* -1: never seen */
FLT_MUST_USE int store_set_stream(struct store *store, const char *stream, const char *node,
                                  int64_t committed, int64_t now_ms);
/* STORE_DUPLICATE: this stream number or this live trade is booked already. */
enum { STORE_DUPLICATE = 1 };
FLT_MUST_USE int store_add_fill(struct store *store, const char *stream, const char *node,
                                const struct msg_ev_record *record);
/* A live trade that is booked already stands at this place of this stream as well. */
FLT_MUST_USE int store_fill_again(struct store *store, const char *stream,
                                  const struct msg_ev_record *record);
/* A record that is booked under this number says something else than this one. */
bool store_has_other(struct store *store, const char *stream, const struct msg_ev_record *record);
FLT_MUST_USE int store_add_order(struct store *store, const char *stream,
                                 const struct msg_ev_record *record);
FLT_MUST_USE int store_add_event(struct store *store, const char *stream,
                                 const struct msg_ev_record *record, const char *text,
                                 const char *data);

/* --- accounts
 * ------------------------------------------------------------------------------------- */

#define STORE_SEALED_MAX 8192

struct account_row {
    struct msg_account account;
    uint8_t sealed[STORE_SEALED_MAX]; /* aad: controller/accounts.c */
    size_t sealed_size;               /* 0: no keys stored */
};
bool store_find_account(struct store *store, const char *name, struct account_row *out);
FLT_MUST_USE int store_save_account(struct store *store, const struct account_row *row);
