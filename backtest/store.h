/* The candle store: market data as memory-mapped column files, a folder for each venue, instrument
 * and timeframe (or "trades", "quotes"): DIR/data/<venue>/<instrument>/<timeframe>/.
 *
 * Candles lie on a regular grid: slot i opens at base_ms + i * step_ms. A slot without a candle has
 * its bit in `valid` clear and repeats the last close with volume 0, so that a loop which ignores
 * the bits sees a flat market; each run of such slots is in the gap list with its reason. Prices
 * are counts of 10^-price_scale. Format and guarantees: docs/data.md.
 *
 * A reader sees the rows of the last commit, as plain pointers into the page cache that all readers
 * share; it takes no lock and is not disturbed by a writer. One writer at a time (-EBUSY); what it
 * appends is there for others after store_writer_commit(), whole, or after a crash not at all.
 * Failures: a negative errno with `error` filled. Threads: a view may be read by any number. */
#pragma once
#include "lib/attr.h"
#include "lib/fail.h"
#include "lib/market.h"

#define STORE_COLUMNS_MAX 6
#define STORE_PATH_MAX 1280
#define STORE_HOLE_MAX INT64_C(10000000) /* slots in one hole; more is a wrong time unit */

enum store_kind { STORE_CANDLES, STORE_TRADES, STORE_QUOTES };

enum store_reason { /* why slots have no candle */
                    STORE_UNKNOWN,
                    STORE_NO_TRADES,
                    STORE_VENUE_DOWN,
                    STORE_NOT_LISTED,
                    STORE_REASON_COUNT
};

struct store_id {
    char venue[VENUE_MAX];
    char instrument[INSTRUMENT_NAME_MAX];
    char timeframe[8]; /* "1m"; "trades", "quotes" */
};

struct store_gap { /* as in the file */
    int64_t from_ms;
    int64_t slots;
    uint32_t reason; /* enum store_reason */
    uint32_t unused;
};

struct store { /* a view; all pointers are borrowed from it */
    enum store_kind kind;
    struct store_id id;
    int64_t base_ms, step_ms;  /* of candles; step_ms 0 for trades and quotes */
    int64_t first_ms, last_ms; /* of the first and last row */
    size_t count;              /* slots of candles, rows else */
    size_t valid_count;        /* slots that have a candle */
    int price_scale;           /* price = ticks / 10^price_scale */
    int qty_scale;             /* of quantities; of candles: the most decimals in a volume */
    /* candles */
    const int64_t *open, *high, *low, *close;
    const double *volume;
    const uint64_t *valid; /* bit i % 64 of word i / 64 */
    /* trades and quotes */
    const int64_t *ts_ms;
    const int64_t *price, *qty;
    const uint8_t *buyer_maker; /* 1: the aggressor sold */
    const int64_t *update_id, *bid, *bid_qty, *ask, *ask_qty;

    const struct store_gap *gaps; /* oldest first; one may lie before base_ms (not listed) */
    size_t gap_count;

    const void *maps[STORE_COLUMNS_MAX];
    size_t map_bytes[STORE_COLUMNS_MAX];
    uint32_t *sums; /* checksums, a row a block; the last block may be partly filled */
    size_t block_count;
    char path[STORE_PATH_MAX];
};

const char *store_reason_name(enum store_reason reason); /* "no_trades" */
bool store_reason_parse(const char *text, enum store_reason *out);
const char *store_kind_name(enum store_kind kind);
/* Kind and step of a timeframe word; false: no such word. */
bool store_timeframe(const char *text, enum store_kind *kind, int64_t *step_ms);
/* Start of the candle of that length which holds ts_ms; weeks begin on Monday, UTC. */
int64_t store_candle_start(int64_t ts_ms, int64_t step_ms);
/* Checks the words and puts them in; -EINVAL. */
FLT_MUST_USE int store_id_set(struct store_id *id, const char *venue, const char *instrument,
                              const char *timeframe, struct flt_error *error);
/* The folder; `root` is the fleet's DIR. */
FLT_MUST_USE int store_path(const char *root, const struct store_id *id, char *out, size_t size,
                            struct flt_error *error);

/* --- reading ------------------------------------------------------------------------------------
 */

/* `path`: a store's folder. -ENOENT: none there; -EBADMSG: damaged, `error` says which file. Blocks
 * are not read: see store_verify(). */
FLT_MUST_USE int store_open(const char *path, struct store *out, struct flt_error *error);
void store_close(struct store *store); /* twice is fine */
/* Every block against its checksum, and the gap list against the bits. -EBADMSG: `error` names
 * file, block and time. */
FLT_MUST_USE int store_verify(const struct store *store, struct flt_error *error);
/* SHA-256 in hex over geometry and checksums: equal data have equal hashes, however they came. */
#define STORE_HASH_MAX 65
char *store_hash(const struct store *store, char out[STORE_HASH_MAX]);

static inline bool store_is_valid(const struct store *store, size_t slot)
{
    return store->valid[slot / 64] >> (slot % 64) & 1;
}

static inline int64_t store_ts_ms(const struct store *store, size_t slot)
{
    return store->base_ms + (int64_t)slot * store->step_ms;
}

/* How many slots may be seen at `now_ms`: those whose candle has closed, [0, result). */
static inline size_t store_visible(const struct store *store, int64_t now_ms)
{
    if (now_ms < store->base_ms + store->step_ms)
        return 0;
    const uint64_t closed = (uint64_t)(now_ms - store->base_ms) / (uint64_t)store->step_ms;

    return closed < store->count ? (size_t)closed : store->count;
}

/* The next run of valid slots at or after `from`: its length, 0 at the end; `first` is its start.
 */
size_t store_run(const struct store *store, size_t from, size_t *first);
/* The first slot (row) that opens at or after ts_ms; count: none. */
size_t store_find(const struct store *store, int64_t ts_ms);

/* Each store below DIR/data, in order of path; stops when `fn` returns non-zero and returns that.
 */
typedef int store_each_fn(void *ctx, const char *path);
int store_each(const char *root, store_each_fn *fn, void *ctx);

/* --- writing ------------------------------------------------------------------------------------
 */

struct store_writer;

struct store_candle {
    int64_t ts_ms;
    int64_t open, high, low, close; /* ticks */
    double volume;
};

struct store_spec { /* what a new store is; of one that exists, only the scales may be asked for */
    struct store_id id;
    int price_scale, qty_scale;
};

/* Opens or creates; a torn append of a writer that died is cut off. -EBUSY: another one writes.
 * -ERANGE (nothing changed): it has a coarser scale than asked; see store_rewrite_begin(). */
FLT_MUST_USE int store_writer_open(const char *path, const struct store_spec *spec,
                                   struct store_writer **out, struct flt_error *error);
/* A new store that takes the place of the one at `path` at its commit, in one step; readers of the
 * old one keep it. Nothing of the old one is copied. */
FLT_MUST_USE int store_rewrite_begin(const char *path, const struct store_spec *spec,
                                     struct store_writer **out, struct flt_error *error);
/* Rows in order of time (candles: above the last; others: not below it). Candles further on leave a
 * gap with `reason`. Not there for others before the commit. -EINVAL: out of order or off the grid.
 */
FLT_MUST_USE int store_write_candle(struct store_writer *writer, const struct store_candle *candle,
                                    enum store_reason reason, struct flt_error *error);
FLT_MUST_USE int store_write_trade(struct store_writer *writer, int64_t ts_ms, int64_t price,
                                   int64_t qty, bool buyer_maker, struct flt_error *error);
FLT_MUST_USE int store_write_quote(struct store_writer *writer, const struct quote *quote,
                                   int64_t update_id, struct flt_error *error);
/* A gap before the first candle of an empty store: the instrument was not there yet. */
void store_write_leading_gap(struct store_writer *writer, int64_t from_ms,
                             enum store_reason reason);
int64_t store_writer_last_ms(const struct store_writer *writer); /* INT64_MIN: empty */
size_t store_writer_count(const struct store_writer *writer);
int store_writer_price_scale(const struct store_writer *writer);
int store_writer_qty_scale(const struct store_writer *writer);
/* A candle's volume had more decimals than known so far. */
void store_writer_volume_scale(struct store_writer *writer, int scale);
/* Data first, then the head; each on the disk before the next. May be called again and again. */
FLT_MUST_USE int store_writer_commit(struct store_writer *writer, struct flt_error *error);
/* Drops what was not committed. NULL is fine. */
void store_writer_close(struct store_writer *writer);
