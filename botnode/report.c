#define FLT_MOD "report"
#include "botnode/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/bus.h"
#include "botnode/hosts.h"
#include "botnode/record.h"

#define LIVE_PERIOD_NS INT64_C(250000000)
#define LIVE_ORDERS_MAX 400 /* what a page can draw; `orders` of the message says them all */

static void publish(struct host *host, const struct msg_type *type, const void *message,
                    const char *topic, int qos, bool retained)
{
    struct flt_buf buf = FLT_BUF_INIT;

    msg_encode(type, &buf, NULL, message);
    bus_publish(host->node->bus, topic, &buf, qos, retained);
    flt_buf_finish(&buf);
}

static void head(struct host *host, struct msg_envelope *env)
{
    bus_envelope(host->node->bus, env);
    env->has_epoch = true;
    env->epoch = host->desired.env.epoch;
}

/* --- state
 * ------------------------------------------------------------------------------------------ */

static void state_of_bot(const struct host *host, struct msg_n_state *out)
{
    const struct instrument *instrument = host->legs[0];
    struct bot_status status;

    bot_status(host->bot, &status);
    out->has_reason = *status.reason_code != '\0';
    snprintf(out->reason.code, sizeof out->reason.code, "%s", status.reason_code);
    snprintf(out->reason.message, sizeof out->reason.message, "%s", status.reason);
    if (!out->has_reason && *status.reason) {
        out->has_note = true;
        snprintf(out->note, sizeof out->note, "%s", status.reason);
    }
    out->orders_open = status.open_orders;
    out->has_checked_ms =
        (status.phase == BOT_STOPPED || status.phase == BOT_FLAT) && status.clear_ms > 0;
    out->checked_ms = status.clear_ms;
    out->has_price = status.mark_ticks > 0;
    if (out->has_price)
        out->price = ticks_to_price(instrument, status.mark_ticks);
    out->has_bid = status.bid_ticks > 0;
    if (out->has_bid)
        out->bid = ticks_to_price(instrument, status.bid_ticks);
    out->has_ask = status.ask_ticks > 0;
    if (out->has_ask)
        out->ask = ticks_to_price(instrument, status.ask_ticks);
    out->has_price_age_ms = status.quote_age_ms >= 0;
    out->price_age_ms = status.quote_age_ms;
    out->has_average_price = flt_amt_sign(out->book.position) != 0;
    if (out->has_average_price)
        out->average_price = ledger_average_price(bot_ledger(host->bot, 0), instrument);
    out->has_unrealised = out->has_equity = true;
    out->unrealised = status.unrealised;
    out->equity = status.pnl;
    out->has_risk = true;
    out->risk.has_daily = out->risk.has_vetoes = true;
    out->risk.daily = status.day_pnl;
    out->risk.vetoes = (int64_t)status.counters.risk_refusals;
}

static void state_of(struct host *host, struct msg_n_state *out)
{
    const struct msg_bot *spec = &host->desired.spec;

    head(host, &out->env);
    snprintf(out->bot, sizeof out->bot, "%s", host->name);
    out->incarnation = bus_incarnation(host->node->bus);
    out->generation = host->desired.generation;
    out->run = (enum msg_run)host->run;
    out->phase = (enum msg_phase)host_phase(host);
    out->since_ms = host->since_ms;
    out->mode = spec->mode;
    snprintf(out->strategy, sizeof out->strategy, "%s", spec->strategy);
    snprintf(out->venue, sizeof out->venue, "%s", host->desired.venue);
    snprintf(out->account, sizeof out->account, "%s", spec->account);
    snprintf(out->instrument, sizeof out->instrument, "%s",
             spec->has_instrument   ? spec->instrument
             : spec->legs_count > 0 ? spec->legs[0].instrument
                                    : "");
    out->has_venue = true;
    out->has_account = spec->has_account;
    out->has_instrument = *out->instrument != '\0';
    out->has_halt = hosts_halts_seen(host->node->hosts, host);
    out->halt = hosts_halt_number(host->node->hosts);
    record_book(host, 0, &out->book);
    out->has_epoch_seen = host->epoch_seen > host->desired.env.epoch;
    out->epoch_seen = host->epoch_seen;
    if (host->bot) {
        state_of_bot(host, out);
        return;
    }
    out->has_reason = true;
    snprintf(out->reason.code, sizeof out->reason.code, "%s", host->why_code);
    snprintf(out->reason.message, sizeof out->reason.message, "%s", host->why);
}

void report_state(struct host *host)
{
    struct msg_n_state message = { 0 };
    char topic[TOPIC_MAX];

    if (!bus_is_up(host->node->bus))
        return;
    state_of(host, &message);
    publish(
        host, &msg_type_n_state, &message,
        topic_node_state(topic, bus_tenant(host->node->bus), host->node->config.node, host->name),
        1, true);
    json_object_put(message.book.fees);
    host->report_due = false;
    host->reported_ns = flt_mono_ns(host->node->clock);
    host->reported_mark_ticks = host->bot ? bot_mark_ticks(host->bot) : 0;
}

void report_clear(struct botnode *node, const char *bot)
{
    const struct flt_buf empty = FLT_BUF_INIT;
    char topic[TOPIC_MAX];

    bus_publish(node->bus, topic_node_state(topic, bus_tenant(node->bus), node->config.node, bot),
                &empty, 1, true);
}

/* --- detail
 * ------------------------------------------------------------------------------------------ */

static size_t orders_of(const struct host *host, struct msg_order **out, size_t max)
{
    struct bot_order order;
    size_t count = 0;

    *out = NULL;
    while (host->bot && count < max && bot_order_at(host->bot, count, &order))
        count++;
    if (count)
        *out = calloc(count, sizeof **out);
    if (!*out)
        return 0;
    for (size_t i = 0; i < count && bot_order_at(host->bot, i, &order); i++)
        record_order(host, &order, &(*out)[i]);
    return count;
}

static struct json_object *strategy_state(const struct host *host)
{
    struct flt_buf buf = FLT_BUF_INIT;
    struct json_object *tree;

    bot_write_state(host->bot, &buf, NULL);
    tree = buf.failed || !buf.length ? NULL : flt_json_parse(buf.data, buf.length, NULL);
    flt_buf_finish(&buf);
    return tree;
}

void report_live(struct host *host)
{
    struct msg_n_live message = { 0 };
    struct msg_n_state state = { 0 };
    char topic[TOPIC_MAX];
    const int64_t now_ns = flt_mono_ns(host->node->clock);

    if (!host->bot || now_ns - host->live_sent_ns < LIVE_PERIOD_NS)
        return;
    host->live_sent_ns = now_ns;
    state_of(host, &state);
    head(host, &message.env);
    snprintf(message.bot, sizeof message.bot, "%s", host->name);
    message.phase = state.phase;
    message.has_price = state.has_price;
    message.price = state.price;
    message.has_bid = state.has_bid;
    message.bid = state.bid;
    message.has_ask = state.has_ask;
    message.ask = state.ask;
    message.has_book = message.has_unrealised = message.has_equity = true;
    message.book = state.book;
    message.unrealised = state.unrealised;
    message.equity = state.equity;
    message.orders_count = orders_of(host, &message.orders, LIVE_ORDERS_MAX);
    message.state = strategy_state(host);
    message.has_state = message.state != NULL;
    message.has_note = state.has_note;
    snprintf(message.note, sizeof message.note, "%s", state.note);
    publish(
        host, &msg_type_n_live, &message,
        topic_node_live(topic, bus_tenant(host->node->bus), host->node->config.node, host->name), 0,
        false);
    free(message.orders);
    json_object_put(message.state);
    json_object_put(state.book.fees);
}

void report_order(struct host *host, const struct bot_order *order, const char *reason)
{
    struct msg_n_order message = { 0 };
    char topic[TOPIC_MAX];

    head(host, &message.env);
    snprintf(message.bot, sizeof message.bot, "%s", host->name);
    record_order(host, order, &message.order);
    message.has_reason = reason && *reason;
    if (message.has_reason)
        snprintf(message.reason, sizeof message.reason, "%s", reason);
    publish(
        host, &msg_type_n_order, &message,
        topic_node_order(topic, bus_tenant(host->node->bus), host->node->config.node, host->name),
        0, false);
}

void report_fill(struct host *host, const struct fill *fill)
{
    struct msg_n_fill message = { 0 };
    char topic[TOPIC_MAX];

    head(host, &message.env);
    snprintf(message.bot, sizeof message.bot, "%s", host->name);
    record_fill(fill, &message.fill);
    message.has_book = true;
    record_book(host, 0, &message.book);
    publish(
        host, &msg_type_n_fill, &message,
        topic_node_fill(topic, bus_tenant(host->node->bus), host->node->config.node, host->name), 0,
        false);
    json_object_put(message.book.fees);
}

static void row_of(const struct host_log_row *row, struct msg_log_row *out)
{
    out->ts_ms = row->ts_ms;
    out->level = row->level;
    snprintf(out->event, sizeof out->event, "%s", row->event);
    snprintf(out->text, sizeof out->text, "%s", row->text);
}

void report_log(struct host *host, const struct host_log_row *row)
{
    struct msg_n_log message = { 0 };
    char topic[TOPIC_MAX];

    head(host, &message.env);
    snprintf(message.bot, sizeof message.bot, "%s", host->name);
    row_of(row, &message.line);
    publish(host, &msg_type_n_log, &message,
            topic_node_log(topic, bus_tenant(host->node->bus), host->node->config.node, host->name),
            0, false);
}

/* --- answers of commands
 * ------------------------------------------------------------------------------ */

struct json_object *report_orders(struct host *host)
{
    struct msg_cmd_orders_result result = { .as_of_ms = flt_wall_ms(host->node->clock) };
    struct json_object *tree;

    result.orders_count = orders_of(host, &result.orders, 10000);
    tree = msg_to_raw(&msg_type_cmd_orders_result, &result);
    free(result.orders);
    return tree;
}

struct json_object *report_logs(struct host *host, size_t limit)
{
    struct msg_cmd_logs_result result = { 0 };
    const size_t kept = host->log_count < HOST_LOG_ROWS ? host->log_count : HOST_LOG_ROWS;
    const size_t count = kept < limit ? kept : limit;
    struct json_object *tree;

    result.lines = calloc(count + 1, sizeof *result.lines);
    if (!result.lines)
        return NULL;
    for (size_t i = 0; i < count; i++)
        row_of(&host->log[(host->log_count - count + i) % HOST_LOG_ROWS], &result.lines[i]);
    result.lines_count = count;
    tree = msg_to_tree(&msg_type_cmd_logs_result, &result);
    free(result.lines);
    return tree;
}
