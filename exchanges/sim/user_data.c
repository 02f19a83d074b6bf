#include "exchanges/sim/user_data.h"
#include <string.h>
#include "exchanges/sim/fault.h"
#include "exchanges/sim/streams.h"

static void send_to(const struct sim_account *account, const struct flt_buf *event)
{
    struct flt_buf buf = FLT_BUF_INIT;

    for (struct sim_session *session = account->sessions; session; session = session->user_next) {
        const int copies = sim_fault_copies(session->sim, true);

        flt_buf_reset(&buf);
        flt_buf_printf(&buf, "{\"subscriptionId\":%d,\"event\":%s}", session->subscription_id,
                       event->data);
        for (int i = 0; i < copies && !buf.failed; i++)
            (void)flt_peer_send(session->peer, buf.data, buf.length);
    }
    flt_buf_finish(&buf);
}

static void jw_fill(struct flt_buf *buf, const struct sim_order *order, const struct sim_fill *fill)
{
    const struct sim_market *market = order->market;
    const struct instrument *instrument = &market->instrument;

    sim_jw_qty(buf, "l", market, fill ? fill->qty_lots : 0);
    sim_jw_qty(buf, "z", market, order->filled_lots);
    sim_jw_price(buf, "L", market, fill ? fill->price_ticks : 0);
    if (fill)
        sim_jw_amt(buf, "n", fill->fee);
    else
        flt_jw_str(buf, "n", "0");
    flt_jw_str(buf, "N", !fill ? NULL : fill->fee_in_base ? instrument->base : instrument->quote);
    flt_jw_int(buf, "T", order->update_ms);
    flt_jw_int(buf, "t", fill ? fill->trade_id : -1);
}

void sim_user_order(const struct sim_order *order, const char *x, const struct sim_fill *fill)
{
    const struct sim_market *market = order->market;
    const bool canceled = strcmp(x, "CANCELED") == 0;
    struct flt_buf buf = FLT_BUF_INIT;

    if (!order->account->sessions)
        return;
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "e", "executionReport");
    flt_jw_int(&buf, "E", sim_now(market->sim));
    flt_jw_str(&buf, "s", market->instrument.venue_symbol);
    flt_jw_str(&buf, "c", canceled ? order->cancel_id : order->client_id);
    flt_jw_str(&buf, "S", sim_side_name(order->side));
    flt_jw_str(&buf, "o", sim_type_name(order->type));
    flt_jw_str(&buf, "f", sim_tif_name(order->tif));
    sim_jw_qty(&buf, "q", market, order->qty_lots);
    sim_jw_price(&buf, "p", market, order->price_ticks);
    flt_jw_str(&buf, "P", "0.00000000");
    flt_jw_str(&buf, "F", "0.00000000");
    flt_jw_int(&buf, "g", -1);
    flt_jw_str(&buf, "C", canceled ? order->client_id : "");
    flt_jw_str(&buf, "x", x);
    flt_jw_str(&buf, "X", sim_status_name(order->status));
    flt_jw_str(&buf, "r", "NONE");
    flt_jw_int(&buf, "i", order->order_id);
    jw_fill(&buf, order, fill);
    flt_jw_int(&buf, "I", (int64_t)market->sim->fill_count * 2 + order->order_id);
    flt_jw_bool(&buf, "w", sim_order_is_open(order) && order->type != SIM_MARKET);
    flt_jw_bool(&buf, "m", fill && fill->maker);
    flt_jw_bool(&buf, "M", false);
    flt_jw_int(&buf, "O", order->time_ms);
    sim_jw_cost(&buf, "Z", market, order->cost);
    sim_jw_cost(&buf, "Y", market, fill ? (flt_i128)fill->price_ticks * fill->qty_lots : 0);
    sim_jw_amt(&buf, "Q", order->quote_qty);
    flt_jw_int(&buf, "W", order->time_ms);
    flt_jw_str(&buf, "V", sim_stp_name(order->stp));
    flt_jw_end(&buf, '}');
    if (!buf.failed)
        send_to(order->account, &buf);
    flt_buf_finish(&buf);
}

static void jw_balance(struct flt_buf *buf, const struct sim_account *account, const char *asset)
{
    const struct balance *balance = funds_find(account->funds, asset);

    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "a", asset);
    sim_jw_amt(buf, "f", balance ? balance->free : FLT_AMT_ZERO);
    sim_jw_amt(buf, "l", balance ? balance->locked : FLT_AMT_ZERO);
    flt_jw_end(buf, '}');
}

void sim_user_balances(const struct sim_order *order)
{
    const struct sim *sim = order->market->sim;
    struct flt_buf buf = FLT_BUF_INIT;

    if (!order->account->sessions)
        return;
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "e", "outboundAccountPosition");
    flt_jw_int(&buf, "E", sim_now(sim));
    flt_jw_int(&buf, "u", order->update_ms);
    flt_jw_begin(&buf, "B", '[');
    jw_balance(&buf, order->account, order->market->instrument.base);
    jw_balance(&buf, order->account, order->market->instrument.quote);
    flt_jw_end(&buf, ']');
    flt_jw_end(&buf, '}');
    if (!buf.failed)
        send_to(order->account, &buf);
    flt_buf_finish(&buf);
}

void sim_user_deposit(struct sim *sim, struct sim_account *account, const char *asset,
                      struct flt_amt delta)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "e", "balanceUpdate");
    flt_jw_int(&buf, "E", sim_now(sim));
    flt_jw_str(&buf, "a", asset);
    sim_jw_amt(&buf, "d", delta);
    flt_jw_int(&buf, "T", sim_now(sim));
    flt_jw_end(&buf, '}');
    if (!buf.failed)
        send_to(account, &buf);
    flt_buf_finish(&buf);
}
