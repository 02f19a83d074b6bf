#define FLT_MOD "intents"
#include "engine/intents.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "FLTINT1"
#define HEADER_BYTES 4096
#define SLOTS_MIN 64
#define SLOTS_MAX (1u << 24)

struct record {           /* 64 bytes: one cache line */
    uint64_t position;    /* 1, 2, 3, ...; its slot is position modulo slots */
    uint64_t owner_epoch; /* 40 | 24 */
    uint32_t sequence, key;
    int64_t price_ticks, qty_lots, ts_ms;
    uint8_t leg, side, type, tif, flags, pad[3];
    uint64_t checksum; /* of all before */
};
_Static_assert(sizeof(struct record) == 64, "the file's layout");

struct header {
    char magic[8];
    uint64_t slots;
};

struct entry { /* of the index */
    uint64_t owner, position;
};

struct intents {
    int fd;
    size_t slots, bytes;
    unsigned char *map;
    struct record *records;
    uint64_t head; /* position of the newest */
    struct entry *index;
    size_t index_count;
    uint64_t indexed; /* positions up to this are in the index */
};

static uint64_t checksum(const struct record *record)
{
    uint64_t words[7], hash = UINT64_C(0x9E3779B97F4A7C15);

    memcpy(words, record, sizeof words);
    for (size_t i = 0; i < FLT_COUNT(words); i++) {
        hash = (hash ^ words[i]) * UINT64_C(0xFF51AFD7ED558CCD);
        hash ^= hash >> 32;
    }
    return hash;
}

static bool is_valid(const struct intents *intents, const struct record *record)
{
    return record->position > 0 && checksum(record) == record->checksum &&
           &intents->records[record->position & (intents->slots - 1)] == record;
}

/* A new file appears whole or not at all. */
static int create_file(const char *path, size_t slots)
{
    const struct header header = { MAGIC, slots };
    char temp[4096];

    if (snprintf(temp, sizeof temp, "%s.new", path) >= (int)sizeof temp)
        return -ENAMETOOLONG;
    const int fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int err = -posix_fallocate(fd, 0, (off_t)(HEADER_BYTES + slots * sizeof(struct record)));
    if (!err && (pwrite(fd, &header, sizeof header, 0) != sizeof header || fsync(fd)))
        err = errno ? -errno : -EIO;
    (void)close(fd);
    if (!err && rename(temp, path))
        err = -errno;
    if (err)
        (void)unlink(temp);
    return err;
}

static int map_file(struct intents *intents)
{
    struct header header;
    struct stat stat;

    if (fstat(intents->fd, &stat) || pread(intents->fd, &header, sizeof header, 0) < 0)
        return -errno;
    if (stat.st_size < HEADER_BYTES || memcmp(header.magic, MAGIC, sizeof MAGIC) != 0 ||
        header.slots < SLOTS_MIN || header.slots > SLOTS_MAX ||
        (header.slots & (header.slots - 1)) != 0 ||
        (uint64_t)stat.st_size != HEADER_BYTES + header.slots * sizeof(struct record))
        return -EBADMSG;
    intents->slots = (size_t)header.slots;
    intents->bytes = (size_t)stat.st_size;
    intents->map = mmap(NULL, intents->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, intents->fd, 0);
    if (intents->map == MAP_FAILED) {
        intents->map = NULL;
        return -errno;
    }
    intents->records = (struct record *)(void *)(intents->map + HEADER_BYTES);
    for (size_t i = 0; i < intents->slots; i++)
        if (intents->records[i].position > intents->head && is_valid(intents, &intents->records[i]))
            intents->head = intents->records[i].position;
    return 0;
}

int intents_open(const char *path, size_t slots, struct flt_error *error, struct intents **out)
{
    struct intents *intents = calloc(1, sizeof *intents);
    size_t size = SLOTS_MIN;
    int err = intents ? 0 : -ENOMEM;

    while (size < slots && size < SLOTS_MAX)
        size *= 2;
    if (err)
        return err;
    intents->fd = open(path, O_RDWR | O_CLOEXEC);
    if (intents->fd < 0 && errno == ENOENT) {
        err = create_file(path, size);
        intents->fd = err ? -1 : open(path, O_RDWR | O_CLOEXEC);
    }
    if (!err && intents->fd < 0)
        err = -errno;
    if (!err)
        err = map_file(intents);
    if (err) {
        flt_error_set(error, err == -ENOSPC ? FLT_UNAVAILABLE : FLT_CONFLICT, NULL,
                      err == -ENOSPC
                          ? "free some space"
                          : "move it away; open orders are then recovered from the venue",
                      "%s cannot be used: %s", path,
                      err == -EBADMSG ? "it is damaged, and was left untouched" : strerror(-err));
        intents_close(intents);
        return FLT_FAIL(err, "path=%s", path);
    }
    *out = intents;
    return 0;
}

void intents_close(struct intents *intents)
{
    if (!intents)
        return;
    if (intents->map)
        (void)munmap(intents->map, intents->bytes);
    if (intents->fd >= 0)
        (void)close(intents->fd);
    free(intents->index);
    free(intents);
}

void intents_write(struct intents *intents, const struct order_intent *intent)
{
    struct record record = {
        .position = intents->head + 1,
        .owner_epoch = intent->id.owner << 24 | (intent->id.epoch & 0xFFFFFF),
        .sequence = intent->id.sequence,
        .key = intent->id.key,
        .price_ticks = intent->price_ticks,
        .qty_lots = intent->qty_lots,
        .ts_ms = intent->ts_ms,
        .leg = (uint8_t)intent->leg,
        .side = (uint8_t)intent->side,
        .type = (uint8_t)intent->type,
        .tif = (uint8_t)intent->tif,
        .flags = (uint8_t)((intent->post_only ? 1 : 0) | (intent->reduce_only ? 2 : 0) |
                           (intent->exit ? 4 : 0)),
    };

    record.checksum = checksum(&record);
    intents->records[record.position & (intents->slots - 1)] = record;
    intents->head = record.position;
}

static void read_record(const struct record *record, struct order_intent *out)
{
    *out = (struct order_intent){
        .id = { record->owner_epoch >> 24, (uint32_t)(record->owner_epoch & 0xFFFFFF),
                record->sequence, record->key },
        .leg = record->leg,
        .side = record->side ? SIDE_SELL : SIDE_BUY,
        .type = record->type == ORDER_MARKET ? ORDER_MARKET : ORDER_LIMIT,
        .tif = record->tif <= TIF_FOK ? (enum tif)record->tif : TIF_GTC,
        .post_only = record->flags & 1,
        .reduce_only = record->flags & 2,
        .exit = record->flags & 4,
        .price_ticks = record->price_ticks,
        .qty_lots = record->qty_lots,
        .ts_ms = record->ts_ms,
    };
}

static int by_owner(const void *a_, const void *b_)
{
    const struct entry *a = a_, *b = b_;

    if (a->owner != b->owner)
        return a->owner < b->owner ? -1 : 1;
    return a->position < b->position ? -1 : a->position > b->position;
}

static int build_index(struct intents *intents)
{
    size_t count = 0;

    if (intents->index)
        return 0;
    intents->index = malloc((intents->slots + 1) * sizeof *intents->index);
    if (!intents->index)
        return -ENOMEM;
    for (size_t i = 0; i < intents->slots; i++) {
        const struct record *record = &intents->records[i];

        if (is_valid(intents, record))
            intents->index[count++] = (struct entry){ record->owner_epoch >> 24, record->position };
    }
    qsort(intents->index, count, sizeof *intents->index, by_owner);
    intents->index_count = count;
    intents->indexed = intents->head;
    return 0;
}

static int give(const struct intents *intents, uint64_t position, uint64_t owner,
                int (*fn)(void *ctx, const struct order_intent *intent), void *ctx)
{
    const struct record *record = &intents->records[position & (intents->slots - 1)];
    struct order_intent intent;

    if (record->position != position || !is_valid(intents, record) ||
        record->owner_epoch >> 24 != owner)
        return 0; /* overwritten since it was indexed, or another bot's */
    read_record(record, &intent);
    return fn(ctx, &intent);
}

int intents_each(struct intents *intents, uint64_t owner,
                 int (*fn)(void *ctx, const struct order_intent *intent), void *ctx)
{
    int err = build_index(intents);
    size_t low = 0, high = intents->index_count;

    while (!err && low < high) { /* the first entry of the owner */
        const size_t middle = low + (high - low) / 2;

        if (intents->index[middle].owner < owner)
            low = middle + 1;
        else
            high = middle;
    }
    for (; !err && low < intents->index_count && intents->index[low].owner == owner; low++)
        err = give(intents, intents->index[low].position, owner, fn, ctx);
    for (uint64_t p = intents->indexed + 1; !err && p <= intents->head; p++)
        err = give(intents, p, owner, fn, ctx);
    return err;
}

uint32_t intents_last_sequence(const struct intents *intents)
{
    uint32_t last = 0;

    for (size_t i = 0; i < intents->slots; i++)
        if (intents->records[i].sequence > last && is_valid(intents, &intents->records[i]))
            last = intents->records[i].sequence;
    return last;
}

int intents_fd(const struct intents *intents)
{
    return intents->fd;
}
