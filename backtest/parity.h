/* Parity: a bot's recording (engine/tape.h) played through the engine again.
 *
 * The bot is made anew from what the recording says, with a clock that shows the recorded times and
 * a host that answers what the real one answered; what it asks for is compared with what the
 * recorded bot asked for, call by call, and at the end its saved state with the recorded one. No
 * difference means that the same inputs gave the same orders. One thread; no I/O but the file. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/fail.h"
#include "lib/ids.h"
#include "lib/json.h"

#define PARITY_SHOWN_MAX 50 /* differences that are kept; all are counted */
#define PARITY_TEXT_MAX 240
#define PARITY_FILE_MAX ((size_t)1024 * 1024 * 1024)

enum parity_what {
    PARITY_MISSING, /* recorded, and not asked for now */
    PARITY_EXTRA,   /* asked for now, and not recorded */
    PARITY_CHANGED,
    PARITY_STATE /* the saved state at the end */
};

struct parity_difference {
    enum parity_what what;
    uint64_t input; /* the number of the input in the recording, from 1 */
    const char *input_kind;
    int64_t ts_ms;
    char expected[PARITY_TEXT_MAX], got[PARITY_TEXT_MAX]; /* "": nothing */
};

struct parity_report {
    char bot[FLT_NAME_MAX], strategy[40], version[40]; /* version: that recorded it */
    char end[PARITY_TEXT_MAX];                         /* why the recording ended */
    int64_t from_ms, to_ms;
    uint64_t sessions; /* lives of the bot: it may have been made anew meanwhile */
    uint64_t inputs, outputs;
    uint64_t placed, cancelled, records; /* recorded outputs of these kinds */
    uint64_t fills;                      /* recorded inputs that were one */
    uint64_t differences;
    struct parity_difference shown[PARITY_SHOWN_MAX];
    size_t shown_count;
};

const char *parity_what_name(enum parity_what what); /* "missing", ... */

/* 0 whatever it finds: see out->differences. -EINVAL with `error`: it cannot be replayed (damaged,
 * cut off, a strategy that this version does not have); -ENOMEM. */
FLT_MUST_USE int parity_replay(const void *data, size_t size, struct parity_report *out,
                               struct flt_error *error);
FLT_MUST_USE int parity_file(const char *path, struct parity_report *out, struct flt_error *error);
/* Into an object that the caller has begun. */
void parity_write(const struct parity_report *report, struct flt_buf *buf);
