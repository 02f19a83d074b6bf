/* The snapshot of a bot, and back. Wants and live orders are arrays of numbers in a fixed order, as
 * they are written with every fill; everything else goes by name. */
#define FLT_MOD "save"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "engine/core.h"

#define STATE_VERSION 1

enum { WANT_FIELDS = 8, LIVE_FIELDS = 16 };

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
            return false;
    return true;
}

/* A row of numbers, written digit by digit: a snapshot of 40 cells has a thousand of them, and goes
 * with each fill. `text` (NULL: none) is an id of the venue; one that would need escapes is left
 * out and learned again. */
static void write_row(struct flt_buf *buf, const int64_t *row, size_t count, const char *text)
{
    char out[LIVE_FIELDS * 21 + ORDER_ID_MAX + 8], digits[20], *p = out;

    *p++ = '[';
    for (size_t i = 0; i < count; i++) {
        uint64_t rest = row[i] < 0 ? -(uint64_t)row[i] : (uint64_t)row[i];
        size_t used = 0;

        if (i > 0)
            *p++ = ',';
        if (row[i] < 0)
            *p++ = '-';
        do
            digits[used++] = (char)('0' + rest % 10);
        while ((rest /= 10) > 0);
        while (used > 0)
            *p++ = digits[--used];
    }
    if (text)
        p += snprintf(p, ORDER_ID_MAX + 4, ",\"%s\"", is_plain(text) ? text : "");
    *p++ = ']';
    *p = '\0';
    flt_jw_raw(buf, NULL, out);
}

static void write_wants(const struct bot *bot, struct flt_buf *buf)
{
    flt_jw_begin(buf, "wants", '[');
    for (uint32_t i = 0; i < bot->wants.slot_count; i++) {
        const struct slot *slot = &bot->wants.slots[i];
        const int64_t row[WANT_FIELDS] = { slot->key,      slot->leg,        slot->kind,
                                           slot->side,     slot->flags,      slot->price_ticks,
                                           slot->qty_lots, slot->filled_lots };

        if (!slot->used || slot->kind == WANT_NONE || slot->key >= KEY_CLOSE)
            continue;
        write_row(buf, row, WANT_FIELDS, NULL);
    }
    flt_jw_end(buf, ']');
}

static void write_live(const struct slot *slot, struct flt_buf *buf)
{
    const struct live *live = &slot->live;
    const int64_t flags = (live->post_only ? 1 : 0) | (live->reduce_only ? 2 : 0) |
                          (live->exit ? 4 : 0) | (live->current ? 8 : 0) | (live->by_us ? 16 : 0) |
                          (slot->indexed ? 32 : 0);
    const int64_t row[LIVE_FIELDS - 1] = { slot->key,           slot->leg,        live->epoch,
                                           live->sequence,      live->state,      live->side,
                                           live->type,          live->tif,        flags,
                                           live->price_ticks,   live->qty_lots,   live->booked_lots,
                                           live->executed_lots, live->created_ms, live->ts_ms };

    write_row(buf, row, FLT_COUNT(row), live->order_id);
}

void bot_write_state(const struct bot *bot, struct flt_buf *buf, const char *key)
{
    params_write(bot->ops->state, bot->state, buf, key);
}

static void write_risk(const struct bot *bot, struct flt_buf *buf)
{
    flt_jw_begin(buf, "risk", '{');
    flt_jw_int(buf, "day", bot->risk.day);
    flt_jw_amt(buf, "day_start", bot->risk.day_start);
    flt_jw_amt(buf, "peak", bot->risk.peak);
    flt_jw_int(buf, "started_ms", bot->risk.started_ms);
    flt_jw_end(buf, '}');
}

void bot_save(const struct bot *bot, struct flt_buf *buf)
{
    char text[FLT_DEC_TEXT_MAX];

    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, "v", STATE_VERSION);
    flt_jw_str(buf, "strategy", bot->ops->name);
    flt_jw_int(buf, "epoch", bot->epoch);
    flt_jw_int(buf, "sequence", bot->last_sequence);
    flt_jw_int(buf, "last_fill_ms", bot->last_fill_ms);
    bot_write_state(bot, buf, "state");
    flt_jw_begin(buf, "legs", '[');
    for (size_t i = 0; i < bot->leg_count; i++) {
        flt_jw_begin(buf, NULL, '{');
        flt_jw_str(buf, "instrument", bot->legs[i].instrument->name);
        flt_jw_str(buf, "tick", flt_dec_format(bot->legs[i].instrument->tick, text));
        flt_jw_str(buf, "lot", flt_dec_format(bot->legs[i].instrument->lot, text));
        ledger_write(&bot->legs[i].ledger, buf, "book");
        flt_jw_end(buf, '}');
    }
    flt_jw_end(buf, ']');
    write_wants(bot, buf);
    flt_jw_begin(buf, "orders", '[');
    for (uint32_t i = 0; i < bot->wants.slot_count; i++)
        if (bot->wants.slots[i].used && bot->wants.slots[i].live.state != ORDER_BAD)
            write_live(&bot->wants.slots[i], buf);
    flt_jw_end(buf, ']');
    write_risk(bot, buf);
    if (bot->past)
        flt_jw_raw(buf, "past", json_object_to_json_string_ext(bot->past, JSON_C_TO_STRING_PLAIN));
    flt_jw_end(buf, '}');
}

void bot_set_past(struct bot *bot, struct json_object *past)
{
    json_object_put(bot->past);
    bot->past = json_object_get(past);
}

struct json_object *bot_past(const struct bot *bot)
{
    return bot->past;
}

/* --- back
 * ----------------------------------------------------------------------------------------- */

static bool read_row(struct json_object *json, int64_t *row, size_t count)
{
    if (!json_object_is_type(json, json_type_array) || json_object_array_length(json) < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(json, i);

        if (!json_object_is_type(item, json_type_int))
            return false;
        row[i] = json_object_get_int64(item);
        if ((row[i] > 4 * LOTS_MAX || row[i] < -4 * LOTS_MAX) && row[i] != NO_LIMIT)
            return false;
    }
    return true;
}

static bool restore_want(struct bot *bot, struct json_object *json)
{
    int64_t row[WANT_FIELDS];

    if (!read_row(json, row, WANT_FIELDS) || row[0] < 0 || row[0] >= KEY_CLOSE || row[1] < 0 ||
        row[1] >= (int64_t)bot->leg_count || row[2] <= WANT_NONE || row[2] > WANT_TARGET ||
        row[6] == NO_LIMIT || row[7] < 0 || (row[2] == WANT_LIMIT && row[5] <= 0))
        return false;
    const uint32_t number = wants_slot(&bot->wants, (uint32_t)row[0], true);
    if (number == NO_SLOT)
        return false;
    struct slot *slot = &bot->wants.slots[number];
    slot->leg = (uint8_t)row[1];
    wants_restore(&bot->wants, number, (enum want_kind)row[2]);
    slot->side = row[3] ? SIDE_SELL : SIDE_BUY;
    slot->flags = (unsigned)row[4];
    slot->price_ticks = row[5];
    slot->qty_lots = row[6];
    slot->filled_lots = row[7];
    wants_dirty(&bot->wants, number);
    return true;
}

static void fill_live(struct bot *bot, uint32_t number, const int64_t *row, const char *order_id)
{
    const int64_t age = bot_wall_ms(bot) - row[13];
    const enum order_state state = (enum order_state)row[4];
    const struct flt_coid id = { bot->owner, (uint32_t)row[2], (uint32_t)row[3], (uint32_t)row[0] };

    struct live live = {
        /* whatever it was: it is in doubt until the venue tells, unless it has ended */
        .state = order_state_is_final(state) ? state : ORDER_UNKNOWN,
        .side = row[5] ? SIDE_SELL : SIDE_BUY,
        .type = (enum order_type)row[6],
        .tif = (enum tif)row[7],
        .post_only = row[8] & 1,
        .reduce_only = row[8] & 2,
        .exit = row[8] & 4,
        .current = row[8] & 8,
        .by_us = row[8] & 16,
        .epoch = (uint32_t)row[2],
        .sequence = (uint32_t)row[3],
        .price_ticks = row[9],
        .qty_lots = row[10],
        .booked_lots = row[11],
        .executed_lots = row[12],
        .created_ms = row[13],
        .ts_ms = row[14],
        .sent_ms = bot_mono_ms(bot) - (age > 0 ? age : 0),
        .check_ms = 1,
    };
    flt_coid_format(&id, live.coid);
    (void)snprintf(live.order_id, sizeof live.order_id, "%s", order_id);
    orders_begin(bot, number, &live);
}

static bool restore_live(struct bot *bot, struct json_object *json)
{
    int64_t row[LIVE_FIELDS - 1];

    if (!read_row(json, row, FLT_COUNT(row)) || row[1] < 0 || row[1] >= (int64_t)bot->leg_count ||
        row[0] < 0 || row[0] > UINT32_MAX || row[4] <= ORDER_BAD || row[4] >= ORDER_STATE_COUNT ||
        row[6] < ORDER_LIMIT || row[6] > ORDER_MARKET || row[7] < TIF_GTC || row[7] > TIF_FOK ||
        row[9] < 0 || row[10] < 0 || row[11] < 0 || row[12] < 0 || row[13] < 0 || row[14] < 0)
        return false;
    const char *order_id = json_object_get_string(json_object_array_get_idx(json, LIVE_FIELDS - 1));
    /* settled, but not yet recorded as ended: it leaves its key to a later order of the ring */
    const bool settled = order_state_is_final((enum order_state)row[4]) && row[11] == row[12];
    const bool indexed = (row[8] & 32) && row[2] == bot->epoch && !settled;
    uint32_t number = wants_slot(&bot->wants, (uint32_t)row[0], indexed);
    if (number != NO_SLOT && bot->wants.slots[number].live.state != ORDER_BAD)
        number = wants_slot(&bot->wants, (uint32_t)row[0], false);
    if (number == NO_SLOT)
        return false;
    struct slot *slot = &bot->wants.slots[number];
    if (slot->kind == WANT_NONE)
        slot->leg = (uint8_t)row[1];
    fill_live(bot, number, row, order_id ? order_id : "");
    const uint32_t want = wants_find(&bot->wants, slot->key);
    if (want == NO_SLOT || bot->wants.slots[want].kind == WANT_NONE)
        slot->live.current = false;
    wants_dirty(&bot->wants, number);
    return true;
}

static bool restore_leg(struct leg *leg, struct json_object *json)
{
    const char *name = "";
    struct flt_dec tick = FLT_DEC_BAD, lot = FLT_DEC_BAD;

    if (!flt_json_str(json, "instrument", &name) || strcmp(name, leg->instrument->name) != 0 ||
        !flt_json_dec(json, "tick", &tick) || !flt_json_dec(json, "lot", &lot) ||
        flt_dec_cmp(tick, leg->instrument->tick) != 0 ||
        flt_dec_cmp(lot, leg->instrument->lot) != 0 ||
        ledger_read(&leg->ledger, flt_json_get(json, "book")))
        return false;
    leg->position_lots = ledger_position_lots(&leg->ledger, leg->instrument);
    return true;
}

static bool restore_each(struct bot *bot, struct json_object *list,
                         bool (*restore)(struct bot *bot, struct json_object *json))
{
    if (!json_object_is_type(list, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (!restore(bot, json_object_array_get_idx(list, i)))
            return false;
    return true;
}

static bool restore_legs(struct bot *bot, struct json_object *list)
{
    if (!json_object_is_type(list, json_type_array) ||
        json_object_array_length(list) != bot->leg_count)
        return false;
    for (size_t i = 0; i < bot->leg_count; i++)
        if (!restore_leg(&bot->legs[i], json_object_array_get_idx(list, i)))
            return false;
    return true;
}

static bool restore_risk(struct bot *bot, struct json_object *json)
{
    return flt_json_int(json, "day", &bot->risk.day) &&
           flt_json_amt(json, "day_start", &bot->risk.day_start) &&
           flt_json_amt(json, "peak", &bot->risk.peak) &&
           flt_json_int(json, "started_ms", &bot->risk.started_ms);
}

int bot_restore(struct bot *bot, struct json_object *state, struct flt_error *error)
{
    int64_t version = 0, epoch = 0, sequence = 0;
    const char *strategy = "";

    if (bot_input(bot))
        tape_put_state(bot, state);
    if (!flt_json_int(state, "v", &version) || version != STATE_VERSION)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "v", "use the version that wrote it",
                             "the saved state has version %" PRId64 ", not %d", version,
                             STATE_VERSION);
    if (!flt_json_str(state, "strategy", &strategy) || strcmp(strategy, bot->ops->name) != 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "strategy", "remove the bot first",
                             "the saved state is of strategy %.40s", strategy);
    if (!flt_json_int(state, "epoch", &epoch) || !flt_json_int(state, "sequence", &sequence) ||
        epoch < 0 || sequence < 0 || epoch > UINT32_MAX || sequence > UINT32_MAX)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "epoch", "",
                             "the saved state is damaged");
    bot->saved_epoch = (uint32_t)epoch;
    bot->saved_sequence = (uint32_t)sequence;
    bot->last_sequence = (uint32_t)sequence;
    (void)flt_json_int(state, "last_fill_ms", &bot->last_fill_ms);
    bot_set_past(bot, flt_json_get(state, "past"));
    if (!restore_legs(bot, flt_json_get(state, "legs")))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "legs",
                             "close its position by hand and deploy it anew",
                             "the saved books do not fit its instruments, or their tick or lot "
                             "changed");
    const int err = params_read(bot->ops->state, flt_json_get(state, "state"), bot->state,
                                bot->state_size, error);
    if (err)
        return err;
    if (!restore_each(bot, flt_json_get(state, "wants"), restore_want) ||
        !restore_each(bot, flt_json_get(state, "orders"), restore_live) ||
        !restore_risk(bot, flt_json_get(state, "risk")))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "orders", "",
                             "the saved orders are damaged");
    return 0;
}
