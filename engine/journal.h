/* A node's memory: what must survive a kill -9, a power loss, and the loss of everything else.
 *
 * DIR/intents.ring: a preallocated, memory-mapped ring of checksummed intents, written before an
 * order leaves (under a microsecond; the kernel keeps the pages when the process dies).
 * DIR/journal.db: SQLite (WAL, synchronous FULL), written by the storage thread in group commits:
 * the numbered stream, bots, snapshots, booked trades, commands, halts, accounts, single values.
 *
 * The loop thread calls; each write is queued in order and returns at once. Numbers of the stream
 * are gapless and given at append. journal_after() calls back on the loop once everything queued
 * before it is committed; on_committed hands out committed records for publishing. Nothing queued
 * is ever dropped: with a full disk the storage thread keeps its batch and tries again each second,
 * entries stop (journal_entries_ok) while fills still have room to wait in memory, and when that
 * room ends too, journal_append fails and the host must stop trading.
 *
 * Reads are from the disk: those that would miss a write which is still queued wait for it, up to 5
 * s. That is at a node's start, when nothing is queued; journal_command_find and journal_read never
 * wait, journal_trades for a trade of the same bot, journal_state for a removal.
 *
 * Failures: -ENOMEM, -EIO, -ENOSPC, -EBUSY (another process has it), -EBADMSG (corrupt: left
 * untouched), -EPROTO (newer version), -EROFS.
 */
#pragma once
#include "engine/bot.h"
#include "lib/loop.h"

struct journal;

struct journal_record { /* borrowed for the call */
    int64_t n;
    const char *bot, *kind;
    const char *body; /* the record's JSON object, without n */
};

struct journal_options {
    const char *dir; /* exists, 0700 */
    struct flt_loop *loop;
    size_t intent_slots; /* rounded up to a power of two; 0: 131072 (8 MiB) */
    void *ctx;
    /* Committed records in order, for publishing: loop thread. */
    void (*on_committed)(void *ctx, const struct journal_record *records, size_t count);
    /* entries: the disk takes writes and has room. Called on each change, loop thread. */
    void (*on_storage)(void *ctx, bool entries, const char *reason);
};

FLT_MUST_USE int journal_open(const struct journal_options *options, struct flt_error *error,
                              struct journal **out);
/* Commits what is queued first, for at most 10 s. Calls nobody back: what journal_after() still
 * owed is dropped, and its ctx stays the caller's. NULL is fine. */
void journal_close(struct journal *journal);
void journal_after(struct journal *journal, void (*fn)(void *ctx), void *ctx);
/* Waits until everything queued is committed (tests, last act of a process); -ETIMEDOUT. The
 * callbacks come from the loop afterwards. */
FLT_MUST_USE int journal_flush(struct journal *journal, int64_t timeout_ms);
bool journal_entries_ok(const struct journal *journal);

/* --- intents ------------------------------------------------------------------------------------
 */

/* Gives the intent its sequence and writes it to the ring. Sequences rise for the whole node, are
 * reserved on disk in blocks ahead of use, and start above anything a restored backup could hold.
 * -EAGAIN: the next block is not on disk yet; -ENOSPC: entries are stopped and this is one. */
FLT_MUST_USE int journal_intend(struct journal *journal, struct order_intent *intent);
/* The intents of one bot that the ring still holds, oldest first; its cost is theirs alone. */
typedef int journal_intent_fn(void *ctx, const struct order_intent *intent);
FLT_MUST_USE int journal_intents(struct journal *journal, uint64_t owner, journal_intent_fn *fn,
                                 void *ctx);
/* True when the machine was restarted since the last run: intents may be missing, the venue has the
 * truth, and open orders are recovered from it before trading. */
bool journal_rebooted(const struct journal *journal);

/* --- the stream ---------------------------------------------------------------------------------
 */

struct journal_entry { /* one transaction together with its snapshot */
    const char *bot;
    const char *kind;  /* "fill", "order", ...; NULL: no record, the snapshot alone */
    const char *body;  /* the record's JSON object, without n */
    const char *state; /* the bot's snapshot after it (bot_save); NULL: unchanged */
    int64_t ts_ms;
    const char *account; /* with `fill`: (account, instrument, trade, order) is unique */
    const struct fill *fill;
};

/* The record's number (above 0), 0 for a snapshot alone, or -ENOSPC: no more room to wait. */
int64_t journal_append(struct journal *journal, const struct journal_entry *entry);
const char *journal_id(const struct journal *journal);     /* ULID of this journal */
const char *journal_stream(const struct journal *journal); /* ULID of its present stream */
/* A new stream, numbers from 1: the controller is ahead of us (a restored disk). Waits until the
 * old one is on disk and told, so it is not called from the journal's own callbacks. */
FLT_MUST_USE int journal_new_stream(struct journal *journal);
/* The same, and the records of the old stream from `from` on come again in the new one: the
 * controller has others under those numbers. */
FLT_MUST_USE int journal_restream(struct journal *journal, int64_t from);
int64_t journal_head(const struct journal *journal);      /* newest number given */
int64_t journal_first(const struct journal *journal);     /* the head when this process began */
int64_t journal_committed(const struct journal *journal); /* newest number on disk */
/* Committed records from..to, at most `limit` (0: 1000), in order; returns how many or negative. */
typedef void journal_record_fn(void *ctx, const struct journal_record *record);
int64_t journal_read(struct journal *journal, int64_t from, int64_t to, size_t limit,
                     journal_record_fn *fn, void *ctx);
/* Records up to backed_up that are older than 30 days go. */
void journal_prune(struct journal *journal, int64_t backed_up, int64_t now_ms);

/* --- bots ---------------------------------------------------------------------------------------
 */

struct journal_bot {
    char name[FLT_NAME_MAX];
    const char *spec; /* the desired document as received: JSON */
    int64_t generation;
    int64_t epoch;
    const char *desired; /* "running", ... */
    const char *how;     /* "cancel", ... */
    const char *state;   /* the newest snapshot; NULL: none */
};

typedef int journal_bot_fn(void *ctx, const struct journal_bot *bot);
FLT_MUST_USE int journal_bots(struct journal *journal, journal_bot_fn *fn, void *ctx);
/* The newest snapshot of one bot, also one that is still queued; without one `fn` is not called. */
typedef int journal_state_fn(void *ctx, const char *state);
FLT_MUST_USE int journal_state(struct journal *journal, const char *bot, journal_state_fn *fn,
                               void *ctx);
int journal_bot_put(struct journal *journal, const struct journal_bot *bot); /* state: unchanged */
int journal_bot_state(struct journal *journal, const char *bot, const char *state);
int journal_bot_remove(struct journal *journal, const char *bot); /* its records stay */
/* The trades booked last of a bot, newest first, for bot_restore_fill. */
struct journal_trade {
    const char *instrument, *trade_id, *order_id;
    int64_t ts_ms;
};
typedef void journal_trade_fn(void *ctx, const struct journal_trade *trade);
FLT_MUST_USE int journal_trades(struct journal *journal, const char *bot, size_t limit,
                                journal_trade_fn *fn, void *ctx);
/* Of a bot that begins here with a state from elsewhere: what was booked here in an earlier time of
 * it says nothing about that state. Its records stay. Until the commit journal_trade_known() still
 * finds them. */
FLT_MUST_USE int journal_trades_forget(struct journal *journal, const char *bot);
/* 1: this trade is booked, or on its way to the disk; 0: not; negative: failure. */
int journal_trade_known(struct journal *journal, const char *account, const struct fill *fill);
/* The last booked trade of an account's instrument; "" and 0 when there is none. */
FLT_MUST_USE int journal_last_trade(struct journal *journal, const char *account,
                                    const char *instrument, char trade_id[ORDER_ID_MAX],
                                    int64_t *ts_ms);

/* --- commands, halts, accounts, single values ----------------------------------------------------
 */

struct journal_command {
    const char *id, *op, *state; /* accepted, rejected, running, done, failed, expired */
    const char *result;          /* the answer's JSON, to be repeated; NULL: none yet */
    int64_t ts_ms;
};
int journal_command_put(struct journal *journal, const struct journal_command *command);
/* 1: found (text is borrowed until the next call), 0: never seen, negative: failure. Sees also what
 * is queued and not yet committed. Kept 24 h. */
int journal_command_find(struct journal *journal, const char *id, struct journal_command *out);
void journal_commands_expire(struct journal *journal, int64_t now_ms);

struct journal_halt {
    int64_t number;
    const char *scope, *target; /* fleet|node|account|bot; target "" for fleet */
    const char *how;            /* pause|cancel|flatten|none (lifted) */
    const char *reason;
    int64_t ts_ms;
};
typedef int journal_halt_fn(void *ctx, const struct journal_halt *halt);
int journal_halt_put(struct journal *journal,
                     const struct journal_halt *halt); /* by scope, target */
FLT_MUST_USE int journal_halts(struct journal *journal, journal_halt_fn *fn, void *ctx);

struct journal_account {
    const char *name;
    const char *doc; /* JSON: venue, mode, ...; secrets sealed with the node's key, base64 */
};
typedef int journal_account_fn(void *ctx, const struct journal_account *account);
int journal_account_put(struct journal *journal, const struct journal_account *account);
int journal_account_remove(struct journal *journal, const char *name);
FLT_MUST_USE int journal_accounts(struct journal *journal, journal_account_fn *fn, void *ctx);

/* Single values by name ("term", "incarnation", "halt_number", "backed_up"); 0 and "" when never
 * set. A set value is visible at once and durable after journal_after(). */
int64_t journal_int(const struct journal *journal, const char *name);
int journal_set_int(struct journal *journal, const char *name, int64_t value);
