#define FLT_MOD "record"
#include "botnode/record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lib/fail.h"

static enum order_status status_of(enum order_state state, bool partly)
{
    switch (state) {
    case ORDER_FILLED:
        return ORDER_STATUS_FILLED;
    case ORDER_CANCELLED:
        return ORDER_STATUS_CANCELLED;
    case ORDER_REJECTED:
        return ORDER_STATUS_REJECTED;
    case ORDER_EXPIRED:
        return ORDER_STATUS_EXPIRED;
    case ORDER_BAD:
    case ORDER_INTENDED:
    case ORDER_SENT:
    case ORDER_OPEN:
    case ORDER_PARTLY_FILLED:
    case ORDER_UNKNOWN:
    case ORDER_STATE_COUNT:
        break;
    }
    return partly ? ORDER_STATUS_PARTLY_FILLED : ORDER_STATUS_OPEN;
}

void record_order(const struct host *host, const struct bot_order *order, struct msg_order *out)
{
    (void)host;
    *out = (struct msg_order){
        .key = order->key,
        .side = order->side,
        .type = order->type,
        .has_price = order->type == ORDER_LIMIT,
        .price = ticks_to_price(order->instrument, order->price_ticks),
        .qty = lots_to_qty(order->instrument, order->qty_lots),
        .filled_qty = lots_to_qty(order->instrument, order->filled_lots),
        .status = status_of(order->state, order->filled_lots > 0),
        .has_unknown = order->state == ORDER_UNKNOWN,
        .unknown = order->state == ORDER_UNKNOWN,
        .has_order_id = *order->order_id != '\0',
        .has_label = order->key_name && *order->key_name,
        .ts_ms = order->ts_ms ? order->ts_ms : order->created_ms,
    };
    snprintf(out->instrument, sizeof out->instrument, "%s", order->instrument->name);
    snprintf(out->client_order_id, sizeof out->client_order_id, "%s", order->client_order_id);
    snprintf(out->order_id, sizeof out->order_id, "%s", order->order_id);
    if (out->has_label)
        snprintf(out->label, sizeof out->label, "%s", order->key_name);
}

void record_fill(const struct fill *fill, struct msg_fill *out)
{
    *out = (struct msg_fill){
        .has_client_order_id = *fill->client_order_id != '\0',
        .side = fill->side,
        .price = fill->price,
        .qty = fill->qty,
        .fee = fill->fee,
        .liquidity = fill->liquidity,
        .ts_ms = fill->ts_ms,
    };
    snprintf(out->instrument, sizeof out->instrument, "%s", fill->instrument);
    snprintf(out->trade_id, sizeof out->trade_id, "%s", fill->trade_id);
    snprintf(out->order_id, sizeof out->order_id, "%s", fill->order_id);
    snprintf(out->client_order_id, sizeof out->client_order_id, "%s", fill->client_order_id);
    snprintf(out->fee_asset, sizeof out->fee_asset, "%s", fill->fee_asset);
}

static struct json_object *fees_tree(const struct ledger *ledger)
{
    struct json_object *tree = ledger->fee_count ? json_object_new_object() : NULL;
    char text[FLT_AMT_TEXT_MAX];

    for (size_t i = 0; tree && i < ledger->fee_count; i++)
        json_object_object_add(tree, ledger->fees[i].asset,
                               json_object_new_string(flt_amt_format(ledger->fees[i].sum, text)));
    return tree;
}

void record_book(const struct host *host, unsigned leg, struct msg_book *out)
{
    static const struct ledger none;
    const struct ledger *ledger = host->bot ? bot_ledger(host->bot, leg) : &none;

    *out = (struct msg_book){
        .position = ledger->position,
        .cost = ledger->cost,
        .cash = ledger->cash,
        .realised = ledger_realised(ledger),
        .volume = ledger->volume,
        .fills = ledger->fill_count,
        .fees = fees_tree(ledger),
    };
    out->has_fees = out->fees != NULL;
}

static void fill_of(const struct host *host, const struct bot_record *record,
                    struct msg_ev_fill *out)
{
    const unsigned leg = record->order ? record->order->leg : 0;

    record_fill(record->fill, &out->fill);
    snprintf(out->venue, sizeof out->venue, "%s", host->desired.venue);
    snprintf(out->account, sizeof out->account, "%s", host_account(host));
    out->mode = host->desired.spec.mode;
    out->has_key = record->order != NULL;
    out->key = record->order ? record->order->key : 0;
    record_book(host, leg, &out->book);
}

void record_adjustment(const struct host *host, const struct bot_adjustment *adjustment,
                       struct msg_ev_adjustment *out)
{
    snprintf(out->instrument, sizeof out->instrument, "%s", host->legs[adjustment->leg]->name);
    snprintf(out->venue, sizeof out->venue, "%s", host->desired.venue);
    snprintf(out->account, sizeof out->account, "%s", host_account(host));
    snprintf(out->by, sizeof out->by, "%s", adjustment->by);
    snprintf(out->reason, sizeof out->reason, "%s", adjustment->reason);
    out->mode = host->desired.spec.mode;
    out->qty = adjustment->qty;
    record_book(host, adjustment->leg, &out->book);
}

static void order_of(const struct host *host, const struct bot_record *record,
                     struct msg_ev_order *out)
{
    record_order(host, record->order, &out->order);
    snprintf(out->venue, sizeof out->venue, "%s", host->desired.venue);
    snprintf(out->account, sizeof out->account, "%s", host_account(host));
    out->mode = host->desired.spec.mode;
    out->has_reason = record->message && *record->message;
    if (out->has_reason)
        snprintf(out->reason, sizeof out->reason, "%s", record->message);
}

static void transition_of(const struct host *host, const struct bot_record *record,
                          struct msg_ev_transition *out)
{
    out->from = (enum msg_phase)record->from;
    out->to = (enum msg_phase)record->to;
    out->generation = host->desired.generation;
    out->has_reason = record->code && *record->code;
    if (out->has_reason) {
        snprintf(out->reason.code, sizeof out->reason.code, "%s", record->code);
        snprintf(out->reason.message, sizeof out->reason.message, "%s",
                 record->message ? record->message : "");
    }
}

/* Fills `out`; false: a record that has no place in the stream (a checkpoint). */
static bool record_of(const struct host *host, const struct bot_record *record,
                      struct msg_ev_record *out)
{
    switch (record->kind) {
    case BOT_RECORD_FILL:
        out->kind = MSG_EV_RECORD_KIND_FILL;
        out->has_fill = true;
        fill_of(host, record, &out->fill);
        return true;
    case BOT_RECORD_ORDER:
        out->kind = MSG_EV_RECORD_KIND_ORDER;
        out->has_order = true;
        order_of(host, record, &out->order);
        return true;
    case BOT_RECORD_TRANSITION:
        out->kind = MSG_EV_RECORD_KIND_TRANSITION;
        out->has_transition = true;
        transition_of(host, record, &out->transition);
        return true;
    case BOT_RECORD_RISK:
        out->kind = MSG_EV_RECORD_KIND_RISK;
        out->has_risk = true;
        out->risk.action = record->pauses ? MSG_EV_RISK_ACTION_PAUSE : MSG_EV_RISK_ACTION_VETO;
        snprintf(out->risk.rule, sizeof out->risk.rule, "%s", record->code);
        snprintf(out->risk.message, sizeof out->risk.message, "%s", record->message);
        return true;
    case BOT_RECORD_ALARM:
        out->kind = MSG_EV_RECORD_KIND_ALARM;
        out->has_alarm = true;
        out->alarm.severity = MSG_SEVERITY_CRITICAL;
        snprintf(out->alarm.code, sizeof out->alarm.code, "%s", record->code);
        snprintf(out->alarm.message, sizeof out->alarm.message, "%s", record->message);
        return true;
    case BOT_RECORD_ADJUST:
        out->kind = MSG_EV_RECORD_KIND_ADJUSTMENT;
        out->has_adjustment = true;
        record_adjustment(host, record->adjustment, &out->adjustment);
        return true;
    case BOT_RECORD_CHECKPOINT:
        break;
    }
    return false;
}

/* The journal numbers records; a body is the record without `n`, which the encoder writes first. */
static const char NO_NUMBER[] = "{\"n\":0,";

static char *body_of(struct flt_buf *buf)
{
    const size_t skip = sizeof NO_NUMBER - 2; /* its "{" is put back over the comma */

    if (buf->failed || buf->length <= skip ||
        memcmp(buf->data, NO_NUMBER, sizeof NO_NUMBER - 1) != 0)
        return NULL;
    buf->data[skip] = '{';
    return buf->data + skip;
}

int record_append(struct host *host, const struct bot_record *record)
{
    struct msg_ev_record message = { .epoch = bot_epoch(host->bot), .ts_ms = record->ts_ms };
    struct flt_buf body = FLT_BUF_INIT, state = FLT_BUF_INIT;
    const bool in_stream = record_of(host, record, &message);
    struct journal_entry entry = { .bot = host->name, .ts_ms = record->ts_ms };
    int64_t n = -ENOMEM;

    snprintf(message.bot, sizeof message.bot, "%s", host->name);
    if (in_stream) {
        msg_ev_record_encode(&body, &message);
        entry.kind = msg_ev_record_kind_name(message.kind);
        entry.body = body_of(&body);
    }
    bot_save(host->bot, &state);
    entry.state = state.data;
    if (record->kind == BOT_RECORD_FILL) {
        entry.fill = record->fill;
        entry.account = host_account(host);
    }
    if (!state.failed && (!in_stream || entry.body))
        n = journal_append(host->node->journal, &entry);
    json_object_put(message.fill.book.fees);
    json_object_put(message.adjustment.book.fees);
    flt_buf_finish(&body);
    flt_buf_finish(&state);
    return n < 0
               ? FLT_FAIL((int)n, "bot=%s kind=%s", host->name, bot_record_kind_name(record->kind))
               : 0;
}
