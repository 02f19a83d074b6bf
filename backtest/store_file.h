/* What the store's own files share: columns, the head and its text on disk. Nobody else includes
 * it.
 *
 * head: two slots of STORE_SLOT_BYTES, written in turn, each with a checksum of its own; the one
 * with the higher generation is the last commit. Little-endian, as every machine we run on. */
#pragma once
#include "backtest/store.h"

#define STORE_BLOCK_ROWS 65536 /* a checksum covers so many rows of one column */
#define STORE_SLOT_BYTES 256
#define STORE_SLOT_STRIDE 4096 /* so that no disk tears both */
#define STORE_HEAD_BYTES (STORE_SLOT_STRIDE + STORE_SLOT_BYTES)

struct store_column {
    const char *name; /* of its file */
    size_t width;     /* bytes a row; 0: a bit */
};

struct store_head { /* the bytes of a slot */
    char magic[8];
    uint32_t version;
    uint32_t kind;
    uint64_t generation;
    int64_t base_ms, step_ms, first_ms, last_ms;
    uint64_t count, valid_count, gap_count;
    int32_t price_scale, qty_scale;
    uint32_t block_rows;
    uint32_t sums_crc; /* of the checksums of all full blocks */
    uint32_t gaps_crc;
    uint32_t tail_sums[STORE_COLUMNS_MAX]; /* of the last block, when it is not full */
    char venue[VENUE_MAX];
    char instrument[INSTRUMENT_NAME_MAX];
    char timeframe[8];
    char reserved[64];
    uint32_t crc; /* of all before it */
};
_Static_assert(sizeof(struct store_head) == STORE_SLOT_BYTES, "the format on disk");
_Static_assert(sizeof(struct store_gap) == 24, "the format on disk");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format on disk");

const struct store_column *store_columns(enum store_kind kind, size_t *count);
/* Bytes of `rows` rows of a column. */
static inline size_t store_bytes(const struct store_column *column, size_t rows)
{
    return column->width ? rows * column->width : (rows + 63) / 64 * 8;
}

/* The last commit in the bytes of a head file. -EBADMSG: none, `error` says why. */
FLT_MUST_USE int store_head_read(const void *bytes, size_t size, struct store_head *out,
                                 struct flt_error *error);
void store_head_seal(struct store_head *head); /* magic, version, crc */
/* Reads and checks the head of the folder `dir_fd`. -ENOENT: no store there. */
FLT_MUST_USE int store_head_load(int dir_fd, const char *path, struct store_head *out,
                                 struct flt_error *error);
uint32_t store_crc(uint32_t crc, const void *data, size_t size);
/* Whole reads and writes at a place; -EIO for a short file. */
FLT_MUST_USE int store_pread(int fd, void *data, size_t size, size_t at);
FLT_MUST_USE int store_pwrite(int fd, const void *data, size_t size, size_t at);
