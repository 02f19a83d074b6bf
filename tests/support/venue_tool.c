/* Drives one venue by lines of JSON on stdin and prints what happens, for tests of whole venues.
 *
 *   venue_tool VENUE REST_URL STREAM_URL WS_API_URL KEY SECRET
 *   {"do":"subscribe","instrument":"BTC-USDT","feeds":7}   {"do":"account"}   {"do":"paper"}
 *   {"do":"place","instrument":..,"id":..,"side":..,"type":..,"qty":..,"price":..,"tif":..}
 *   {"do":"cancel"|"query","instrument":..,"id":..}   {"do":"open"|"fills"|"balances"|"bars",..}
 *   {"do":"quit"}
 */
#define FLT_MOD "venue_tool"
#include "exchanges/market_base.h"
#include "exchanges/normal.h"
#include "lib/http.h"
#include "lib/ws.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tool {
    struct flt_loop *loop;
    struct exchange_env env;
    const struct exchange_ops *ops, *account_ops;
    struct exchange_market *market;
    struct exchange_account *account;
    struct exchange_credentials keys;
    struct flt_buf out;
    uv_poll_t poll;
    char line[65536];
    size_t length;
};

static struct flt_buf *begin(struct tool *tool, const char *what)
{
    flt_buf_reset(&tool->out);
    flt_jw_begin(&tool->out, NULL, '{');
    flt_jw_str(&tool->out, "event", what);
    return &tool->out;
}

static void end(struct tool *tool)
{
    flt_jw_end(&tool->out, '}');
    printf("%s\n", tool->out.data);
    fflush(stdout);
}

static void on_instruments(void *ctx)
{
    struct tool *tool = ctx;
    size_t count;

    (void)tool->ops->instruments(tool->market, &count);
    flt_jw_int(begin(tool, "instruments"), "count", (int64_t)count);
    flt_jw_int(&tool->out, "offset_ms", tool->ops->clock_offset_ms(tool->market));
    end(tool);
}

static void on_quote(void *ctx, const struct instrument *instrument, const struct quote *quote,
                     int64_t received_ns)
{
    struct tool *tool = ctx;

    (void)received_ns;
    flt_jw_str(begin(tool, "quote"), "instrument", instrument->name);
    flt_jw_dec(&tool->out, "bid", ticks_to_price(instrument, quote->bid_ticks));
    flt_jw_dec(&tool->out, "ask", ticks_to_price(instrument, quote->ask_ticks));
    end(tool);
}

static void on_trade(void *ctx, const struct instrument *instrument, const struct trade *trade,
                     int64_t received_ns)
{
    struct tool *tool = ctx;

    (void)received_ns;
    flt_jw_str(begin(tool, "trade"), "instrument", instrument->name);
    flt_jw_int(&tool->out, "trade_id", trade->trade_id);
    flt_jw_dec(&tool->out, "price", ticks_to_price(instrument, trade->price_ticks));
    end(tool);
}

static void on_bar(void *ctx, const struct instrument *instrument, const struct bar *bar,
                   bool closed, int64_t received_ns)
{
    struct tool *tool = ctx;

    (void)received_ns;
    flt_jw_str(begin(tool, "bar"), "instrument", instrument->name);
    flt_jw_int(&tool->out, "ts_ms", bar->ts_ms);
    flt_jw_bool(&tool->out, "closed", closed);
    end(tool);
}

static void on_market_link(void *ctx, bool up, const char *reason)
{
    struct tool *tool = ctx;

    flt_jw_bool(begin(tool, "market_link"), "up", up);
    flt_jw_str(&tool->out, "reason", reason);
    end(tool);
}

static void on_account_link(void *ctx, bool up, const char *reason)
{
    struct tool *tool = ctx;

    flt_jw_bool(begin(tool, "account_link"), "up", up);
    flt_jw_str(&tool->out, "reason", reason);
    end(tool);
}

static void on_order(void *ctx, const struct order *order)
{
    normal_order(begin(ctx, "order"), "order", order);
    end(ctx);
}

static void on_fill(void *ctx, const struct fill *fill)
{
    normal_fill(begin(ctx, "fill"), "fill", fill);
    end(ctx);
}

static void on_balance(void *ctx, const struct balance *balance)
{
    normal_balance(begin(ctx, "balance"), "balance", balance);
    end(ctx);
}

static void on_place_result(void *ctx, const char *client_order_id,
                            const struct exchange_failure *failure, const struct order *order)
{
    struct tool *tool = ctx;

    flt_jw_str(begin(tool, "placed"), "id", client_order_id);
    normal_failure(&tool->out, "failure", failure);
    if (order)
        normal_order(&tool->out, "order", order);
    end(tool);
}

static void on_cancel_result(void *ctx, const char *client_order_id,
                             const struct exchange_failure *failure)
{
    struct tool *tool = ctx;

    flt_jw_str(begin(tool, "cancelled"), "id", client_order_id);
    normal_failure(&tool->out, "failure", failure);
    end(tool);
}

static void on_query(void *ctx, const struct exchange_failure *failure, const struct order *order)
{
    struct tool *tool = ctx;

    normal_failure(begin(tool, "query"), "failure", failure);
    if (order)
        normal_order(&tool->out, "order", order);
    end(tool);
}

static void on_orders(void *ctx, const struct exchange_failure *failure, const struct order *orders,
                      size_t count)
{
    struct tool *tool = ctx;

    normal_failure(begin(tool, "open"), "failure", failure);
    flt_jw_begin(&tool->out, "orders", '[');
    for (size_t i = 0; i < count; i++)
        normal_order(&tool->out, NULL, &orders[i]);
    flt_jw_end(&tool->out, ']');
    end(tool);
}

static void on_fills(void *ctx, const struct exchange_failure *failure, const struct fill *fills,
                     size_t count)
{
    struct tool *tool = ctx;

    normal_failure(begin(tool, "fills"), "failure", failure);
    flt_jw_begin(&tool->out, "fills", '[');
    for (size_t i = 0; i < count; i++)
        normal_fill(&tool->out, NULL, &fills[i]);
    flt_jw_end(&tool->out, ']');
    end(tool);
}

static void on_balances(void *ctx, const struct exchange_failure *failure,
                        const struct balance *balances, size_t count)
{
    struct tool *tool = ctx;

    normal_failure(begin(tool, "balances"), "failure", failure);
    flt_jw_begin(&tool->out, "balances", '[');
    for (size_t i = 0; i < count; i++)
        normal_balance(&tool->out, NULL, &balances[i]);
    flt_jw_end(&tool->out, ']');
    end(tool);
}

static void on_bars(void *ctx, const struct exchange_failure *failure,
                    const struct instrument *instrument, const struct bar *bars, size_t count)
{
    struct tool *tool = ctx;

    (void)bars;
    normal_failure(begin(tool, "bars"), "failure", failure);
    flt_jw_str(&tool->out, "instrument", instrument->name);
    flt_jw_int(&tool->out, "count", (int64_t)count);
    end(tool);
}

/* --- commands --- */

static const struct instrument *find(struct tool *tool, const char *name)
{
    size_t count;
    const struct instrument *const *all = tool->ops->instruments(tool->market, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

static int open_account(struct tool *tool, bool paper)
{
    const struct exchange_account_events events = { .ctx = tool,
                                                    .on_link = on_account_link,
                                                    .on_order = on_order,
                                                    .on_fill = on_fill,
                                                    .on_balance = on_balance,
                                                    .on_place_result = on_place_result,
                                                    .on_cancel_result = on_cancel_result };
    const struct exchange_credentials none = { 0 };

    tool->account_ops = paper ? exchange_find("paper") : tool->ops;
    return tool->account_ops->account_open(tool->market, paper ? &none : &tool->keys, &events,
                                           &tool->account);
}

static int place(struct tool *tool, struct json_object *args, const struct instrument *instrument)
{
    struct order_request request = { .instrument = instrument };
    const char *id = "", *side = "buy", *type = "limit", *tif = "gtc";

    flt_json_str(args, "id", &id);
    flt_json_str(args, "side", &side);
    flt_json_str(args, "type", &type);
    flt_json_str(args, "tif", &tif);
    snprintf(request.client_order_id, sizeof request.client_order_id, "%s", id);
    if (!side_parse(side, &request.side) || !order_type_parse(type, &request.type) ||
        !tif_parse(tif, &request.tif))
        return -1;
    flt_json_bool(args, "post_only", &request.post_only);
    flt_json_dec(args, "qty", &request.qty);
    flt_json_dec(args, "price", &request.price);
    return tool->account_ops->place(tool->account, &request);
}

static int run(struct tool *tool, const char *what, struct json_object *args)
{
    const struct exchange_ops *ops = tool->account_ops;
    const char *name = "", *id = "";
    int64_t feeds = FEED_QUOTE | FEED_TRADE | FEED_BAR_1M;

    flt_json_str(args, "instrument", &name);
    flt_json_str(args, "id", &id);
    flt_json_int(args, "feeds", &feeds);
    const struct instrument *instrument = find(tool, name);
    struct fills_query query = { .instrument = instrument, .from_trade_id = *id ? id : NULL };

    if (strcmp(what, "account") == 0 || strcmp(what, "paper") == 0)
        return open_account(tool, *what == 'p');
    if (strcmp(what, "subscribe") == 0)
        return tool->ops->subscribe(tool->market, instrument, (unsigned)feeds);
    if (strcmp(what, "unsubscribe") == 0) {
        tool->ops->unsubscribe(tool->market, instrument, (unsigned)feeds);
        return 0;
    }
    if (strcmp(what, "bars") == 0)
        return tool->ops->bars(tool->market, instrument, "1m", 0, 100, on_bars, tool);
    if (strcmp(what, "place") == 0)
        return place(tool, args, instrument);
    if (strcmp(what, "cancel") == 0)
        return ops->cancel(tool->account, instrument, id);
    if (strcmp(what, "query") == 0)
        return ops->query_order(tool->account, instrument, id, on_query, tool);
    if (strcmp(what, "open") == 0)
        return ops->open_orders(tool->account, instrument, on_orders, tool);
    if (strcmp(what, "fills") == 0)
        return ops->fills(tool->account, &query, on_fills, tool);
    if (strcmp(what, "balances") == 0)
        return ops->balances(tool->account, on_balances, tool);
    return -1;
}

static void command(struct tool *tool, const char *line, size_t size)
{
    struct json_object *args = flt_json_parse(line, size, NULL);
    const char *what = "quit";

    if (args)
        flt_json_str(args, "do", &what);
    if (strcmp(what, "quit") == 0) {
        flt_loop_stop(tool->loop);
    } else {
        const int outcome = run(tool, what, args);

        if (outcome != 0) {
            flt_jw_str(begin(tool, "outcome"), "do", what);
            flt_jw_int(&tool->out, "outcome", outcome);
            end(tool);
        }
    }
    json_object_put(args);
}

static void on_input(uv_poll_t *poll, int status, int events)
{
    struct tool *tool = poll->data;
    const ssize_t got = read(0, tool->line + tool->length, sizeof tool->line - tool->length);

    (void)status;
    (void)events;
    if (got <= 0) {
        flt_loop_stop(tool->loop);
        return;
    }
    tool->length += (size_t)got;
    for (char *eol; (eol = memchr(tool->line, '\n', tool->length)) != NULL;) {
        const size_t size = (size_t)(eol - tool->line);

        command(tool, tool->line, size);
        memmove(tool->line, eol + 1, tool->length - size - 1);
        tool->length -= size + 1;
    }
}

static int start(struct tool *tool, char **argv)
{
    const struct exchange_urls urls = { .rest = argv[2], .stream = argv[3], .ws_api = argv[4] };
    const struct exchange_market_events events = { .ctx = tool,
                                                   .on_instruments = on_instruments,
                                                   .on_quote = on_quote,
                                                   .on_trade = on_trade,
                                                   .on_bar = on_bar,
                                                   .on_link = on_market_link };
    const struct flt_http_config http = { 0 };

    tool->ops = exchange_find(argv[1]);
    if (!tool->ops || flt_loop_create(flt_clock_system(), &tool->loop) != 0)
        return -1;
    tool->env.loop = tool->loop;
    if (getenv("STREAM_SILENCE_MS"))
        tool->env.stream_silence_ms = strtoll(getenv("STREAM_SILENCE_MS"), NULL, 10);
    if (flt_http_create(tool->loop, &http, &tool->env.http) != 0 ||
        flt_ws_context_create(tool->loop, &tool->env.ws) != 0)
        return -1;
    tool->keys = (struct exchange_credentials){ .key = argv[5], .secret = argv[6] };
    return tool->ops->market_open(&tool->env, &urls, &events, &tool->market);
}

int main(int argc, char **argv)
{
    static struct tool tool;

    if (argc != 7 || start(&tool, argv) != 0)
        return 2;
    uv_poll_init(flt_loop_uv(tool.loop), &tool.poll, 0);
    tool.poll.data = &tool;
    uv_poll_start(&tool.poll, UV_READABLE, on_input);
    flt_loop_run(tool.loop);
    if (tool.account)
        tool.account_ops->account_close(tool.account);
    tool.ops->market_close(tool.market);
    flt_ws_context_destroy(tool.env.ws);
    flt_http_destroy(tool.env.http);
    uv_close((uv_handle_t *)&tool.poll, NULL);
    flt_loop_run(tool.loop); /* ends: nothing may be left */
    flt_loop_destroy(tool.loop);
    flt_buf_finish(&tool.out);
    return 0;
}
