/* Views of stores: mapped columns, their checks, and finding one's way. */
#define FLT_MOD "store"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "backtest/store_file.h"
#include "lib/clock.h"
#include "lib/crypto.h"

static int damaged(struct flt_error *error, const struct store *store, const char *file,
                   const char *why)
{
    flt_error_set(error, FLT_INTERNAL, file, "remove that folder, then import or download again",
                  "%.120s/%s: %s", store->path, file, why);
    return -EBADMSG;
}

static int map_column(struct store *store, int dir_fd, const struct store_column *column,
                      size_t index, struct flt_error *error)
{
    const size_t size = store_bytes(column, store->count);
    const int fd = openat(dir_fd, column->name, O_RDONLY | O_CLOEXEC);
    struct stat stat;

    if (fd < 0)
        return damaged(error, store, column->name, strerror(errno));
    if (fstat(fd, &stat) != 0 || stat.st_size < (off_t)size) {
        close(fd);
        return damaged(error, store, column->name, "the file is cut short");
    }
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

    close(fd);
    if (map == MAP_FAILED)
        return flt_error_set(error, FLT_UNAVAILABLE, column->name, "", "cannot map %.120s/%s: %s",
                             store->path, column->name, strerror(errno));
    (void)madvise(map, size, MADV_SEQUENTIAL);
    (void)madvise(map, size, MADV_WILLNEED);
    store->maps[index] = map;
    store->map_bytes[index] = size;
    return 0;
}

static void name_columns(struct store *store)
{
    const void *const *at = store->maps;

    switch (store->kind) {
    case STORE_CANDLES:
        store->open = at[0];
        store->high = at[1];
        store->low = at[2];
        store->close = at[3];
        store->volume = at[4];
        store->valid = at[5];
        break;
    case STORE_TRADES:
        store->ts_ms = at[0];
        store->price = at[1];
        store->qty = at[2];
        store->buyer_maker = at[3];
        break;
    case STORE_QUOTES:
        store->ts_ms = at[0];
        store->update_id = at[1];
        store->bid = at[2];
        store->bid_qty = at[3];
        store->ask = at[4];
        store->ask_qty = at[5];
        break;
    }
}

/* Reads a file of records into memory, with a checksum of the first `size` bytes. */
static int read_records(struct store *store, int dir_fd, const char *name, size_t size, size_t room,
                        uint32_t crc, void **out, struct flt_error *error)
{
    const int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    void *data = malloc(room + 1);
    struct stat stat;

    *out = data;
    if (fd < 0 || !data) {
        const int err = fd < 0 ? damaged(error, store, name, strerror(errno)) : -ENOMEM;

        if (fd >= 0)
            close(fd);
        return err;
    }
    const bool whole =
        fstat(fd, &stat) == 0 && stat.st_size >= (off_t)size && store_pread(fd, data, size, 0) == 0;

    close(fd);
    if (!whole)
        return damaged(error, store, name, "the file is cut short");
    if (store_crc(0, data, size) != crc)
        return damaged(error, store, name, "the checksum is wrong");
    return 0;
}

/* The sums of full blocks are in a file, those of the last one in the head. */
static int read_sums(struct store *store, int dir_fd, const struct store_head *head, size_t columns,
                     struct flt_error *error)
{
    const size_t row = columns * sizeof(uint32_t);
    const size_t full = store->count / STORE_BLOCK_ROWS;
    void *sums = NULL;

    store->block_count = (store->count + STORE_BLOCK_ROWS - 1) / STORE_BLOCK_ROWS;
    if (full > (SIZE_MAX >> 8) / row)
        return damaged(error, store, "head", "more rows than memory can hold");
    const int err = read_records(store, dir_fd, "sums", full * row, (full + 1) * row,
                                 head->sums_crc, &sums, error);

    store->sums = sums;
    if (!err && store->block_count > full)
        memcpy(store->sums + full * columns, head->tail_sums, row);
    return err;
}

static int read_gaps(struct store *store, int dir_fd, const struct store_head *head,
                     struct flt_error *error)
{
    const size_t size = (size_t)head->gap_count * sizeof(struct store_gap);
    struct stat stat;
    void *gaps = NULL;

    store->gap_count = (size_t)head->gap_count;
    if (fstatat(dir_fd, "gaps", &stat, 0) != 0 || stat.st_size < (off_t)size)
        return damaged(error, store, "gaps", "the file is cut short");
    const int err = read_records(store, dir_fd, "gaps", size, size, head->gaps_crc, &gaps, error);

    store->gaps = gaps;
    return err;
}

static int load(struct store *store, int dir_fd, struct flt_error *error)
{
    struct store_head head;
    size_t columns;
    int err = store_head_load(dir_fd, store->path, &head, error);

    if (err)
        return err;
    memcpy(store->id.venue, head.venue, sizeof head.venue);
    memcpy(store->id.instrument, head.instrument, sizeof head.instrument);
    memcpy(store->id.timeframe, head.timeframe, sizeof head.timeframe);
    store->kind = (enum store_kind)head.kind;
    store->base_ms = head.base_ms;
    store->step_ms = head.step_ms;
    store->first_ms = head.first_ms;
    store->last_ms = head.last_ms;
    store->count = (size_t)head.count;
    store->valid_count = (size_t)head.valid_count;
    store->price_scale = head.price_scale;
    store->qty_scale = head.qty_scale;
    const struct store_column *const column = store_columns(store->kind, &columns);

    for (size_t i = 0; !err && i < columns && store->count > 0; i++)
        err = map_column(store, dir_fd, &column[i], i, error);
    if (!err)
        err = read_sums(store, dir_fd, &head, columns, error);
    if (!err)
        err = read_gaps(store, dir_fd, &head, error);
    name_columns(store);
    return err;
}

int store_open(const char *path, struct store *out, struct flt_error *error)
{
    struct store store = { 0 };

    *out = store;
    if (snprintf(store.path, sizeof store.path, "%s", path) >= (int)sizeof store.path)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "dir", "", "the path is too long");
    const int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir_fd < 0) {
        const int err = -errno;

        flt_error_set(error, flt_error_from_errno(err), "", "see: flotilla data ls",
                      "%s %.160s: %s", err == -ENOENT ? "there is no data in" : "cannot read", path,
                      strerror(-err));
        return err;
    }
    const int err = load(&store, dir_fd, error);

    close(dir_fd);
    if (err)
        store_close(&store);
    else
        *out = store;
    return err;
}

void store_close(struct store *store)
{
    for (size_t i = 0; i < STORE_COLUMNS_MAX; i++)
        if (store->maps[i])
            (void)munmap((void *)(uintptr_t)store->maps[i], store->map_bytes[i]);
    free((void *)(uintptr_t)store->gaps);
    free(store->sums);
    *store = (struct store){ 0 };
}

/* --- checks --------------------------------------------------------------------------------------
 */

/* The checksum of a block. Bits behind the last row are not part of the data. */
static uint32_t block_sum(const struct store_column *column, const void *data, size_t rows)
{
    const size_t size = store_bytes(column, rows);

    if (column->width || rows % 64 == 0)
        return store_crc(0, data, size);
    const uint32_t crc = store_crc(0, data, size - 8);
    uint64_t last;

    memcpy(&last, (const char *)data + size - 8, sizeof last);
    last &= (UINT64_C(1) << (rows % 64)) - 1;
    return store_crc(crc, &last, sizeof last);
}

static int verify_block(const struct store *store, size_t block, struct flt_error *error)
{
    size_t columns;
    const struct store_column *const column = store_columns(store->kind, &columns);
    const size_t first = block * STORE_BLOCK_ROWS;
    const size_t rest = store->count - first;
    const size_t rows = rest < STORE_BLOCK_ROWS ? rest : STORE_BLOCK_ROWS;

    for (size_t i = 0; i < columns; i++) {
        const char *const data = (const char *)store->maps[i] + store_bytes(&column[i], first);
        char why[128], when[FLT_ISO_MAX];

        if (block_sum(&column[i], data, rows) == store->sums[block * columns + i])
            continue;
        const int64_t ts_ms = store->kind == STORE_CANDLES ? store_ts_ms(store, first) : 0;

        snprintf(why, sizeof why, "the checksum of block %zu is wrong (rows %zu to %zu%s%s)", block,
                 first, first + rows - 1, ts_ms ? ", from " : "",
                 ts_ms ? flt_iso_format(ts_ms, when) : "");
        return damaged(error, store, column[i].name, why);
    }
    return 0;
}

/* Gaps inside the grid are exactly the runs of clear bits. */
static int verify_gaps(const struct store *store, struct flt_error *error)
{
    size_t at = 0, valid = 0, first;

    for (size_t i = 0; i < store->gap_count; i++) {
        const struct store_gap *const gap = &store->gaps[i];

        if (gap->from_ms < store->base_ms)
            continue;
        const size_t run = store_run(store, at, &first);

        if (run == 0 || first != at || store_ts_ms(store, at + run) != gap->from_ms ||
            gap->slots <= 0 || gap->reason >= STORE_REASON_COUNT)
            return damaged(error, store, "gaps", "the list does not fit the validity bits");
        valid += run;
        at += run + (size_t)gap->slots;
    }
    const size_t run = store_run(store, at, &first);

    if (run != store->count - at || valid + run != store->valid_count)
        return damaged(error, store, "gaps", "the list does not fit the validity bits");
    return 0;
}

int store_verify(const struct store *store, struct flt_error *error)
{
    for (size_t i = 0; i < store->block_count; i++) {
        const int err = verify_block(store, i, error);

        if (err)
            return err;
    }
    return store->kind == STORE_CANDLES && store->count > 0 ? verify_gaps(store, error) : 0;
}

char *store_hash(const struct store *store, char out[STORE_HASH_MAX])
{
    const size_t size = store->block_count * sizeof(uint32_t);
    size_t columns;
    uint8_t hash[32], sums[32];
    char text[256], hex[65];

    (void)store_columns(store->kind, &columns);
    flt_sha256(store->sums, size * columns, sums);
    const int length = snprintf(
        text, sizeof text, "%s %" PRId64 " %" PRId64 " %zu %d %d %s", store_kind_name(store->kind),
        store->base_ms, store->step_ms, store->count, store->price_scale,
        store->kind == STORE_CANDLES ? 0 : store->qty_scale, flt_hex(sums, sizeof sums, hex));

    flt_sha256(text, (size_t)length, hash);
    return flt_hex(hash, sizeof hash, out);
}

/* --- finding one's way ---------------------------------------------------------------------------
 */

/* The first slot from `at` on whose bit is `want`; count: none. */
static size_t seek(const struct store *store, size_t at, bool want)
{
    while (at < store->count) {
        const uint64_t word = want ? store->valid[at / 64] : ~store->valid[at / 64];
        const uint64_t bits = word >> (at % 64);

        if (bits) {
            at += (size_t)__builtin_ctzll(bits);
            return at < store->count ? at : store->count;
        }
        at += 64 - at % 64;
    }
    return store->count;
}

size_t store_run(const struct store *store, size_t from, size_t *first)
{
    *first = seek(store, from, true);
    return *first < store->count ? seek(store, *first, false) - *first : 0;
}

size_t store_find(const struct store *store, int64_t ts_ms)
{
    size_t low = 0, high = store->count;

    if (store->kind == STORE_CANDLES) {
        if (ts_ms <= store->base_ms || store->count == 0)
            return 0;
        const uint64_t slot = ((uint64_t)(ts_ms - store->base_ms) + (uint64_t)store->step_ms - 1) /
                              (uint64_t)store->step_ms;

        return slot < store->count ? (size_t)slot : store->count;
    }
    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (store->ts_ms[middle] < ts_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int each_below(const char *path, int depth, store_each_fn *fn, void *ctx)
{
    struct dirent **entries;
    const int count = scandir(path, &entries, visible, alphasort);
    int err = 0;

    for (int i = 0; i < count; i++) {
        char child[STORE_PATH_MAX];
        struct stat stat_;

        if (!err &&
            snprintf(child, sizeof child, "%s/%s", path, entries[i]->d_name) < (int)sizeof child &&
            stat(child, &stat_) == 0 && S_ISDIR(stat_.st_mode))
            err = depth > 1 ? each_below(child, depth - 1, fn, ctx) : fn(ctx, child);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return err;
}

int store_each(const char *root, store_each_fn *fn, void *ctx)
{
    char path[STORE_PATH_MAX];

    if (snprintf(path, sizeof path, "%s/data", root) >= (int)sizeof path)
        return -ENAMETOOLONG;
    return each_below(path, 3, fn, ctx);
}
