/* The bot's end of a tape: inputs as they come in, and a port that stands before the host's own. */
#define FLT_MOD "tape"
#include <stdio.h>
#include <string.h>
#include "engine/core.h"

void tape_begin(struct tape *tape)
{
    flt_buf_append(&tape->buf, TAPE_MAGIC, TAPE_MAGIC_SIZE);
}

static void put(struct tape *tape, const struct tape_frame *frame)
{
    tape_frame_write(&tape->buf, tape->frames, frame);
    tape->frames++;
}

void tape_end(struct tape *tape, const char *why)
{
    put(tape, &(struct tape_frame){ .kind = TAPE_END, .text = why });
}

void tape_finish(struct tape *tape)
{
    flt_buf_finish(&tape->buf);
    *tape = (struct tape){ 0 };
}

/* --- inputs
 * ------------------------------------------------------------------------------------------- */

void tape_put(struct bot *bot, struct tape_frame *frame)
{
    frame->wall_ms = bot_wall_ms(bot);
    frame->mono_ns = bot_mono_ns(bot);
    bot->tape->inputs++;
    put(bot->tape, frame);
}

void tape_put_answer(struct bot *bot, enum tape_kind kind, const char *coid,
                     const struct exchange_failure *failure, const struct order *order)
{
    struct tape_frame frame = { .kind = kind, .orders = order, .order_count = order ? 1 : 0 };

    if (coid)
        (void)snprintf(frame.coid, sizeof frame.coid, "%s", coid);
    if (failure)
        frame.failure = *failure;
    tape_put(bot, &frame);
}

void tape_put_params(struct bot *bot, struct json_object *params, struct json_object *risk)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '{');
    if (params)
        flt_jw_tree(&buf, "params", params);
    if (risk)
        flt_jw_tree(&buf, "risk", risk);
    flt_jw_end(&buf, '}');
    tape_put(bot, &(struct tape_frame){ .kind = TAPE_PARAMS, .text = buf.data });
    flt_buf_finish(&buf);
}

void tape_put_state(struct bot *bot, struct json_object *state)
{
    tape_put(bot, &(struct tape_frame){
                      .kind = TAPE_RESTORE,
                      .text = json_object_to_json_string_ext(state, JSON_C_TO_STRING_PLAIN) });
}

static void put_header(struct bot *bot, const struct bot_config *config)
{
    struct instrument copies[STRATEGY_LEGS_MAX];
    struct flt_buf buf = FLT_BUF_INIT;

    for (size_t i = 0; i < config->leg_count; i++)
        copies[i] = *config->instruments[i];
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "version", FLT_VERSION);
    flt_jw_str(&buf, "fleet", config->fleet);
    flt_jw_str(&buf, "bot", config->name);
    flt_jw_int(&buf, "epoch", config->epoch);
    flt_jw_str(&buf, "mode", bot_mode_name(config->mode));
    flt_jw_str(&buf, "strategy", config->strategy->name);
    flt_jw_int(&buf, "request_life_ms", config->request_life_ms);
    flt_jw_int(&buf, "bar_ms", config->bar_ms);
    if (config->params)
        flt_jw_tree(&buf, "params", config->params);
    if (config->risk)
        flt_jw_tree(&buf, "risk", config->risk);
    flt_jw_end(&buf, '}');
    tape_put(bot, &(struct tape_frame){ .kind = TAPE_HEADER,
                                        .text = buf.data,
                                        .instruments = copies,
                                        .instrument_count = config->leg_count });
    flt_buf_finish(&buf);
}

/* --- outputs
 * ------------------------------------------------------------------------------------------ */

static int put_output(struct bot *bot, struct tape_frame *frame, int64_t result)
{
    frame->result = result;
    bot->tape->outputs++;
    put(bot->tape, frame);
    return (int)result;
}

static void name_order(struct tape_frame *frame, const struct instrument *instrument,
                       const char *coid)
{
    (void)snprintf(frame->name, sizeof frame->name, "%s", instrument->name);
    (void)snprintf(frame->coid, sizeof frame->coid, "%s", coid);
}

void tape_frame_of_place(struct tape_frame *frame, struct order *order,
                         const struct order_request *request)
{
    *order = (struct order){ .side = request->side,
                             .type = request->type,
                             .tif = request->tif,
                             .post_only = request->post_only,
                             .reduce_only = request->reduce_only,
                             .price = request->price,
                             .qty = request->qty };
    (void)snprintf(order->instrument, sizeof order->instrument, "%s", request->instrument->name);
    memcpy(order->client_order_id, request->client_order_id, sizeof order->client_order_id);
    *frame = (struct tape_frame){ .kind = TAPE_OUT_PLACE, .orders = order, .order_count = 1 };
}

void tape_frame_of_ids(struct tape_frame *frame, enum tape_kind kind,
                       const struct instrument *instrument, const char *order_id, const char *coid)
{
    *frame = (struct tape_frame){ .kind = kind };
    name_order(frame, instrument, coid);
    if (order_id)
        (void)snprintf(frame->order_id, sizeof frame->order_id, "%s", order_id);
}

void tape_frame_of_record(struct tape_frame *frame, char *text, size_t size,
                          const struct bot_record *record)
{
    *frame = (struct tape_frame){ .kind = TAPE_OUT_RECORD,
                                  .n = { record->kind, record->from, record->to, record->pauses },
                                  .text = text,
                                  .fills = record->fill,
                                  .fill_count = record->fill ? 1 : 0 };
    if (record->order)
        (void)snprintf(frame->coid, sizeof frame->coid, "%s", record->order->client_order_id);
    if (record->kind == BOT_RECORD_TRANSITION)
        (void)snprintf(text, size, "transition %s to %s: %s %s", bot_phase_name(record->from),
                       bot_phase_name(record->to), record->code, record->message);
    else
        (void)snprintf(text, size, "%s %s %s%s%s", bot_record_kind_name(record->kind),
                       record->code ? record->code : "", record->message ? record->message : "",
                       record->fill ? record->fill->trade_id : "",
                       record->order ? order_state_name(record->order->state) : "");
}

static int on_intend(void *ctx, struct bot *bot, struct order_intent *intent)
{
    struct tape *tape = ctx;
    struct tape_frame frame = { .kind = TAPE_OUT_INTEND, .intent = *intent };
    const int err = tape->port.intend(tape->port.ctx, bot, intent);

    (void)put_output(bot, &frame, err ? err : (int64_t)intent->id.sequence);
    return err;
}

static int on_place(void *ctx, struct bot *bot, const struct order_request *request)
{
    struct tape *tape = ctx;
    struct tape_frame frame;
    struct order order;

    tape_frame_of_place(&frame, &order, request);
    return put_output(bot, &frame, tape->port.place(tape->port.ctx, bot, request));
}

static int on_cancel(void *ctx, struct bot *bot, const struct instrument *instrument,
                     const char *coid)
{
    struct tape *tape = ctx;
    struct tape_frame frame;

    tape_frame_of_ids(&frame, TAPE_OUT_CANCEL, instrument, NULL, coid);
    return put_output(bot, &frame, tape->port.cancel(tape->port.ctx, bot, instrument, coid));
}

static int on_query(void *ctx, struct bot *bot, const struct instrument *instrument,
                    const char *coid)
{
    struct tape *tape = ctx;
    struct tape_frame frame;

    tape_frame_of_ids(&frame, TAPE_OUT_QUERY, instrument, NULL, coid);
    return put_output(bot, &frame, tape->port.query_order(tape->port.ctx, bot, instrument, coid));
}

static int on_fetch(void *ctx, struct bot *bot, const struct instrument *instrument,
                    const char *order_id, const char *coid)
{
    struct tape *tape = ctx;
    struct tape_frame frame;

    tape_frame_of_ids(&frame, TAPE_OUT_FILLS, instrument, order_id, coid);
    return put_output(bot, &frame,
                      tape->port.fetch_fills(tape->port.ctx, bot, instrument, order_id, coid));
}

static int on_open_orders(void *ctx, struct bot *bot, unsigned leg)
{
    struct tape *tape = ctx;
    struct tape_frame frame = { .kind = TAPE_OUT_OPEN, .n = { leg } };

    return put_output(bot, &frame, tape->port.open_orders(tape->port.ctx, bot, leg));
}

/* Not on the tape: how the trades are brought is the host's matter; what it brings is there. */
static int on_sweep(void *ctx, struct bot *bot, unsigned leg)
{
    struct tape *tape = ctx;

    return tape->port.sweep(tape->port.ctx, bot, leg);
}

static int on_record(void *ctx, struct bot *bot, const struct bot_record *record)
{
    struct tape *tape = ctx;
    struct tape_frame frame;
    char text[TAPE_RECORD_TEXT_MAX];

    tape_frame_of_record(&frame, text, sizeof text, record);
    return put_output(bot, &frame, tape->port.record(tape->port.ctx, bot, record));
}

static void on_log(void *ctx, struct bot *bot, enum flt_log_level level, const char *text)
{
    struct tape *tape = ctx;

    tape->port.log(tape->port.ctx, bot, level, text);
}

/* --- on and off
 * --------------------------------------------------------------------------------------- */

void tape_hold(struct bot *bot, const struct bot_config *config)
{
    struct tape *tape = config->tape;

    tape->port = bot->port;
    bot->tape = tape;
    bot->port = (struct engine_port){ .ctx = tape,
                                      .intend = on_intend,
                                      .place = on_place,
                                      .cancel = on_cancel,
                                      .query_order = on_query,
                                      .fetch_fills = on_fetch,
                                      .open_orders = on_open_orders,
                                      .sweep = tape->port.sweep ? on_sweep : NULL,
                                      .record = tape->port.record ? on_record : NULL,
                                      .log = tape->port.log ? on_log : NULL };
    put_header(bot, config);
}

void bot_drop_tape(struct bot *bot)
{
    struct flt_buf state = FLT_BUF_INIT;

    if (!bot || !bot_input(bot))
        return;
    bot_save(bot, &state);
    put(bot->tape, &(struct tape_frame){ .kind = TAPE_FINAL,
                                         .wall_ms = bot_wall_ms(bot),
                                         .mono_ns = bot_mono_ns(bot),
                                         .text = state.data });
    flt_buf_finish(&state);
    bot->port = bot->tape->port;
    bot->tape = NULL;
}
