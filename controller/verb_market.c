/* Verbs on what can be traded and how: candles, instruments, strategies. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "controller/market.h"
#include "controller/request.h"
#include "strategies/params.h"
#include "strategies/strategy.h"

#define PAGE_DEFAULT 200
#define VOLUME_DECIMALS 8

static void copy_bars(struct msg_candles_result *out, const struct instrument *instrument,
                      const struct bar *bars, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct msg_candle *candle = &out->candles[out->candles_count++];

        candle->ts_ms = bars[i].ts_ms;
        candle->open = ticks_to_price(instrument, bars[i].open_ticks);
        candle->high = ticks_to_price(instrument, bars[i].high_ticks);
        candle->low = ticks_to_price(instrument, bars[i].low_ticks);
        candle->close = ticks_to_price(instrument, bars[i].close_ticks);
        candle->volume = flt_dec_from_double(isfinite(bars[i].volume) ? bars[i].volume : 0,
                                             VOLUME_DECIMALS, FLT_ROUND_HALF_EVEN);
    }
}

static void on_bars(void *ctx, const char *failure, const struct instrument *instrument,
                    const struct bar *bars, size_t count)
{
    struct request *request = ctx;
    struct msg_candles_result out = { 0 };
    struct flt_error error = { 0 };

    if (!failure)
        out.candles = calloc(count + 1, sizeof *out.candles);
    if (failure || !out.candles) {
        (void)flt_error_set(&error, failure ? FLT_VENUE_ERROR : FLT_INTERNAL, "", "", "%s",
                            failure ? failure : "no memory");
        request_refuse(request, &error);
        return;
    }
    copy_bars(&out, instrument, bars, count);
    request_answer(request, &out);
    msg_candles_result_finish(&out);
}

HANDLER(verb_candles)
{
    const struct msg_candles_args *in = args;
    struct request *kept = request_keep(request);
    int err;

    (void)result;
    if (!kept)
        return -ENOMEM;
    err = market_bars(request->controller->market, in->venue, in->instrument, in->timeframe,
                      in->has_since_ms ? in->since_ms : 0, in->has_limit ? (int)in->limit : 200,
                      on_bars, kept, error);
    if (err)
        free(kept);
    return err ? err : REQUEST_LATER;
}

static void fill_instrument(const struct instrument *in, struct msg_instrument *out)
{
    snprintf(out->name, sizeof out->name, "%s", in->name);
    snprintf(out->venue_symbol, sizeof out->venue_symbol, "%s", in->venue_symbol);
    out->kind = in->kind == INSTRUMENT_SPOT ? MSG_INSTRUMENT_KIND_SPOT : MSG_INSTRUMENT_KIND_PERP;
    out->status = in->status == INSTRUMENT_TRADING  ? MSG_INSTRUMENT_STATUS_TRADING
                  : in->status == INSTRUMENT_HALTED ? MSG_INSTRUMENT_STATUS_HALTED
                                                    : MSG_INSTRUMENT_STATUS_DELISTED;
    snprintf(out->base, sizeof out->base, "%s", in->base);
    snprintf(out->quote, sizeof out->quote, "%s", in->quote);
    out->tick = in->tick;
    out->lot = in->lot;
    out->has_qty_min = out->has_qty_max = out->has_price_min = out->has_price_max = true;
    out->qty_min = in->qty_min;
    out->qty_max = in->qty_max;
    out->price_min = in->price_min;
    out->price_max = in->price_max;
    out->has_notional_min = out->has_contract_size = out->has_fee_maker = out->has_fee_taker = true;
    out->notional_min = in->notional_min;
    out->contract_size = in->contract_size;
    out->fee_maker = in->fee_maker;
    out->fee_taker = in->fee_taker;
}

HANDLER(verb_instrument_ls)
{
    const struct msg_instrument_ls_args *in = args;
    struct msg_instrument_ls_result *out = result;
    const size_t limit = in->has_limit ? (size_t)in->limit : PAGE_DEFAULT;
    size_t count = 0;
    const struct instrument *const *list =
        market_instruments(request->controller->market, in->venue, &count);
    bool past = !in->has_after;

    if (!market_knows(request->controller->market, in->venue))
        return flt_error_set(error, FLT_NOT_FOUND, "venue", "add it to the configuration",
                             "the controller knows no venue %s", in->venue);
    if (count == 0)
        return flt_error_set(error, FLT_UNAVAILABLE, "venue", "try again in a moment",
                             "the instruments of %s are not loaded yet", in->venue);
    out->items = calloc(limit, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const bool matches = !in->has_text || strcasestr(list[i]->name, in->text);

        if (past && matches && out->items_count == limit) {
            out->has_next = true;
            snprintf(out->next, sizeof out->next, "%s", out->items[limit - 1].name);
            break;
        }
        if (past && matches)
            fill_instrument(list[i], &out->items[out->items_count++]);
        past = past || strcmp(list[i]->name, in->after) == 0;
    }
    return 0;
}

/* --- strategies
 * ---------------------------------------------------------------------------------------- */

HANDLER(verb_strategy_ls)
{
    struct msg_strategy_ls_result *out = result;
    size_t count = 0;
    const struct strategy_ops *const *list = strategy_list(&count);

    (void)request;
    (void)args;
    (void)error;
    out->items = calloc(count + 1, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct msg_strategy_row *row = &out->items[out->items_count++];

        snprintf(row->strategy, sizeof row->strategy, "%s", list[i]->name);
        snprintf(row->help, sizeof row->help, "%s", list[i]->help);
    }
    return 0;
}

static void copy_text(const char *text, bool *has, char *out, size_t size)
{
    *has = text != NULL && text[0] != '\0';
    snprintf(out, size, "%s", text ? text : "");
}

static enum msg_param_type type_of(enum field_type type)
{
    switch (type) {
    case FIELD_INT:
        return MSG_PARAM_TYPE_INT;
    case FIELD_DOUBLE:
        return MSG_PARAM_TYPE_DOUBLE;
    case FIELD_DEC:
        return MSG_PARAM_TYPE_DECIMAL;
    case FIELD_BOOL:
        return MSG_PARAM_TYPE_BOOL;
    case FIELD_ENUM:
        return MSG_PARAM_TYPE_ENUM;
    case FIELD_DURATION:
        break;
    }
    return MSG_PARAM_TYPE_DURATION;
}

static int fill_param(const struct field *field, struct msg_param *out)
{
    size_t count = 0;

    snprintf(out->name, sizeof out->name, "%s", field->name);
    out->type = type_of(field->type);
    copy_text(field->def, &out->has_default_, out->default_, sizeof out->default_);
    copy_text(field->min, &out->has_min, out->min, sizeof out->min);
    copy_text(field->max, &out->has_max, out->max, sizeof out->max);
    copy_text(field->step, &out->has_step, out->step, sizeof out->step);
    copy_text(field->unit, &out->has_unit, out->unit, sizeof out->unit);
    snprintf(out->help, sizeof out->help, "%s", field->help ? field->help : "");
    out->has_hot = true;
    out->hot = field->hot;
    while (field->choices && field->choices[count])
        count++;
    out->has_choices = count > 0;
    if (count && !(out->choices = calloc(count, sizeof *out->choices)))
        return -ENOMEM;
    for (; out->choices_count < count; out->choices_count++)
        snprintf(out->choices[out->choices_count], sizeof *out->choices, "%s",
                 field->choices[out->choices_count]);
    return 0;
}

HANDLER(verb_strategy_show)
{
    const struct msg_strategy_show_args *in = args;
    struct msg_strategy_show_result *out = result;
    const struct strategy_ops *ops = strategy_find(in->strategy);
    struct flt_buf schema = FLT_BUF_INIT;
    size_t count = 0;
    int err = 0;

    (void)request;
    if (!ops)
        return flt_error_set(error, FLT_NOT_FOUND, "strategy", "list them with strategy-ls",
                             "there is no strategy %s", in->strategy);
    snprintf(out->strategy, sizeof out->strategy, "%s", ops->name);
    snprintf(out->help, sizeof out->help, "%s", ops->help);
    while (ops->params[count].name)
        count++;
    out->params = calloc(count + 1, sizeof *out->params);
    for (size_t i = 0; out->params && i < count && !err; i++)
        err = fill_param(&ops->params[i], &out->params[out->params_count++]);
    params_schema(ops->params, &schema, NULL);
    if (!schema.failed)
        out->schema = flt_json_parse(schema.data, schema.length, NULL);
    flt_buf_finish(&schema);
    return err ? err : out->params && out->schema ? 0 : -ENOMEM;
}
