#define FLT_MOD "journal"
#include "engine/journal_ring.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/config.h"

#define HEADER_BYTES 4096
#define SLOTS_MAX (UINT64_C(1) << 26)
#define PATH_BYTES 512
#define HINT_DAMAGED "restore it from a backup; without it, orders are recovered from the venue"

static const char magic[8] = "FLTINTR1";

struct ring_header { /* the first page; written once, when the file is made */
    char magic[8];
    uint64_t slots;
    uint64_t check;
};

enum { FLAG_SELL = 1, FLAG_MARKET = 2, FLAG_POST_ONLY = 4, FLAG_REDUCE_ONLY = 8, FLAG_EXIT = 16 };
#define TIF_SHIFT 8

struct intent_slot {
    uint64_t turn; /* 0: never written */
    uint64_t owner_epoch;
    uint32_t sequence, key;
    int64_t price_ticks, qty_lots, ts_ms;
    uint32_t leg, flags;
    uint64_t check; /* over all of the above */
};
_Static_assert(sizeof(struct intent_slot) == 64, "a cache line, and a whole part of a page");

/* The finaliser of MurmurHash3, chained over 64-bit words: any changed bit changes half of the sum.
 */
static uint64_t mix(const void *data, size_t words)
{
    const unsigned char *bytes = data;
    uint64_t sum = UINT64_C(0x9e3779b97f4a7c15), word;

    for (size_t i = 0; i < words; i++) {
        memcpy(&word, bytes + i * sizeof word, sizeof word);
        sum = (sum ^ word) * UINT64_C(0xff51afd7ed558ccd);
        sum = (sum ^ sum >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
        sum ^= sum >> 29;
    }
    return sum;
}

static uint64_t check_of(const struct intent_slot *slot)
{
    return mix(slot, offsetof(struct intent_slot, check) / sizeof(uint64_t));
}

static uint64_t header_check(const struct ring_header *header)
{
    return mix(header, offsetof(struct ring_header, check) / sizeof(uint64_t));
}

static int refuse(const char *path, int err, struct flt_error *error, const char *why)
{
    const bool damaged = err == -EBADMSG;

    (void)flt_error_set(error, damaged ? FLT_CONFLICT : FLT_UNAVAILABLE, NULL,
                        damaged          ? HINT_DAMAGED
                        : err == -ENOSPC ? "free some space and start again"
                                         : NULL,
                        "%s %s%s%s", path, why, damaged ? "" : ": ", damaged ? "" : strerror(-err));
    return FLT_FAIL(err, "path=%s why=\"%s\"", path, why);
}

static int sync_folder(const char *dir)
{
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = fd < 0 ? -errno : 0;

    if (!err && fsync(fd) != 0)
        err = -errno;
    if (fd >= 0)
        close(fd);
    return err;
}

static int fill_file(int fd, uint64_t slots)
{
    struct ring_header header = { .slots = slots };

    memcpy(header.magic, magic, sizeof magic);
    header.check = header_check(&header);
    const int code =
        posix_fallocate(fd, 0, (off_t)(HEADER_BYTES + slots * sizeof(struct intent_slot)));

    if (code != 0)
        return code == EFBIG ? -ENOSPC : -code;
    if (pwrite(fd, &header, sizeof header, 0) != (ssize_t)sizeof header)
        return errno ? -errno : -EIO;
    return fsync(fd) == 0 ? 0 : -errno;
}

/* Under another name until it is whole, so that a crash leaves no half file to be refused later. */
static int create(const char *dir, const char *path, uint64_t slots, struct flt_error *error)
{
    char draft[PATH_BYTES + 8];

    (void)snprintf(draft, sizeof draft, "%s.new", path);
    const int fd = open(draft, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return refuse(path, -errno, error, "cannot be made");
    int err = fill_file(fd, slots);

    close(fd);
    if (!err && rename(draft, path) != 0)
        err = -errno;
    if (!err)
        err = sync_folder(dir);
    if (err)
        (void)unlink(draft);
    return err ? refuse(path, err, error, "cannot be made") : 0;
}

static int check_file(int fd, const char *path, struct flt_error *error, uint64_t *slots)
{
    struct ring_header header;
    struct stat info;

    if (fstat(fd, &info) != 0)
        return refuse(path, -errno, error, "cannot be read");
    if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        memcmp(header.magic, magic, sizeof magic) != 0 || header.check != header_check(&header))
        return refuse(path, -EBADMSG, error,
                      "is not a ring of intents, or is damaged; it was left untouched");
    if (header.slots == 0 || header.slots > SLOTS_MAX || (header.slots & (header.slots - 1)) != 0 ||
        (uint64_t)info.st_size != HEADER_BYTES + header.slots * sizeof(struct intent_slot))
        return refuse(path, -EBADMSG, error, "has the wrong size; it was left untouched");
    *slots = header.slots;
    return 0;
}

static bool is_empty(const struct intent_slot *slot)
{
    static const struct intent_slot empty;

    return memcmp(slot, &empty, sizeof empty) == 0;
}

static bool is_sound(const struct intent_ring *ring, uint64_t index)
{
    const struct intent_slot *const slot = &ring->slots[index];

    return slot->turn != 0 && (slot->turn & ring->mask) == index && slot->check == check_of(slot);
}

static void scan(struct intent_ring *ring)
{
    for (uint64_t i = 0; i <= ring->mask; i++) {
        const struct intent_slot *const slot = &ring->slots[i];

        if (is_empty(slot))
            continue;
        if (!is_sound(ring, i)) {
            ring->bad_slots++;
            continue;
        }
        if (slot->turn >= ring->next)
            ring->next = slot->turn + 1;
        if (slot->sequence > ring->sequence_highest)
            ring->sequence_highest = slot->sequence;
    }
}

static int map(int fd, const char *path, uint64_t slots, struct flt_error *error,
               struct intent_ring *ring)
{
    ring->map_bytes = HEADER_BYTES + slots * sizeof(struct intent_slot);
    ring->map = mmap(NULL, ring->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ring->map == MAP_FAILED)
        return refuse(path, -errno, error, "cannot be mapped");
    ring->slots = (void *)((char *)ring->map + HEADER_BYTES);
    ring->mask = slots - 1;
    ring->next = 1;
    scan(ring);
    if (ring->bad_slots)
        FLT_LOG(WARN, "intents_damaged", "path=%s slots=%" PRIu64, path, ring->bad_slots);
    return 0;
}

int intent_ring_open(const char *dir, size_t slots, struct flt_error *error,
                     struct intent_ring *out)
{
    struct intent_ring ring = { 0 };
    char path[PATH_BYTES];
    uint64_t count = 0;
    int err = flt_path_join(path, sizeof path, dir, "intents.ring");

    assert(slots > 0 && (slots & (slots - 1)) == 0);
    if (!err && access(path, F_OK) != 0 && errno == ENOENT) {
        err = create(dir, path, slots, error);
        ring.created = true;
    }
    if (err)
        return err;
    const int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return refuse(path, -errno, error, "cannot be opened");
    err = check_file(fd, path, error, &count);
    err = err ? err : map(fd, path, count, error, &ring);
    close(fd);
    if (!err)
        *out = ring;
    return err;
}

static uint32_t flags_of(const struct order_intent *intent)
{
    return (intent->side == SIDE_SELL ? FLAG_SELL : 0u) |
           (intent->type == ORDER_MARKET ? FLAG_MARKET : 0u) |
           (intent->post_only ? FLAG_POST_ONLY : 0u) |
           (intent->reduce_only ? FLAG_REDUCE_ONLY : 0u) | (intent->exit ? FLAG_EXIT : 0u) |
           (uint32_t)intent->tif << TIF_SHIFT;
}

void intent_ring_write(struct intent_ring *ring, const struct order_intent *intent)
{
    struct intent_slot slot = {
        .turn = ring->next,
        .owner_epoch = intent->id.owner << 24 | (intent->id.epoch & 0xffffffu),
        .sequence = intent->id.sequence,
        .key = intent->id.key,
        .price_ticks = intent->price_ticks,
        .qty_lots = intent->qty_lots,
        .ts_ms = intent->ts_ms,
        .leg = intent->leg,
        .flags = flags_of(intent),
    };

    slot.check = check_of(&slot);
    ring->slots[ring->next & ring->mask] = slot;
    ring->next++;
}

static struct order_intent intent_of(const struct intent_slot *slot)
{
    return (struct order_intent){
        .id = { .owner = slot->owner_epoch >> 24,
                .epoch = (uint32_t)(slot->owner_epoch & 0xffffffu),
                .sequence = slot->sequence,
                .key = slot->key },
        .leg = slot->leg,
        .side = slot->flags & FLAG_SELL ? SIDE_SELL : SIDE_BUY,
        .type = slot->flags & FLAG_MARKET ? ORDER_MARKET : ORDER_LIMIT,
        .tif = (enum tif)(slot->flags >> TIF_SHIFT & 3u),
        .post_only = slot->flags & FLAG_POST_ONLY,
        .reduce_only = slot->flags & FLAG_REDUCE_ONLY,
        .exit = slot->flags & FLAG_EXIT,
        .price_ticks = slot->price_ticks,
        .qty_lots = slot->qty_lots,
        .ts_ms = slot->ts_ms,
    };
}

/* --- by owner ------------------------------------------------------------------------------------
 */

#define OWNERS_MIN 64

struct owner {
    uint64_t owner;
    uint64_t newest; /* turn of its newest intent; 0: nobody's place */
};

struct intent_index {
    uint64_t *older;      /* by slot: the turn of the same owner's intent before it; 0: none */
    uint64_t next;        /* turns below are in */
    struct owner *owners; /* open addressing, at most half full */
    uint64_t owner_mask, owner_count;
};

static uint64_t oldest_turn(const struct intent_ring *ring)
{
    return ring->next > ring->mask + 1 ? ring->next - (ring->mask + 1) : 1;
}

static bool holds(const struct intent_ring *ring, uint64_t turn)
{
    const struct intent_slot *const slot = &ring->slots[turn & ring->mask];

    return slot->turn == turn && slot->check == check_of(slot);
}

/* The owner's place, or the empty one where it would go. */
static struct owner *owner_place(const struct intent_index *index, uint64_t owner)
{
    uint64_t at = mix(&owner, 1) & index->owner_mask;

    while (index->owners[at].newest && index->owners[at].owner != owner)
        at = (at + 1) & index->owner_mask;
    return &index->owners[at];
}

/* A larger table, without the owners whose last intent the ring has overwritten. */
static int grow_owners(struct intent_index *index, uint64_t oldest)
{
    const struct intent_index old = *index;
    uint64_t alive = 0, size = OWNERS_MIN;

    for (uint64_t i = 0; old.owners && i <= old.owner_mask; i++)
        alive += old.owners[i].newest >= oldest;
    while (size < alive * 4)
        size *= 2;
    struct owner *const owners = calloc(size, sizeof *owners);

    if (!owners)
        return -ENOMEM;
    index->owners = owners;
    index->owner_mask = size - 1;
    index->owner_count = alive;
    for (uint64_t i = 0; old.owners && i <= old.owner_mask; i++)
        if (old.owners[i].newest >= oldest)
            *owner_place(index, old.owners[i].owner) = old.owners[i];
    free(old.owners);
    return 0;
}

static void index_destroy(struct intent_index *index)
{
    if (!index)
        return;
    free(index->older);
    free(index->owners);
    free(index);
}

static int index_create(struct intent_ring *ring)
{
    struct intent_index *const index = calloc(1, sizeof *index);

    if (!index)
        return -ENOMEM;
    index->older = calloc(ring->mask + 1, sizeof *index->older);
    if (!index->older || grow_owners(index, 1)) {
        index_destroy(index);
        return -ENOMEM;
    }
    ring->index = index;
    return 0;
}

/* Takes in what was written since the last time. */
static int catch_up(struct intent_ring *ring)
{
    const uint64_t oldest = oldest_turn(ring);
    int err = ring->index ? 0 : index_create(ring);

    if (err)
        return err;
    struct intent_index *const index = ring->index;

    for (uint64_t turn = index->next > oldest ? index->next : oldest; turn < ring->next; turn++) {
        if (!holds(ring, turn))
            continue;
        if (index->owner_count * 2 > index->owner_mask && (err = grow_owners(index, oldest)))
            return err;
        const uint64_t owner = ring->slots[turn & ring->mask].owner_epoch >> 24;
        struct owner *const place = owner_place(index, owner);

        index->owner_count += place->newest == 0;
        index->older[turn & ring->mask] = place->newest;
        *place = (struct owner){ owner, turn };
        index->next = turn + 1;
    }
    return 0;
}

/* The turns of an owner, newest first, as many as `size`; how many there are. */
static size_t chain(const struct intent_ring *ring, uint64_t owner, uint64_t *turns, size_t size)
{
    const uint64_t oldest = oldest_turn(ring);
    size_t count = 0;

    for (uint64_t turn = owner_place(ring->index, owner)->newest; turn >= oldest;
         turn = ring->index->older[turn & ring->mask]) {
        if (count < size)
            turns[count] = turn;
        count++;
    }
    return count;
}

/* What `fn` writes meanwhile is not told to it, and what that overwrites is passed over. */
int intent_ring_each(struct intent_ring *ring, uint64_t owner, journal_intent_fn *fn, void *ctx)
{
    int err = catch_up(ring);

    if (err)
        return err;
    size_t left = chain(ring, owner, NULL, 0);
    uint64_t *const turns = left ? malloc(left * sizeof *turns) : NULL;

    if (left && !turns)
        return -ENOMEM;
    (void)chain(ring, owner, turns, left);
    while (!err && left > 0) {
        const uint64_t turn = turns[--left];

        if (!holds(ring, turn))
            continue;
        const struct order_intent intent = intent_of(&ring->slots[turn & ring->mask]);

        err = fn(ctx, &intent);
    }
    free(turns);
    return err;
}

void intent_ring_close(struct intent_ring *ring)
{
    if (ring->slots)
        (void)munmap(ring->map, ring->map_bytes);
    index_destroy(ring->index);
    ring->slots = NULL;
    ring->index = NULL;
}
