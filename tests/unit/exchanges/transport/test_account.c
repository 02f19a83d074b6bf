/* An account at a venue that does not answer. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "exchanges/exchange.h"
#include "lib/http.h"
#include "lib/loop.h"
#include "lib/ws.h"

static const struct instrument btc = { .name = "BTC-USDT",
                                       .venue_symbol = "BTCUSDT",
                                       .base = "BTC",
                                       .quote = "USDT",
                                       .tick = { 1, 2 },
                                       .lot = { 1, 5 } };

/* Listens and never accepts; its port. */
static int silent_server(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

struct answers {
    int orders, lists, fills, balances;
};

static void on_order(void *ctx, const struct exchange_failure *failure, const struct order *order)
{
    assert_int_equal(failure->error, EXCHANGE_UNKNOWN_OUTCOME);
    assert_null(order);
    ((struct answers *)ctx)->orders++;
}

static void on_list(void *ctx, const struct exchange_failure *failure, const struct order *orders,
                    size_t count)
{
    (void)orders;
    assert_int_equal(failure->error, EXCHANGE_UNKNOWN_OUTCOME);
    assert_int_equal(count, 0);
    ((struct answers *)ctx)->lists++;
}

static void on_fills(void *ctx, const struct exchange_failure *failure, const struct fill *fills,
                     size_t count)
{
    (void)fills;
    assert_int_equal(failure->error, EXCHANGE_UNKNOWN_OUTCOME);
    assert_int_equal(count, 0);
    ((struct answers *)ctx)->fills++;
}

static void on_balances(void *ctx, const struct exchange_failure *failure,
                        const struct balance *balances, size_t count)
{
    (void)balances;
    assert_int_equal(failure->error, EXCHANGE_UNKNOWN_OUTCOME);
    assert_int_equal(count, 0);
    ((struct answers *)ctx)->balances++;
}

/* New keys close the account's connection while bots wait for answers. What they kept for those
 * answers was lost, each time. */
static void closing_an_account_answers_what_was_asked(void **ctx)
{
    const struct exchange_ops *ops = exchange_find("binance");
    const struct exchange_credentials keys = { .key = "k", .secret = "s" };
    const struct exchange_market_events market_events = { .ctx = NULL };
    const struct exchange_account_events account_events = { .ctx = NULL };
    const struct fills_query query = { .instrument = &btc, .order_id = "7" };
    struct exchange_env env = { 0 };
    struct exchange_market *market = NULL;
    struct exchange_account *account = NULL;
    struct answers answers = { 0, 0, 0, 0 };
    char rest[64], stream[64];
    int port = 0;
    const int fd = silent_server(&port);

    (void)ctx;
    snprintf(rest, sizeof rest, "http://127.0.0.1:%d", port);
    snprintf(stream, sizeof stream, "ws://127.0.0.1:%d", port);
    const struct exchange_urls urls = { .rest = rest, .stream = stream, .ws_api = stream };
    assert_int_equal(flt_loop_create(flt_clock_system(), &env.loop), 0);
    assert_int_equal(
        flt_http_create(env.loop, &(struct flt_http_config){ .proxy = NULL }, &env.http), 0);
    assert_int_equal(flt_ws_context_create(env.loop, &env.ws), 0);
    assert_int_equal(ops->market_open(&env, &urls, &market_events, &market), 0);
    assert_int_equal(ops->account_open(market, &keys, &account_events, &account), 0);
    assert_int_equal(ops->query_order(account, &btc, "id-1", on_order, &answers), 0);
    assert_int_equal(ops->open_orders(account, &btc, on_list, &answers), 0);
    assert_int_equal(ops->fills(account, &query, on_fills, &answers), 0);
    assert_int_equal(ops->balances(account, on_balances, &answers), 0);
    assert_int_equal(answers.orders + answers.lists + answers.fills + answers.balances, 0);
    ops->account_close(account);
    assert_int_equal(answers.orders, 1);
    assert_int_equal(answers.lists, 1);
    assert_int_equal(answers.fills, 1);
    assert_int_equal(answers.balances, 1);
    ops->market_close(market);
    flt_ws_context_destroy(env.ws);
    flt_http_destroy(env.http);
    flt_loop_destroy(env.loop);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closing_an_account_answers_what_was_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
