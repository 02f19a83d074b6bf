/* Writing to a store: rows gather in a block in memory, blocks go to the column files behind what
 * is committed, and the head says last how far they reach. */
#define FLT_MOD "store"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "backtest/store_file.h"
#include "backtest/store_folder.h"

#define THREE_DAYS_MS INT64_C(259200000)

struct gap_list {
    struct store_gap *items;
    size_t count, capacity;
};

struct store_writer {
    struct store_head head;      /* what the next commit will say */
    struct store_head committed; /* generation 0: nothing yet */
    const struct store_column *columns;
    size_t column_count;
    char path[STORE_PATH_MAX];  /* where it is written */
    char place[STORE_PATH_MAX]; /* where it belongs; the same but for a rewrite before its commit */
    int lock_fd, head_fd, sums_fd, gaps_fd;
    int fds[STORE_COLUMNS_MAX];
    unsigned char *block[STORE_COLUMNS_MAX];
    size_t filled, flushed; /* rows of the block under way: in memory, on disk */
    struct gap_list gaps;   /* not written yet */
    int64_t last_close;
    bool made; /* the folder is ours: it goes when nothing is committed */
};

static int failed(struct flt_error *error, const struct store_writer *writer, const char *file,
                  int err)
{
    flt_error_set(error, flt_error_from_errno(err), "", err == -ENOSPC ? "free some space" : "",
                  "cannot write %.140s/%s: %s", writer->path, file, strerror(-err));
    return err;
}

/* --- blocks --------------------------------------------------------------------------------------
 */

/* The bits' words behind a row are shared with rows before it, and hold the same bits for them. */
static int flush_column(struct store_writer *writer, size_t index)
{
    const struct store_column *const column = &writer->columns[index];
    const size_t start = (size_t)(writer->head.count - writer->filled);
    const size_t from = column->width ? writer->flushed * column->width : writer->flushed / 64 * 8;
    const size_t to = store_bytes(column, writer->filled);

    return store_pwrite(writer->fds[index], writer->block[index] + from, to - from,
                        store_bytes(column, start) + from);
}

static int flush(struct store_writer *writer, struct flt_error *error)
{
    for (size_t i = 0; i < writer->column_count && writer->flushed < writer->filled; i++) {
        const int err = flush_column(writer, i);

        if (err)
            return failed(error, writer, writer->columns[i].name, err);
    }
    writer->flushed = writer->filled;
    return 0;
}

static void sum_block(const struct store_writer *writer, uint32_t sums[STORE_COLUMNS_MAX])
{
    for (size_t i = 0; i < writer->column_count; i++)
        sums[i] = store_crc(0, writer->block[i], store_bytes(&writer->columns[i], writer->filled));
}

static int end_block(struct store_writer *writer, struct flt_error *error)
{
    const size_t row = writer->column_count * sizeof(uint32_t);
    const size_t index = (size_t)writer->head.count / STORE_BLOCK_ROWS - 1;
    uint32_t sums[STORE_COLUMNS_MAX];
    int err = flush(writer, error);

    if (err)
        return err;
    sum_block(writer, sums);
    err = store_pwrite(writer->sums_fd, sums, row, index * row);
    if (err)
        return failed(error, writer, "sums", err);
    writer->head.sums_crc = store_crc(writer->head.sums_crc, sums, row);
    writer->filled = writer->flushed = 0;
    for (size_t i = 0; i < writer->column_count; i++)
        if (!writer->columns[i].width)
            memset(writer->block[i], 0, STORE_BLOCK_ROWS / 8);
    return 0;
}

/* --- rows ----------------------------------------------------------------------------------------
 */

static inline int row_done(struct store_writer *writer, struct flt_error *error)
{
    writer->head.count++;
    return ++writer->filled == STORE_BLOCK_ROWS ? end_block(writer, error) : 0;
}

static inline void put(struct store_writer *writer, size_t column, int64_t value)
{
    ((int64_t *)(void *)writer->block[column])[writer->filled] = value;
}

static int add_slot(struct store_writer *writer, const struct store_candle *candle, bool valid,
                    struct flt_error *error)
{
    const size_t at = writer->filled;

    put(writer, 0, candle->open);
    put(writer, 1, candle->high);
    put(writer, 2, candle->low);
    put(writer, 3, candle->close);
    ((double *)(void *)writer->block[4])[at] = candle->volume;
    ((uint64_t *)(void *)writer->block[5])[at / 64] |= (uint64_t)valid << (at % 64);
    writer->head.valid_count += valid;
    return row_done(writer, error);
}

static int add_gap(struct store_writer *writer, int64_t from_ms, int64_t slots,
                   enum store_reason reason)
{
    struct gap_list *const gaps = &writer->gaps;

    if (gaps->count == gaps->capacity) {
        const size_t capacity = gaps->capacity ? gaps->capacity * 2 : 64;
        struct store_gap *grown = realloc(gaps->items, capacity * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        gaps->items = grown;
        gaps->capacity = capacity;
    }
    gaps->items[gaps->count++] = (struct store_gap){ from_ms, slots, (uint32_t)reason, 0 };
    return 0;
}

static int bridge(struct store_writer *writer, int64_t slots, enum store_reason reason,
                  struct flt_error *error)
{
    const int64_t close = writer->last_close;
    const struct store_candle flat = { 0, close, close, close, close, 0 };
    int err = add_gap(writer, writer->head.last_ms + writer->head.step_ms, slots, reason);

    for (int64_t i = 0; !err && i < slots; i++)
        err = add_slot(writer, &flat, false, error);
    return err;
}

/* Nobody says where a grid of three days begins: the first candle does, at any midnight. */
static bool is_opening_time(const struct store_head *head, int64_t ts_ms)
{
    if (ts_ms < 0)
        return false;
    if (head->step_ms != THREE_DAYS_MS)
        return store_candle_start(ts_ms, head->step_ms) == ts_ms;
    return head->count == 0 ? ts_ms % (THREE_DAYS_MS / 3) == 0
                            : (ts_ms - head->base_ms) % THREE_DAYS_MS == 0;
}

int store_write_candle(struct store_writer *writer, const struct store_candle *candle,
                       enum store_reason reason, struct flt_error *error)
{
    struct store_head *const head = &writer->head;
    const int64_t step_ms = head->step_ms;
    int err = 0;

    if (!is_opening_time(head, candle->ts_ms))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "ts_ms", "",
                             "%lld is no opening time of a %s candle", (long long)candle->ts_ms,
                             head->timeframe);
    if (head->count == 0) {
        head->base_ms = head->first_ms = candle->ts_ms;
    } else {
        const int64_t slots = (candle->ts_ms - head->last_ms) / step_ms - 1;

        if (slots < 0)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "ts_ms", "",
                                 "%lld is not after the last candle", (long long)candle->ts_ms);
        if (slots > STORE_HOLE_MAX)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "ts_ms",
                                 "is ts_ms in milliseconds, and the timeframe right?",
                                 "a hole of %lld candles before %lld", (long long)slots,
                                 (long long)candle->ts_ms);
        if (slots > 0)
            err = bridge(writer, slots, reason, error);
    }
    if (!err)
        err = add_slot(writer, candle, true, error);
    head->last_ms = candle->ts_ms;
    writer->last_close = candle->close;
    return err;
}

void store_write_leading_gap(struct store_writer *writer, int64_t from_ms, enum store_reason reason)
{
    const struct store_head *const head = &writer->head;

    if (head->count > 0 && head->gap_count == 0 && writer->gaps.count == 0 &&
        from_ms < head->base_ms && head->step_ms > 0)
        (void)add_gap(writer, from_ms, (head->base_ms - from_ms) / head->step_ms, reason);
}

static int start_row(struct store_writer *writer, int64_t ts_ms, struct flt_error *error)
{
    struct store_head *const head = &writer->head;

    if (ts_ms < 0 || (head->count > 0 && ts_ms < head->last_ms))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "ts_ms", "",
                             "%lld is before the last row", (long long)ts_ms);
    if (head->count == 0)
        head->base_ms = head->first_ms = ts_ms;
    head->last_ms = ts_ms;
    put(writer, 0, ts_ms);
    return 0;
}

int store_write_trade(struct store_writer *writer, int64_t ts_ms, int64_t price, int64_t qty,
                      bool buyer_maker, struct flt_error *error)
{
    const int err = start_row(writer, ts_ms, error);

    if (err)
        return err;
    put(writer, 1, price);
    put(writer, 2, qty);
    writer->block[3][writer->filled] = buyer_maker;
    writer->head.valid_count++;
    return row_done(writer, error);
}

int store_write_quote(struct store_writer *writer, const struct quote *quote, int64_t update_id,
                      struct flt_error *error)
{
    const int err = start_row(writer, quote->ts_ms, error);

    if (err)
        return err;
    put(writer, 1, update_id);
    put(writer, 2, quote->bid_ticks);
    put(writer, 3, quote->bid_lots);
    put(writer, 4, quote->ask_ticks);
    put(writer, 5, quote->ask_lots);
    writer->head.valid_count++;
    return row_done(writer, error);
}

int64_t store_writer_last_ms(const struct store_writer *writer)
{
    return writer->head.count ? writer->head.last_ms : INT64_MIN;
}

size_t store_writer_count(const struct store_writer *writer)
{
    return (size_t)writer->head.count;
}

int store_writer_price_scale(const struct store_writer *writer)
{
    return writer->head.price_scale;
}

int store_writer_qty_scale(const struct store_writer *writer)
{
    return writer->head.qty_scale;
}

void store_writer_volume_scale(struct store_writer *writer, int scale)
{
    if (writer->head.kind == STORE_CANDLES && scale > writer->head.qty_scale)
        writer->head.qty_scale = scale;
}

/* --- commit --------------------------------------------------------------------------------------
 */

static int write_gaps(struct store_writer *writer, struct flt_error *error)
{
    const size_t size = writer->gaps.count * sizeof(struct store_gap);
    const size_t at = (size_t)writer->head.gap_count * sizeof(struct store_gap);
    const int err = size ? store_pwrite(writer->gaps_fd, writer->gaps.items, size, at) : 0;

    if (err)
        return failed(error, writer, "gaps", err);
    writer->head.gaps_crc = store_crc(writer->head.gaps_crc, writer->gaps.items, size);
    writer->head.gap_count += writer->gaps.count;
    writer->gaps.count = 0;
    return 0;
}

static int sync_data(struct store_writer *writer, struct flt_error *error)
{
    for (size_t i = 0; i < writer->column_count; i++)
        if (fdatasync(writer->fds[i]) != 0)
            return failed(error, writer, writer->columns[i].name, -errno);
    if (fdatasync(writer->sums_fd) != 0 || fdatasync(writer->gaps_fd) != 0)
        return failed(error, writer, "sums", -errno);
    return 0;
}

static int write_head(struct store_writer *writer, struct flt_error *error)
{
    struct store_head *const head = &writer->head;

    memset(head->tail_sums, 0, sizeof head->tail_sums);
    if (writer->filled > 0)
        sum_block(writer, head->tail_sums);
    head->generation = writer->committed.generation + 1;
    store_head_seal(head);
    int err = store_pwrite(writer->head_fd, head, sizeof *head,
                           (size_t)(head->generation & 1) * STORE_SLOT_STRIDE);

    if (!err && fdatasync(writer->head_fd) != 0)
        err = -errno;
    return err ? failed(error, writer, "head", err) : 0;
}

/* A new store's names must be on the disk too. */
static int settle(struct store_writer *writer, struct flt_error *error)
{
    int err;

    if (strcmp(writer->path, writer->place) != 0) {
        err = store_put_in_place(writer->path, writer->place);
        if (!err)
            memcpy(writer->path, writer->place, sizeof writer->path);
    } else {
        char head[STORE_PATH_MAX + 8];

        snprintf(head, sizeof head, "%s/head", writer->path);
        err = store_sync_parent(head);
        if (!err)
            err = store_sync_parent(writer->path);
    }
    return err ? failed(error, writer, "", err) : 0;
}

int store_writer_commit(struct store_writer *writer, struct flt_error *error)
{
    const bool first = writer->committed.generation == 0;

    if (!first && writer->head.count == writer->committed.count)
        return 0;
    int err = flush(writer, error);

    if (!err)
        err = write_gaps(writer, error);
    if (!err)
        err = sync_data(writer, error);
    if (!err)
        err = write_head(writer, error);
    if (!err && first)
        err = settle(writer, error);
    if (!err)
        writer->committed = writer->head;
    return err;
}

/* --- open and close ------------------------------------------------------------------------------
 */

/* Cuts off what lies behind the last commit. */
static int cut(struct store_writer *writer)
{
    const size_t rows = (size_t)writer->committed.count;
    const size_t row = writer->column_count * sizeof(uint32_t);
    int err = 0;

    for (size_t i = 0; i < writer->column_count; i++)
        if (ftruncate(writer->fds[i], (off_t)store_bytes(&writer->columns[i], rows)) != 0)
            err = -errno;
    if (ftruncate(writer->sums_fd, (off_t)(rows / STORE_BLOCK_ROWS * row)) != 0 ||
        ftruncate(writer->gaps_fd,
                  (off_t)((size_t)writer->committed.gap_count * sizeof(struct store_gap))) != 0)
        err = -errno;
    return err;
}

static int open_file(struct store_writer *writer, int dir_fd, const char *name, int *out,
                     struct flt_error *error)
{
    *out = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return *out < 0 ? failed(error, writer, name, -errno) : 0;
}

static int open_files(struct store_writer *writer, int dir_fd, struct flt_error *error)
{
    int err = open_file(writer, dir_fd, "head", &writer->head_fd, error);

    for (size_t i = 0; !err && i < writer->column_count; i++)
        err = open_file(writer, dir_fd, writer->columns[i].name, &writer->fds[i], error);
    if (!err)
        err = open_file(writer, dir_fd, "sums", &writer->sums_fd, error);
    return err ? err : open_file(writer, dir_fd, "gaps", &writer->gaps_fd, error);
}

/* Files may not be shorter than the head says: then something else than a crash has been here. */
static bool is_whole(const struct store_writer *writer)
{
    struct stat stat;

    for (size_t i = 0; i < writer->column_count; i++)
        if (fstat(writer->fds[i], &stat) != 0 ||
            stat.st_size < (off_t)store_bytes(&writer->columns[i], (size_t)writer->head.count))
            return false;
    return true;
}

static int damaged(struct store_writer *writer, const char *file, struct flt_error *error)
{
    flt_error_set(error, FLT_INTERNAL, file, "remove that folder, then import or download again",
                  "%.120s/%s: the last block is damaged; nothing was appended", writer->path, file);
    return -EBADMSG;
}

/* The block under way comes back into memory, and is checked before anything is put behind it. */
static int load_tail(struct store_writer *writer, struct flt_error *error)
{
    const size_t rows = (size_t)writer->head.count % STORE_BLOCK_ROWS;
    const size_t start = (size_t)writer->head.count - rows;
    uint32_t sums[STORE_COLUMNS_MAX];

    if (!is_whole(writer))
        return damaged(writer, "open", error);
    for (size_t i = 0; i < writer->column_count; i++) {
        const struct store_column *const column = &writer->columns[i];
        const int err = store_pread(writer->fds[i], writer->block[i], store_bytes(column, rows),
                                    store_bytes(column, start));

        if (err)
            return failed(error, writer, column->name, err);
        if (!column->width && rows % 64)
            ((uint64_t *)(void *)writer->block[i])[rows / 64] &= (UINT64_C(1) << (rows % 64)) - 1;
    }
    writer->filled = writer->flushed = rows;
    sum_block(writer, sums);
    for (size_t i = 0; rows > 0 && i < writer->column_count; i++)
        if (sums[i] != writer->head.tail_sums[i])
            return damaged(writer, writer->columns[i].name, error);
    if (writer->head.kind == STORE_CANDLES && writer->head.count > 0)
        return store_pread(writer->fds[3], &writer->last_close, sizeof writer->last_close,
                           ((size_t)writer->head.count - 1) * sizeof writer->last_close);
    return 0;
}

static void new_head(struct store_writer *writer, const struct store_spec *spec)
{
    enum store_kind kind = STORE_CANDLES;
    int64_t step_ms = 0;

    (void)store_timeframe(spec->id.timeframe, &kind, &step_ms);
    writer->head = (struct store_head){ .kind = (uint32_t)kind,
                                        .step_ms = step_ms,
                                        .price_scale = spec->price_scale,
                                        .qty_scale = spec->qty_scale };
    memcpy(writer->head.venue, spec->id.venue, sizeof spec->id.venue);
    memcpy(writer->head.instrument, spec->id.instrument, sizeof spec->id.instrument);
    memcpy(writer->head.timeframe, spec->id.timeframe, sizeof spec->id.timeframe);
}

/* Takes the head that is there; -ERANGE when the rows to come do not fit its scale. */
static int take_head(struct store_writer *writer, const struct store_spec *spec, int dir_fd,
                     struct flt_error *error)
{
    struct store_head head;
    struct flt_error why = { 0 };
    const int err = store_head_load(dir_fd, writer->path, &head, &why);

    if (err == -ENOENT)
        return 0;
    if (err) {
        flt_error_set(error, why.code, why.field, why.hint, "%s", why.message);
        return err;
    }
    if (strcmp(head.venue, spec->id.venue) != 0 ||
        strcmp(head.instrument, spec->id.instrument) != 0 ||
        strcmp(head.timeframe, spec->id.timeframe) != 0)
        return flt_error_set(error, FLT_CONFLICT, "head", "stores cannot be renamed by hand",
                             "%.120s holds %s %s %s", writer->path, head.venue, head.instrument,
                             head.timeframe);
    const bool coarse = head.price_scale < spec->price_scale ||
                        (head.kind != STORE_CANDLES && head.qty_scale < spec->qty_scale);

    writer->head = writer->committed = head;
    return coarse && head.count > 0 ? -ERANGE : 0;
}

static int prepare(struct store_writer *writer, const struct store_spec *spec,
                   struct flt_error *error)
{
    new_head(writer, spec);
    writer->columns = store_columns((enum store_kind)writer->head.kind, &writer->column_count);
    for (size_t i = 0; i < writer->column_count; i++) {
        const size_t size = store_bytes(&writer->columns[i], STORE_BLOCK_ROWS);

        if (!(writer->block[i] = calloc(1, size)))
            return -ENOMEM;
    }
    writer->made = mkdir(writer->path, 0700) == 0;
    if (!writer->made && errno != EEXIST)
        return failed(error, writer, "", -errno);
    const int dir_fd = open(writer->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir_fd < 0)
        return failed(error, writer, "", -errno);
    int err = take_head(writer, spec, dir_fd, error);

    if (!err)
        err = open_files(writer, dir_fd, error);
    close(dir_fd);
    if (!err)
        err = load_tail(writer, error);
    if (!err && (err = cut(writer)) != 0)
        failed(error, writer, "", err);
    return err;
}

static int begin(const char *path, const struct store_spec *spec, bool fresh,
                 struct store_writer **out, struct flt_error *error)
{
    struct store_writer *writer = calloc(1, sizeof *writer);
    char beside[STORE_PATH_MAX];
    int err = writer ? store_sibling(path, ".new", beside, sizeof beside) : -ENOMEM;

    if (!writer)
        return err;
    writer->lock_fd = writer->head_fd = writer->sums_fd = writer->gaps_fd = -1;
    for (size_t i = 0; i < STORE_COLUMNS_MAX; i++)
        writer->fds[i] = -1;
    if (!err)
        err = store_lock(path, &writer->lock_fd, error);
    if (!err)
        err = store_remove(beside); /* of a rewrite that died */
    if (!err) {
        snprintf(writer->place, sizeof writer->place, "%s", path);
        snprintf(writer->path, sizeof writer->path, "%s", fresh ? beside : path);
        err = prepare(writer, spec, error);
    }
    if (err) {
        store_writer_close(writer);
        return err;
    }
    *out = writer;
    return 0;
}

int store_writer_open(const char *path, const struct store_spec *spec, struct store_writer **out,
                      struct flt_error *error)
{
    return begin(path, spec, false, out, error);
}

int store_rewrite_begin(const char *path, const struct store_spec *spec, struct store_writer **out,
                        struct flt_error *error)
{
    return begin(path, spec, true, out, error);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void store_writer_close(struct store_writer *writer)
{
    if (!writer)
        return;
    if (writer->lock_fd >= 0 && writer->gaps_fd >= 0)
        (void)cut(writer); /* what could not be cut now is cut at the next opening */
    close_fd(writer->head_fd);
    close_fd(writer->sums_fd);
    close_fd(writer->gaps_fd);
    for (size_t i = 0; i < STORE_COLUMNS_MAX; i++) {
        close_fd(writer->fds[i]);
        free(writer->block[i]);
    }
    if (writer->made && writer->committed.generation == 0)
        (void)store_remove(writer->path); /* nothing came of it */
    close_fd(writer->lock_fd);
    free(writer->gaps.items);
    free(writer);
}
