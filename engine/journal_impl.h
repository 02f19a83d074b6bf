/* What journal.c, journal_store.c and journal_read.c share; nobody else includes it.
 *
 * The loop thread owns everything but the storage thread's struct store. A write is an op; ops wait
 * in `queued` while the storage thread holds at most one batch of them, which it only reads. When
 * the batch is committed it comes back, and everything that queued up meanwhile goes out as the
 * next one: that is the group commit. Both ways are an flt_ring for what is said and an eventfd to
 * wake the other side. */
#pragma once
#include <stdatomic.h>
#include "engine/journal.h"
#include "engine/journal_ring.h"
#include "lib/db.h"
#include "lib/ring.h"

#define JOURNAL_APPLICATION_ID 0x464c544a /* "FLTJ" */
#define STREAM_SHIFT 40                   /* records.id = stream number << 40 | n */
#define SEQUENCE_BLOCK 4096
#define SEQUENCE_MAX UINT32_MAX
#define SEQUENCE_RESERVED "sequence_reserved" /* in table numbers */
#define NUMBER_NAME_MAX 32

enum op_kind {
    OP_RECORD, /* a record, a snapshot and a trade, each if it is there */
    OP_BOT,
    OP_BOT_REMOVE,
    OP_TRADES_FORGET,
    OP_COMMAND,
    OP_COMMANDS_EXPIRE,
    OP_HALT,
    OP_ACCOUNT,
    OP_ACCOUNT_REMOVE,
    OP_NUMBER,
    OP_RESERVE, /* the next block of sequences */
    OP_STREAM,
    OP_PRUNE,
    OP_AFTER, /* nothing to write: a call back */
    OP_KIND_COUNT
};

#define OP_TEXTS 7
#define OP_NUMBERS 3
/* Places of OP_RECORD. Those of the others are the parameters of their SQL, texts first. */
enum { TEXT_BOT, TEXT_KIND, TEXT_BODY, TEXT_ACCOUNT, TEXT_INSTRUMENT, TEXT_TRADE, TEXT_ORDER };
enum { NUMBER_ID, NUMBER_TS, NUMBER_TRADE_TS }; /* id 0: no record */

struct op {
    struct op *next;
    struct op *older_command; /* OP_COMMAND: the one queued before */
    enum op_kind kind;
    bool committed;            /* loop thread */
    struct bot_slot *trade_of; /* loop thread: OP_RECORD with a trade */
    size_t bytes;              /* what it counts in `waiting_bytes` */
    const char *texts[OP_TEXTS];
    int64_t numbers[OP_NUMBERS];
    char *state; /* on its own, as a newer one in the same batch takes its place */
    void (*fn)(void *ctx);
    void *ctx;
    char data[];
};

struct ops {
    struct op *first, **last;
    size_t count;
};

struct bot_slot { /* what of a bot is on its way to the disk */
    struct bot_slot *next;
    struct op *op; /* of its newest snapshot; valid while `batch` is being filled or in flight */
    uint64_t batch;
    size_t trades; /* queued and in flight */
    char name[FLT_NAME_MAX];
};
#define BOT_BUCKETS 1024

struct number {
    char name[NUMBER_NAME_MAX];
    int64_t value;
};

enum note_kind { NOTE_COMMITTED, NOTE_TROUBLE, NOTE_ROOM };

struct note { /* from the storage thread */
    enum note_kind kind;
    int err;   /* TROUBLE: the batch cannot be written; tried again each second */
    bool room; /* ROOM: whether the disk has space for entries */
};

struct store { /* the storage thread's */
    struct flt_db *db;
    const char *dir;
    struct flt_ring *batches; /* of struct op *: to it */
    struct flt_ring *notes;   /* of struct note: from it */
    int wake_fd;              /* eventfd: a batch is there, or stop */
    int done_fd;              /* eventfd: a note is there */
    _Atomic bool stop;
    bool told_room;
    bool has_reserve; /* the file that is given up when the disk is full */
    int told_err;
};

struct journal {
    struct journal_options options;
    char *dir;
    int lock_fd;
    struct intent_ring ring;
    struct flt_db *reader;
    struct store store;
    uv_thread_t thread;
    bool has_thread;
    uv_poll_t *poll; /* of store.done_fd; freed by its close */

    struct ops queued, in_flight, done; /* done: committed, not yet told */
    uint64_t batch;                     /* number of the batch being filled */
    size_t waiting_bytes;
    size_t pending[OP_KIND_COUNT]; /* queued and in flight */
    struct op *newest_command;     /* of those not committed */
    struct bot_slot *bots[BOT_BUCKETS];
    bool telling;

    int trouble; /* 0, or why the batch cannot be written */
    bool room, crowded, entries_told;

    char id[FLT_ULID_MAX], stream[FLT_ULID_MAX];
    int64_t stream_number, head, committed;
    int64_t begun; /* head when opened, or when the stream began */
    uint64_t sequence_next, sequence_end;
    bool reserving, rebooted;

    struct number *numbers;
    size_t number_count;
    struct flt_buf found; /* text of the command found last */
};

/* --- journal.c ----------------------------------------------------------------------------------
 */

struct op_args {
    enum op_kind kind;
    const char *texts[OP_TEXTS];
    int64_t numbers[OP_NUMBERS];
    const char *state;
};

/* Copies and queues; `out` may be NULL. -ENOMEM, -ENOSPC: no more room to wait. */
FLT_MUST_USE int journal_queue(struct journal *journal, const struct op_args *args,
                               struct op **out);
/* NULL: nothing of that bot was written yet. */
struct bot_slot *journal_bot_slot(const struct journal *journal, const char *bot);
/* Its newest snapshot if that is not on disk yet; NULL: it is, or there is none. */
const char *journal_waiting_state(const struct journal *journal, const char *bot);

/* The loop: the storage thread said something. */
void journal_on_note(struct journal *journal);

/* --- journal_store.c ----------------------------------------------------------------------------
 */

extern const struct flt_migration journal_migrations[];
extern const size_t journal_migrations_count;

void store_run(void *arg); /* the thread; `arg` is a struct store */
void store_wake(int fd);   /* of an eventfd */
void store_drain(int fd);
/* The disk has space for entries, and the reserve is there (made anew when there is space). */
bool store_has_room(struct store *store);
/* Writes one op inside the transaction of the caller. */
FLT_MUST_USE int store_apply(struct flt_db *db, const struct op *op);
