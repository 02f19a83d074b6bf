#define FLT_MOD "parity"
#include "backtest/parity.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/tape.h"
#include "lib/config.h"

#define SEQUENCE_EXTRA UINT32_C(0xF0000000) /* for intents that were not recorded */

struct replay {
    struct tape_reader reader;
    struct flt_sim_clock clock;
    struct bot *bot;          /* NULL: between two sessions */
    struct tape_frame header; /* of the session: its instruments are the bot's */
    struct parity_report *report;
    const char *input_kind;
    uint32_t extra;
    struct flt_buf got, expected;
    bool no_memory;
};

static const char *const what_names[] = { "missing", "extra", "changed", "state" };

const char *parity_what_name(enum parity_what what)
{
    return what_names[what];
}

/* --- differences
 * -------------------------------------------------------------------------------------- */

static struct parity_difference *difference(struct replay *replay, enum parity_what what)
{
    static struct parity_difference beyond; /* one thread; what is beyond is counted only */
    struct parity_report *report = replay->report;
    struct parity_difference *row = &beyond;

    report->differences++;
    if (report->shown_count < PARITY_SHOWN_MAX)
        row = &report->shown[report->shown_count++];
    *row = (struct parity_difference){ .what = what,
                                       .input = report->inputs,
                                       .input_kind = replay->input_kind,
                                       .ts_ms = replay->clock.wall_now_ms };
    return row;
}

static void differ(struct replay *replay, enum parity_what what, const struct tape_frame *expected,
                   const struct tape_frame *got)
{
    struct parity_difference *row = difference(replay, what);

    if (expected)
        tape_frame_describe(expected, row->expected, sizeof row->expected);
    if (got)
        tape_frame_describe(got, row->got, sizeof row->got);
}

/* --- the host that is played
 * ------------------------------------------------------------------------ */

static bool is_same(struct replay *replay, const struct tape_frame *expected)
{
    flt_buf_reset(&replay->expected);
    tape_frame_body(&replay->expected, expected);
    if (replay->expected.failed || replay->got.failed)
        replay->no_memory = true;
    return replay->expected.length == replay->got.length &&
           memcmp(replay->expected.data, replay->got.data, replay->got.length) == 0;
}

/* How many outputs of this input lie before the one that equals `got`; -1: none does. */
static int find_same(struct replay *replay)
{
    struct tape_reader ahead = replay->reader;
    struct tape_frame frame = { 0 };
    int found = -1;

    for (int skipped = 0; found < 0 && tape_next(&ahead, &frame, NULL) == 0; skipped++) {
        const bool output = tape_is_output(frame.kind);

        if (output && is_same(replay, &frame))
            found = skipped;
        tape_frame_finish(&frame);
        if (!output)
            break;
    }
    return found;
}

static void count_output(struct parity_report *report, enum tape_kind kind)
{
    report->outputs++;
    report->placed += kind == TAPE_OUT_PLACE;
    report->cancelled += kind == TAPE_OUT_CANCEL;
    report->records += kind == TAPE_OUT_RECORD;
}

/* Takes the next recorded output, which is there; `got` NULL: it was not asked for. */
static int64_t take(struct replay *replay, const struct tape_frame *got, bool same)
{
    struct tape_frame frame = { 0 };
    int64_t result = 0;

    if (tape_next(&replay->reader, &frame, NULL) != 0)
        return -EIO; /* cannot be: the whole was read before */
    count_output(replay->report, frame.kind);
    if (!same)
        differ(replay, got ? PARITY_CHANGED : PARITY_MISSING, &frame, got);
    result = frame.result;
    tape_frame_finish(&frame);
    return result;
}

static enum tape_kind next_kind(const struct replay *replay)
{
    struct tape_reader ahead = replay->reader;
    struct tape_frame frame = { .kind = TAPE_END };

    if (tape_next(&ahead, &frame, NULL) != 0)
        return TAPE_END;
    const enum tape_kind kind = frame.kind;
    tape_frame_finish(&frame);
    return kind;
}

/* Whether both are about the same order, so that one may be a changed form of the other. */
static bool same_subject(const struct tape_frame *a, const struct tape_frame *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == TAPE_OUT_INTEND)
        return a->intent.id.key == b->intent.id.key && a->intent.leg == b->intent.leg;
    if (a->kind == TAPE_OUT_PLACE)
        return a->order_count && b->order_count &&
               strcmp(a->orders[0].client_order_id, b->orders[0].client_order_id) == 0;
    return a->n[0] == b->n[0] && strcmp(a->coid, b->coid) == 0;
}

static bool is_changed(const struct replay *replay, const struct tape_frame *got)
{
    struct tape_reader ahead = replay->reader;
    struct tape_frame frame = { 0 };

    if (tape_next(&ahead, &frame, NULL) != 0)
        return false;
    const bool same = same_subject(&frame, got);
    tape_frame_finish(&frame);
    return same;
}

/* The bot asks for something: what was the answer then? */
static int64_t answer(struct replay *replay, const struct tape_frame *got)
{
    flt_buf_reset(&replay->got);
    tape_frame_body(&replay->got, got);
    const int skipped = find_same(replay);

    for (int i = 0; i < skipped; i++)
        (void)take(replay, NULL, false);
    if (skipped >= 0)
        return take(replay, got, true);
    if (is_changed(replay, got))
        return take(replay, got, false);
    differ(replay, PARITY_EXTRA, NULL, got);
    return got->kind == TAPE_OUT_INTEND ? (int64_t)SEQUENCE_EXTRA + replay->extra++ : 0;
}

static int on_intend(void *ctx, struct bot *bot, struct order_intent *intent)
{
    const struct tape_frame frame = { .kind = TAPE_OUT_INTEND, .intent = *intent };
    const int64_t result = answer(ctx, &frame);

    (void)bot;
    if (result <= 0)
        return result < INT32_MIN ? -EIO : (int)result;
    intent->id.sequence = (uint32_t)result;
    return 0;
}

static int on_place(void *ctx, struct bot *bot, const struct order_request *request)
{
    struct tape_frame frame;
    struct order order;

    (void)bot;
    tape_frame_of_place(&frame, &order, request);
    return (int)answer(ctx, &frame);
}

static int ask(void *ctx, enum tape_kind kind, const struct instrument *instrument,
               const char *order_id, const char *coid)
{
    struct tape_frame frame;

    tape_frame_of_ids(&frame, kind, instrument, order_id, coid);
    return (int)answer(ctx, &frame);
}

static int on_cancel(void *ctx, struct bot *bot, const struct instrument *instrument,
                     const char *coid)
{
    (void)bot;
    return ask(ctx, TAPE_OUT_CANCEL, instrument, NULL, coid);
}

static int on_query(void *ctx, struct bot *bot, const struct instrument *instrument,
                    const char *coid)
{
    (void)bot;
    return ask(ctx, TAPE_OUT_QUERY, instrument, NULL, coid);
}

static int on_fetch(void *ctx, struct bot *bot, const struct instrument *instrument,
                    const char *order_id, const char *coid)
{
    (void)bot;
    return ask(ctx, TAPE_OUT_FILLS, instrument, order_id, coid);
}

static int on_open_orders(void *ctx, struct bot *bot, unsigned leg)
{
    (void)bot;
    return (int)answer(ctx, &(struct tape_frame){ .kind = TAPE_OUT_OPEN, .n = { leg } });
}

static int on_sweep(void *ctx, struct bot *bot, unsigned leg)
{
    (void)ctx;
    (void)bot;
    (void)leg;
    return 0;
}

static int on_record(void *ctx, struct bot *bot, const struct bot_record *record)
{
    struct tape_frame frame;
    char text[TAPE_RECORD_TEXT_MAX];

    (void)bot;
    tape_frame_of_record(&frame, text, sizeof text, record);
    return (int)answer(ctx, &frame);
}

/* --- a session
 * ---------------------------------------------------------------------------------------- */

static int bad_header(struct flt_error *error, const char *what)
{
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "file", "record it again with this version",
                         "the recording does not say %s", what);
}

static int read_config(struct json_object *tree, struct bot_config *config, struct flt_error *error)
{
    const char *mode = "", *strategy = "";
    int64_t epoch = 0;

    if (!flt_json_str(tree, "fleet", &config->fleet) || !flt_json_str(tree, "bot", &config->name))
        return bad_header(error, "whose it is");
    if (!flt_json_int(tree, "epoch", &epoch) || epoch < 0 || epoch > UINT32_MAX ||
        !flt_json_int(tree, "request_life_ms", &config->request_life_ms))
        return bad_header(error, "the bot's epoch");
    (void)flt_json_int(tree, "bar_ms", &config->bar_ms);
    if (!flt_json_str(tree, "mode", &mode) || !bot_mode_parse(mode, &config->mode))
        return bad_header(error, "the bot's mode");
    if (!flt_json_str(tree, "strategy", &strategy))
        return bad_header(error, "the bot's strategy");
    config->epoch = (uint32_t)epoch;
    config->strategy = strategy_find(strategy);
    config->params = flt_json_get(tree, "params");
    config->risk = flt_json_get(tree, "risk");
    if (!config->strategy)
        return flt_error_set(error, FLT_NOT_FOUND, "file", "use the version that recorded it",
                             "this version does not have the strategy %.40s", strategy);
    return 0;
}

static int make_bot(struct replay *replay, struct flt_error *error)
{
    const struct engine_port port = { .ctx = replay,
                                      .intend = on_intend,
                                      .place = on_place,
                                      .cancel = on_cancel,
                                      .query_order = on_query,
                                      .fetch_fills = on_fetch,
                                      .open_orders = on_open_orders,
                                      .record = on_record,
                                      .sweep = on_sweep };
    const struct tape_frame *header = &replay->header;
    const struct instrument *legs[STRATEGY_LEGS_MAX];
    struct bot_config config = { .instruments = legs,
                                 .leg_count = header->instrument_count,
                                 .clock = &replay->clock.base };
    struct json_object *tree = flt_json_parse(header->text, strlen(header->text), error);
    const char *version = "";
    int err = tree ? read_config(tree, &config, error) : -EINVAL;

    for (size_t i = 0; i < config.leg_count && i < STRATEGY_LEGS_MAX; i++)
        legs[i] = &header->instruments[i];
    if (!err)
        err = bot_create(&config, &port, error, &replay->bot);
    if (!err) {
        struct parity_report *report = replay->report;

        (void)flt_json_str(tree, "version", &version);
        (void)snprintf(report->bot, sizeof report->bot, "%s", config.name);
        (void)snprintf(report->strategy, sizeof report->strategy, "%s", config.strategy->name);
        (void)snprintf(report->version, sizeof report->version, "%s", version);
        report->sessions++;
    }
    json_object_put(tree);
    return err;
}

static void compare_state(struct replay *replay, const char *expected)
{
    struct flt_buf now = FLT_BUF_INIT;
    size_t at = 0;

    bot_save(replay->bot, &now);
    const char *got = now.data ? now.data : "";
    while (expected[at] && expected[at] == got[at])
        at++;
    if (expected[at] || got[at]) {
        struct parity_difference *row = difference(replay, PARITY_STATE);
        const size_t from = at < 60 ? 0 : at - 60;

        (void)snprintf(row->expected, sizeof row->expected, "%s", expected + from);
        (void)snprintf(row->got, sizeof row->got, "%s", got + from);
    }
    flt_buf_finish(&now);
    bot_destroy(replay->bot);
    replay->bot = NULL;
    tape_frame_finish(&replay->header);
}

static int play_json(struct replay *replay, const struct tape_frame *frame, struct flt_error *error)
{
    struct json_object *tree = flt_json_parse(frame->text, strlen(frame->text), error);
    struct flt_error refused = { 0 };
    int err;

    if (!tree)
        return -EINVAL;
    /* What the bot refused then it refuses now; what it did not, shows as a difference. */
    if (frame->kind == TAPE_RESTORE)
        err = bot_restore(replay->bot, tree, &refused);
    else
        err = bot_set_params(replay->bot, flt_json_get(tree, "params"), flt_json_get(tree, "risk"),
                             &refused);
    json_object_put(tree);
    return err == -ENOMEM ? err : 0;
}

/* Market data, answers of the venue. */
static void play_market(struct bot *bot, const struct tape_frame *f)
{
    const unsigned leg = (unsigned)f->n[0];
    const struct order *order = f->order_count ? &f->orders[0] : NULL;

    switch ((int)f->kind) {
    case TAPE_HISTORY:
        bot_on_history(bot, leg, f->bars, f->bar_count);
        break;
    case TAPE_QUOTE:
        bot_on_quote(bot, leg, &f->quote, f->n[1]);
        break;
    case TAPE_TRADE:
        bot_on_trade(bot, leg, &f->trade, f->n[1]);
        break;
    case TAPE_BAR:
        if (f->bar_count)
            bot_on_bar(bot, leg, &f->bars[0], f->n[1], f->n[2] != 0, f->n[3]);
        break;
    case TAPE_ORDER:
        if (order)
            bot_on_order(bot, order);
        break;
    case TAPE_FILL:
        if (f->fill_count)
            bot_on_fill(bot, &f->fills[0]);
        break;
    case TAPE_FRESH_FILL:
        if (f->fill_count)
            bot_on_fresh_fill(bot, &f->fills[0]);
        break;
    case TAPE_PLACE_RESULT:
        bot_on_place_result(bot, f->coid, &f->failure, order);
        break;
    case TAPE_CANCEL_RESULT:
        bot_on_cancel_result(bot, f->coid, &f->failure);
        break;
    case TAPE_QUERY_RESULT:
        bot_on_query_result(bot, f->coid, &f->failure, order);
        break;
    case TAPE_FILLS_RESULT:
        bot_on_fills_result(bot, f->coid, &f->failure, f->fills, f->fill_count);
        break;
    case TAPE_OPEN_ORDERS:
        bot_on_open_orders(bot, leg, &f->failure, f->orders, f->order_count);
        break;
    case TAPE_AUDIT:
        bot_on_audit(bot, leg, f->orders, f->order_count, f->n[1]);
        break;
    default:
        break;
    }
}

static int play_adjust(struct bot *bot, const struct tape_frame *f)
{
    const struct bot_adjustment adjustment = {
        .leg = (unsigned)f->n[0], .qty = flt_amt_parse(f->text), .by = "", .reason = ""
    };

    if (f->n[1])
        return bot_accept_orders(bot, "", "") < 0 ? -EINVAL : 0;
    return bot_adjust(bot, &adjustment);
}

/* The past, time, and the host's word; 0 also for what is not of these. */
static int play_word(struct bot *bot, const struct tape_frame *f)
{
    const struct fill *past = f->fill_count ? &f->fills[0] : NULL;

    switch ((int)f->kind) {
    case TAPE_RESTORE_INTENT:
        return bot_restore_intent(bot, &f->intent) == -ENOMEM ? -ENOMEM : 0;
    case TAPE_RESTORE_FILL:
        if (past)
            bot_restore_fill(bot, past->instrument, past->trade_id, past->order_id, past->ts_ms);
        break;
    case TAPE_START:
        bot_start(bot);
        break;
    case TAPE_SECOND:
        bot_on_second(bot);
        break;
    case TAPE_LINK:
        bot_on_link(bot, f->n[0] != 0, f->text);
        break;
    case TAPE_DESIRED:
        bot_set_desired(bot, (enum bot_run)(f->n[0] & 3), (enum bot_stop)(f->n[1] % 3));
        break;
    case TAPE_HALT:
        bot_set_halt(bot, (enum bot_halt)(f->n[0] & 3), f->text);
        break;
    case TAPE_LEASE:
        bot_set_lease(bot, f->n[0] != 0, f->n[1] != 0);
        break;
    case TAPE_STORAGE:
        bot_set_storage(bot, f->n[0] != 0);
        break;
    case TAPE_CANCEL:
        bot_cancel_order(bot, f->coid);
        break;
    case TAPE_DISTRUST:
        bot_distrust(bot);
        break;
    case TAPE_SWEPT:
        bot_on_swept(bot, (unsigned)f->n[0], f->n[1] != 0);
        break;
    case TAPE_DRIFT:
        bot_set_drift(bot, f->n[0] ? f->text : NULL);
        break;
    case TAPE_ADJUST:
        return play_adjust(bot, f);
    default:
        break;
    }
    return 0;
}

static int play_input(struct replay *replay, struct tape_frame *frame, struct flt_error *error)
{
    struct parity_report *report = replay->report;
    int err = 0;

    report->inputs++;
    report->fills += frame->kind == TAPE_FILL || frame->kind == TAPE_FRESH_FILL;
    report->to_ms = frame->wall_ms;
    replay->input_kind = tape_kind_name(frame->kind);
    if (report->inputs == 1)
        report->from_ms = frame->wall_ms;
    if (frame->kind == TAPE_HEADER) {
        replay->header = *frame; /* kept: the bot holds its instruments */
        *frame = (struct tape_frame){ 0 };
        err = make_bot(replay, error);
    } else if (frame->kind == TAPE_RESTORE || frame->kind == TAPE_PARAMS) {
        err = play_json(replay, frame, error);
    } else {
        err = play_word(replay->bot, frame);
        play_market(replay->bot, frame);
    }
    while (!err && tape_is_output(next_kind(replay)))
        (void)take(replay, NULL, false);
    return err;
}

static int play(struct replay *replay, struct flt_error *error)
{
    struct tape_frame frame = { 0 };
    bool ended = false;
    int err = 0;

    while (!err && !ended && (err = tape_next(&replay->reader, &frame, error)) == 0) {
        replay->clock.wall_now_ms = frame.wall_ms;
        replay->clock.mono_now_ns = frame.mono_ns;
        if (frame.kind == TAPE_END) {
            ended = true;
            (void)snprintf(replay->report->end, sizeof replay->report->end, "%s", frame.text);
        } else if (frame.kind == TAPE_FINAL) {
            replay->input_kind = tape_kind_name(frame.kind);
            compare_state(replay, frame.text);
        } else {
            err = play_input(replay, &frame, error);
        }
        tape_frame_finish(&frame);
        if (replay->no_memory)
            err = -ENOMEM;
    }
    return err;
}

/* --- the whole
 * ---------------------------------------------------------------------------------------- */

/* Every frame is whole and where it may be, before the first is played. */
static int check(struct tape_reader reader, struct flt_error *error)
{
    struct tape_frame frame = { 0 };
    bool bot = false, ended = false;

    while (!ended) {
        const int err = tape_next(&reader, &frame, error);
        const enum tape_kind kind = frame.kind;
        const bool outside = kind == TAPE_HEADER || kind == TAPE_END;

        if (err)
            return err;
        tape_frame_finish(&frame);
        if (bot == outside)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "file", "record it again",
                                 "the recording is damaged: frame %" PRIu64
                                 " (%s) stands where it cannot be",
                                 reader.number - 1, tape_kind_name(kind));
        bot = kind != TAPE_FINAL && kind != TAPE_END;
        ended = kind == TAPE_END;
    }
    if (!tape_at_end(&reader))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "file", "record it again",
                             "something follows the end of the recording");
    return 0;
}

int parity_replay(const void *data, size_t size, struct parity_report *out, struct flt_error *error)
{
    struct replay replay = { .report = out };
    int err = tape_open(&replay.reader, data, size, error);

    *out = (struct parity_report){ 0 };
    flt_sim_clock_init(&replay.clock, 0);
    if (!err)
        err = check(replay.reader, error);
    if (!err)
        err = play(&replay, error);
    bot_destroy(replay.bot);
    tape_frame_finish(&replay.header);
    flt_buf_finish(&replay.got);
    flt_buf_finish(&replay.expected);
    if (!err && out->sessions == 0)
        err = flt_error_set(
            error, FLT_INVALID_ARGUMENT, "file", "see what it waits for: flotilla bot show BOT",
            "the bot did not run while it was recorded: there is nothing to compare");
    return err;
}

int parity_file(const char *path, struct parity_report *out, struct flt_error *error)
{
    size_t size = 0;
    char *data = flt_file_read(path, PARITY_FILE_MAX, &size);

    if (!data)
        return flt_error_set(error, errno == ENOENT ? FLT_NOT_FOUND : FLT_INVALID_ARGUMENT, "file",
                             "", "%.180s: %s", path, strerror(errno));
    const int err = parity_replay(data, size, out, error);

    free(data);
    return err;
}

static void write_difference(const struct parity_difference *row, struct flt_buf *buf)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "what", parity_what_name(row->what));
    flt_jw_int(buf, "input", (int64_t)row->input);
    flt_jw_str(buf, "during", row->input_kind);
    flt_jw_int(buf, "ts_ms", row->ts_ms);
    flt_jw_str(buf, "expected", row->expected);
    flt_jw_str(buf, "got", row->got);
    flt_jw_end(buf, '}');
}

void parity_write(const struct parity_report *report, struct flt_buf *buf)
{
    flt_jw_str(buf, "bot", report->bot);
    flt_jw_str(buf, "strategy", report->strategy);
    flt_jw_str(buf, "recorded_by", report->version);
    flt_jw_str(buf, "ended", report->end);
    flt_jw_int(buf, "from_ms", report->from_ms);
    flt_jw_int(buf, "to_ms", report->to_ms);
    flt_jw_int(buf, "sessions", (int64_t)report->sessions);
    flt_jw_int(buf, "inputs", (int64_t)report->inputs);
    flt_jw_int(buf, "outputs", (int64_t)report->outputs);
    flt_jw_int(buf, "placed", (int64_t)report->placed);
    flt_jw_int(buf, "cancelled", (int64_t)report->cancelled);
    flt_jw_int(buf, "fills", (int64_t)report->fills);
    flt_jw_int(buf, "records", (int64_t)report->records);
    flt_jw_int(buf, "differences", (int64_t)report->differences);
    flt_jw_begin(buf, "shown", '[');
    for (size_t i = 0; i < report->shown_count; i++)
        write_difference(&report->shown[i], buf);
    flt_jw_end(buf, ']');
}
