#include "exchanges/sim/order_json.h"

static void numbers(struct flt_buf *buf, const struct sim_order *order)
{
    sim_jw_price(buf, "price", order->market, order->price_ticks);
    sim_jw_qty(buf, "origQty", order->market, order->qty_lots);
    sim_jw_qty(buf, "executedQty", order->market, order->filled_lots);
    sim_jw_amt(buf, "origQuoteOrderQty", order->quote_qty);
    sim_jw_cost(buf, "cummulativeQuoteQty", order->market, order->cost);
    flt_jw_str(buf, "status", sim_status_name(order->status));
    flt_jw_str(buf, "timeInForce", sim_tif_name(order->tif));
    flt_jw_str(buf, "type", sim_type_name(order->type));
    flt_jw_str(buf, "side", sim_side_name(order->side));
}

static void fills(struct flt_buf *buf, const struct sim_order *order, size_t first_fill)
{
    const struct sim *sim = order->market->sim;
    const struct instrument *instrument = &order->market->instrument;

    flt_jw_begin(buf, "fills", '[');
    for (size_t i = first_fill; i < sim->fill_count; i++) {
        const struct sim_fill *fill = &sim->fills[i];

        if (fill->order_id != order->order_id)
            continue; /* the other side of it */
        flt_jw_begin(buf, NULL, '{');
        sim_jw_price(buf, "price", order->market, fill->price_ticks);
        sim_jw_qty(buf, "qty", order->market, fill->qty_lots);
        sim_jw_amt(buf, "commission", fill->fee);
        flt_jw_str(buf, "commissionAsset",
                   fill->fee_in_base ? instrument->base : instrument->quote);
        flt_jw_int(buf, "tradeId", fill->trade_id);
        flt_jw_end(buf, '}');
    }
    flt_jw_end(buf, ']');
}

void sim_jw_placed(struct flt_buf *buf, const struct sim_order *order, enum sim_resp resp,
                   size_t first_fill)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "symbol", order->market->instrument.venue_symbol);
    flt_jw_int(buf, "orderId", order->order_id);
    flt_jw_int(buf, "orderListId", -1);
    flt_jw_str(buf, "clientOrderId", order->client_id);
    flt_jw_int(buf, "transactTime", order->time_ms);
    if (resp != SIM_RESP_ACK) {
        numbers(buf, order);
        flt_jw_int(buf, "workingTime", order->time_ms);
    }
    if (resp == SIM_RESP_FULL)
        fills(buf, order, first_fill);
    if (resp != SIM_RESP_ACK)
        flt_jw_str(buf, "selfTradePreventionMode", sim_stp_name(order->stp));
    flt_jw_end(buf, '}');
}

void sim_jw_canceled(struct flt_buf *buf, const struct sim_order *order)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "symbol", order->market->instrument.venue_symbol);
    flt_jw_str(buf, "origClientOrderId", order->client_id);
    flt_jw_int(buf, "orderId", order->order_id);
    flt_jw_int(buf, "orderListId", -1);
    flt_jw_str(buf, "clientOrderId", order->cancel_id);
    flt_jw_int(buf, "transactTime", order->update_ms);
    numbers(buf, order);
    flt_jw_str(buf, "selfTradePreventionMode", sim_stp_name(order->stp));
    flt_jw_end(buf, '}');
}

void sim_jw_queried(struct flt_buf *buf, const struct sim_order *order)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "symbol", order->market->instrument.venue_symbol);
    flt_jw_int(buf, "orderId", order->order_id);
    flt_jw_int(buf, "orderListId", -1);
    flt_jw_str(buf, "clientOrderId", order->client_id);
    numbers(buf, order);
    flt_jw_str(buf, "stopPrice", "0.00000000");
    flt_jw_str(buf, "icebergQty", "0.00000000");
    flt_jw_int(buf, "time", order->time_ms);
    flt_jw_int(buf, "updateTime", order->update_ms);
    flt_jw_bool(buf, "isWorking", true);
    flt_jw_int(buf, "workingTime", order->time_ms);
    flt_jw_str(buf, "selfTradePreventionMode", sim_stp_name(order->stp));
    flt_jw_end(buf, '}');
}

void sim_jw_my_trade(struct flt_buf *buf, const struct sim *sim, const struct sim_fill *fill)
{
    const struct sim_order *order = sim->orders[fill->order_id - 1];
    const struct instrument *instrument = &order->market->instrument;

    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "symbol", instrument->venue_symbol);
    flt_jw_int(buf, "id", fill->trade_id);
    flt_jw_int(buf, "orderId", order->order_id);
    flt_jw_int(buf, "orderListId", -1);
    sim_jw_price(buf, "price", order->market, fill->price_ticks);
    sim_jw_qty(buf, "qty", order->market, fill->qty_lots);
    sim_jw_cost(buf, "quoteQty", order->market, (flt_i128)fill->price_ticks * fill->qty_lots);
    sim_jw_amt(buf, "commission", fill->fee);
    flt_jw_str(buf, "commissionAsset", fill->fee_in_base ? instrument->base : instrument->quote);
    flt_jw_int(buf, "time", fill->ts_ms);
    flt_jw_bool(buf, "isBuyer", order->side == SIDE_BUY);
    flt_jw_bool(buf, "isMaker", fill->maker);
    flt_jw_bool(buf, "isBestMatch", true);
    flt_jw_end(buf, '}');
}
