/* Names, columns and the head of a store. */
#define FLT_MOD "store"
#include "backtest/store_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define MAGIC "FLTSTORE"
#define VERSION 1
#define DAY_MS INT64_C(86400000)
#define TS_MS_MAX INT64_C(100000000000000) /* the year 5138 */

static const struct store_column candle_columns[] = { { "open", 8 },   { "high", 8 },
                                                      { "low", 8 },    { "close", 8 },
                                                      { "volume", 8 }, { "valid", 0 } };
static const struct store_column trade_columns[] = {
    { "ts_ms", 8 }, { "price", 8 }, { "qty", 8 }, { "buyer_maker", 1 }
};
static const struct store_column quote_columns[] = { { "ts_ms", 8 }, { "update_id", 8 },
                                                     { "bid", 8 },   { "bid_qty", 8 },
                                                     { "ask", 8 },   { "ask_qty", 8 } };

const struct store_column *store_columns(enum store_kind kind, size_t *count)
{
    switch (kind) {
    case STORE_TRADES:
        *count = FLT_COUNT(trade_columns);
        return trade_columns;
    case STORE_QUOTES:
        *count = FLT_COUNT(quote_columns);
        return quote_columns;
    case STORE_CANDLES:
        break;
    }
    *count = FLT_COUNT(candle_columns);
    return candle_columns;
}

static const char *const reasons[] = { "unknown", "no_trades", "venue_down", "not_listed" };
_Static_assert(FLT_COUNT(reasons) == STORE_REASON_COUNT, "a word for each reason");

const char *store_reason_name(enum store_reason reason)
{
    return (unsigned)reason < STORE_REASON_COUNT ? reasons[reason] : "unknown";
}

bool store_reason_parse(const char *text, enum store_reason *out)
{
    for (unsigned i = 0; i < STORE_REASON_COUNT; i++)
        if (strcmp(text, reasons[i]) == 0) {
            *out = (enum store_reason)i;
            return true;
        }
    return false;
}

const char *store_kind_name(enum store_kind kind)
{
    return kind == STORE_TRADES ? "trades" : kind == STORE_QUOTES ? "quotes" : "candles";
}

bool store_timeframe(const char *text, enum store_kind *kind, int64_t *step_ms)
{
    *step_ms = 0;
    *kind = STORE_CANDLES;
    if (strcmp(text, "trades") == 0)
        *kind = STORE_TRADES;
    else if (strcmp(text, "quotes") == 0)
        *kind = STORE_QUOTES;
    else
        *step_ms = timeframe_ms(text);
    return *kind != STORE_CANDLES || *step_ms > 0;
}

int64_t store_candle_start(int64_t ts_ms, int64_t step_ms)
{
    const int64_t origin_ms = step_ms == 7 * DAY_MS ? 4 * DAY_MS : 0; /* Monday, 1970-01-05 */
    int64_t rest_ms = (ts_ms - origin_ms) % step_ms;

    if (rest_ms < 0)
        rest_ms += step_ms;
    return ts_ms - rest_ms;
}

static int set_word(char *out, size_t size, const char *what, const char *text,
                    struct flt_error *error)
{
    const size_t length = strlen(text);
    const bool plain = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789._-") == length;

    if (length == 0 || length >= size || !plain || text[0] == '.' || text[0] == '-')
        return flt_error_set(error, FLT_INVALID_ARGUMENT, what,
                             "letters, digits and . _ - only, for example binance BTC-USDT 1m",
                             "this is no %s: %.64s", what, text);
    memcpy(out, text, length + 1);
    return 0;
}

int store_id_set(struct store_id *id, const char *venue, const char *instrument,
                 const char *timeframe, struct flt_error *error)
{
    enum store_kind kind;
    int64_t step_ms;

    *id = (struct store_id){ 0 };
    if (!store_timeframe(timeframe, &kind, &step_ms))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "timeframe",
                             "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w, trades or quotes",
                             "this is no timeframe: %.64s", timeframe);
    if (set_word(id->venue, sizeof id->venue, "venue", venue, error) != 0 ||
        set_word(id->instrument, sizeof id->instrument, "instrument", instrument, error) != 0)
        return -EINVAL;
    return set_word(id->timeframe, sizeof id->timeframe, "timeframe", timeframe, error);
}

int store_path(const char *root, const struct store_id *id, char *out, size_t size,
               struct flt_error *error)
{
    const int length =
        snprintf(out, size, "%s/data/%s/%s/%s", root, id->venue, id->instrument, id->timeframe);

    if (length < 0 || (size_t)length >= size)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "dir", "", "the path is too long");
    return 0;
}

/* --- the head ------------------------------------------------------------------------------------
 */

uint32_t store_crc(uint32_t crc, const void *data, size_t size)
{
    return (uint32_t)crc32_z(crc, data, size);
}

void store_head_seal(struct store_head *head)
{
    memcpy(head->magic, MAGIC, sizeof head->magic);
    head->version = VERSION;
    head->block_rows = STORE_BLOCK_ROWS;
    head->crc = store_crc(0, head, offsetof(struct store_head, crc));
}

static bool ends(const char *text, size_t size)
{
    return memchr(text, 0, size) != NULL;
}

/* All that later code relies on: a checksum says that we wrote it, not that it makes sense. */
static bool is_sane(const struct store_head *head)
{
    struct store_id id;
    enum store_kind kind;
    int64_t step_ms;

    if (!ends(head->venue, sizeof head->venue) ||
        !ends(head->instrument, sizeof head->instrument) ||
        !ends(head->timeframe, sizeof head->timeframe) ||
        store_id_set(&id, head->venue, head->instrument, head->timeframe, NULL) != 0 ||
        !store_timeframe(head->timeframe, &kind, &step_ms))
        return false;
    if (head->kind != (uint32_t)kind || head->step_ms != step_ms ||
        head->block_rows != STORE_BLOCK_ROWS || head->count > UINT64_C(1) << 40 ||
        head->valid_count > head->count || head->gap_count > head->count + 1)
        return false;
    if (head->price_scale < 0 || head->price_scale > FLT_DEC_SCALE_MAX || head->qty_scale < 0 ||
        head->qty_scale > FLT_DEC_SCALE_MAX || head->base_ms < 0 || head->base_ms > TS_MS_MAX ||
        head->first_ms < 0 || head->last_ms < 0 || head->last_ms > TS_MS_MAX)
        return false;
    return kind != STORE_CANDLES || head->count == 0 ||
           (head->first_ms == head->base_ms && head->count <= (uint64_t)(TS_MS_MAX / step_ms) &&
            head->last_ms == head->base_ms + (int64_t)(head->count - 1) * step_ms);
}

int store_head_read(const void *bytes, size_t size, struct store_head *out, struct flt_error *error)
{
    const unsigned char *const at = bytes;
    struct store_head slot;
    bool found = false, newer = false;

    for (size_t i = 0; i < 2; i++) {
        if (size < i * STORE_SLOT_STRIDE + sizeof slot)
            break;
        memcpy(&slot, at + i * STORE_SLOT_STRIDE, sizeof slot);
        if (memcmp(slot.magic, MAGIC, sizeof slot.magic) != 0 ||
            slot.crc != store_crc(0, &slot, offsetof(struct store_head, crc)))
            continue;
        if (slot.version != VERSION) {
            newer = true;
            continue;
        }
        if (!is_sane(&slot) || (found && slot.generation < out->generation))
            continue;
        *out = slot;
        found = true;
    }
    if (newer)
        return flt_error_set(error, FLT_UNAVAILABLE, "head", "use a newer flotilla",
                             "the store was written by a newer version");
    if (!found)
        return flt_error_set(error, FLT_INTERNAL, "head",
                             "remove that folder, then import or download again",
                             "the head is damaged: neither of its two slots is whole"),
               -EBADMSG;
    return 0;
}

int store_pread(int fd, void *data, size_t size, size_t at)
{
    for (size_t done = 0; done < size;) {
        const ssize_t got = pread(fd, (char *)data + done, size - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        done += (size_t)got;
    }
    return 0;
}

int store_pwrite(int fd, const void *data, size_t size, size_t at)
{
    for (size_t done = 0; done < size;) {
        const ssize_t put = pwrite(fd, (const char *)data + done, size - done, (off_t)(at + done));

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? -errno : -EIO;
        done += (size_t)put;
    }
    return 0;
}

int store_head_load(int dir_fd, const char *path, struct store_head *out, struct flt_error *error)
{
    unsigned char bytes[STORE_HEAD_BYTES];
    const int fd = openat(dir_fd, "head", O_RDONLY | O_CLOEXEC);
    const int why = errno;

    if (fd < 0)
        return flt_error_set(error, flt_error_from_errno(-why), "", "see: flotilla data ls",
                             "%s %.160s: %s", why == ENOENT ? "there is no data in" : "cannot read",
                             path, strerror(why)),
               -why;
    const ssize_t size = pread(fd, bytes, sizeof bytes, 0);

    close(fd);
    if (size <= 0)
        return flt_error_set(error, FLT_NOT_FOUND, "", "see: flotilla data ls",
                             "there is no data in %.160s yet", path),
               -ENOENT;
    struct flt_error inner = { 0 };
    const int err = store_head_read(bytes, (size_t)size, out, &inner);

    if (err)
        flt_error_set(error, inner.code, inner.field, inner.hint, "%.100s/head: %s", path,
                      inner.message);
    return err;
}
