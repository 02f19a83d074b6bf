/* A tape: all that goes into one bot and all that comes out of it, with the time of each.
 *
 * The engine decides by its inputs and their times alone, so a bot that is made from a tape and
 * given the same inputs must ask its host for the same things. backtest/parity.c checks that.
 * A bot writes to the tape that its struct bot_config names, from bot_create() on; the owner of
 * the tape takes the bytes away from time to time. Without a tape an input costs one test.
 *
 * Form: 8 bytes of magic, then frames {u32 length, u32 check, payload}, little-endian; the check
 * covers the frame's number too, so a frame lost or moved is seen. A tape has one or more sessions
 * (a bot made anew goes on on the same tape): HEADER, inputs each followed by its outputs, FINAL;
 * and ends with END. It holds no secret. Thread: the bot's.
 */
#pragma once
#include "engine/bot.h"

#define TAPE_MAGIC "FLTTAPE\1"
#define TAPE_MAGIC_SIZE 8
#define TAPE_FRAME_MAX ((size_t)32 * 1024 * 1024)

enum tape_kind {
    TAPE_HEADER, /* text: the configuration; instruments */
    TAPE_RESTORE,
    TAPE_RESTORE_INTENT,
    TAPE_RESTORE_FILL,
    TAPE_START,
    TAPE_HISTORY,
    TAPE_QUOTE,
    TAPE_TRADE,
    TAPE_BAR,
    TAPE_ORDER,
    TAPE_FILL,
    TAPE_PLACE_RESULT,
    TAPE_CANCEL_RESULT,
    TAPE_QUERY_RESULT,
    TAPE_FILLS_RESULT,
    TAPE_OPEN_ORDERS,
    TAPE_AUDIT,
    TAPE_SECOND,
    TAPE_LINK,
    TAPE_DESIRED,
    TAPE_HALT,
    TAPE_LEASE,
    TAPE_STORAGE,
    TAPE_PARAMS,
    TAPE_CANCEL, /* an operator's hand */
    TAPE_OUT_INTEND,
    TAPE_OUT_PLACE,
    TAPE_OUT_CANCEL,
    TAPE_OUT_QUERY,
    TAPE_OUT_FILLS,
    TAPE_OUT_OPEN,
    TAPE_OUT_RECORD,
    TAPE_FINAL, /* text: bot_save() as the bot ended */
    TAPE_END,   /* text: why the recording ended */
    /* inputs again: behind, so that older tapes keep their numbers */
    TAPE_DISTRUST,
    TAPE_SWEPT,
    TAPE_DRIFT,
    TAPE_ADJUST,
    TAPE_FRESH_FILL,
    TAPE_KIND_COUNT
};

static inline bool tape_is_output(enum tape_kind kind)
{
    return kind >= TAPE_OUT_INTEND && kind <= TAPE_OUT_RECORD;
}

const char *tape_kind_name(enum tape_kind kind); /* "quote", "place" */

/* One frame. Each kind uses some of the members (tape_frame.c has the table). */
struct tape_frame {
    enum tape_kind kind;
    int64_t wall_ms, mono_ns; /* of inputs; of an output: its input's */
    int64_t n[4];             /* leg, time of receipt, ...: see tape.c */
    int64_t result;           /* OUT_x: what the host said */
    char name[INSTRUMENT_NAME_MAX], coid[FLT_COID_MAX], order_id[ORDER_ID_MAX];
    const char *text;
    struct quote quote;
    struct trade trade;
    struct exchange_failure failure;
    struct order_intent intent;
    const struct bar *bars;
    const struct order *orders; /* OUT_PLACE: the request, as an order */
    const struct fill *fills;
    const struct instrument *instruments;
    size_t bar_count, order_count, fill_count, instrument_count;
    void *owned[5]; /* of a frame that was read */
};

/* Appends the whole frame with its head; `number` counts the frames of a tape from 0. */
void tape_frame_write(struct flt_buf *buf, uint64_t number, const struct tape_frame *frame);
/* What it says, without time and result: equal bytes are equal frames. */
void tape_frame_body(struct flt_buf *buf, const struct tape_frame *frame);
/* A line for people: "place sell limit 0.0125 BTC-USDT at 64123.1 id=...". */
void tape_frame_describe(const struct tape_frame *frame, char *out, size_t size);
void tape_frame_finish(struct tape_frame *frame);

/* --- reading ------------------------------------------------------------------------------------
 */

struct tape_reader {
    const uint8_t *data;
    size_t size, at;
    uint64_t number;          /* of the next frame */
    int64_t wall_ms, mono_ns; /* of the last input */
};

/* `data` is borrowed. -EINVAL: not a tape; `error` says so. */
FLT_MUST_USE int tape_open(struct tape_reader *reader, const void *data, size_t size,
                           struct flt_error *error);
/* The next frame, to be finished by the caller. -EINVAL: damaged or cut off; `error` says where.
 * Past END there is no frame: the caller stops there, and tape_at_end() tells whether more lies
 * behind it. */
FLT_MUST_USE int tape_next(struct tape_reader *reader, struct tape_frame *out,
                           struct flt_error *error);
bool tape_at_end(const struct tape_reader *reader);

/* --- writing -------------------------------------------------------------------------------------
 */

#define TAPE_RECORD_TEXT_MAX 320

/* What a port's call looks like on a tape; `order` and `text` must live as long as the frame. */
void tape_frame_of_place(struct tape_frame *frame, struct order *order,
                         const struct order_request *request);
void tape_frame_of_ids(struct tape_frame *frame, enum tape_kind kind,
                       const struct instrument *instrument, const char *order_id, const char *coid);
void tape_frame_of_record(struct tape_frame *frame, char *text, size_t size,
                          const struct bot_record *record);

struct tape {           /* zeroed by its owner, then tape_begin() */
    struct flt_buf buf; /* not yet taken away: its owner writes it out and resets it */
    uint64_t frames, inputs, outputs;
    struct engine_port port; /* the host's own, behind the tape */
};

void tape_begin(struct tape *tape);
void tape_end(struct tape *tape, const char *why); /* the last frame; no bot may hold the tape */
void tape_finish(struct tape *tape);               /* frees */
