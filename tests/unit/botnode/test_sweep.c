/* Bots that ask for missed trades, and a venue that answers when the test says so. Its trades carry
 * no client order id, as Binance's do not: whose they are, it is asked order by order. */
#include "botnode/sweep.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "botnode/hosts.h"
#include "botnode/owner.h"

#define BOTS 4
#define NOW_MS INT64_C(1700000000000)
#define MINUTE_MS 60000

/* --- what sweep.c sees of the node
 * ---------------------------------------------------------------- */

static struct botnode node;
static struct host hosts[BOTS];
static struct bot_status states[BOTS];
static const struct instrument btc = { .name = "BTC-USDT" };
static uint64_t link_number;
static int64_t journaled_ms; /* the account's last trade in this journal */
static exchange_fills_fn *page_asked;
static exchange_order_fn *owner_asked;
static void *asked_ctx;
static char order_asked[ORDER_ID_MAX];
static int64_t since_asked;
static unsigned questions;
static struct {
    unsigned told, failed, fills;
} bots[BOTS];

static int fake_fills(struct exchange_account *account, const struct fills_query *query,
                      exchange_fills_fn *fn, void *ctx)
{
    (void)account;
    assert_null(page_asked);
    assert_null(owner_asked); /* never two of one pair at once */
    page_asked = fn;
    asked_ctx = ctx;
    since_asked = query->since_ms;
    questions++;
    return 0;
}

static int fake_owner(struct exchange_account *account, const struct instrument *instrument,
                      const char *order_id, exchange_order_fn *fn, void *ctx)
{
    (void)account;
    (void)instrument;
    assert_null(page_asked);
    assert_null(owner_asked);
    owner_asked = fn;
    asked_ctx = ctx;
    snprintf(order_asked, sizeof order_asked, "%s", order_id);
    return 0;
}

static const struct exchange_ops fake_ops = { .fills = fake_fills, .query_order_id = fake_owner };

struct host *hosts_by_serial(struct hosts *all, uint64_t serial)
{
    (void)all;
    return serial >= 1 && serial <= BOTS ? &hosts[serial - 1] : NULL;
}

struct host *hosts_by_owner(struct hosts *all, uint64_t owner)
{
    (void)all;
    return owner < BOTS ? &hosts[owner] : NULL;
}

struct host *hosts_by_order_id(struct hosts *all, const struct account *account,
                               const char *order_id)
{
    (void)all;
    (void)account;
    (void)order_id;
    return NULL;
}

const struct exchange_ops *account_ops(const struct account *account)
{
    (void)account;
    return &fake_ops;
}

struct exchange_account *account_handle(const struct account *account)
{
    return (struct exchange_account *)(uintptr_t)account;
}

uint64_t account_link(const struct account *account)
{
    (void)account;
    return link_number;
}

const char *account_name(const struct account *account)
{
    (void)account;
    return "demo";
}

bool owner_opens_account(struct owner *owner, const struct account *account)
{
    (void)owner;
    (void)account;
    return true;
}

void owner_saw_epoch(struct owner *owner, struct host *host, uint32_t epoch)
{
    (void)owner;
    (void)host;
    (void)epoch;
}

bool journal_rebooted(const struct journal *journal)
{
    (void)journal;
    return true;
}

int journal_trade_known(struct journal *journal, const char *account, const struct fill *fill)
{
    (void)journal;
    (void)account;
    (void)fill;
    return 0;
}

int journal_last_trade(struct journal *journal, const char *account, const char *instrument,
                       char trade_id[ORDER_ID_MAX], int64_t *ts_ms)
{
    (void)journal;
    (void)account;
    (void)instrument;
    trade_id[0] = '\0';
    *ts_ms = journaled_ms;
    return 0;
}

static size_t index_of(const struct bot *bot)
{
    return (size_t)((const struct host *)(const void *)bot - hosts);
}

void bot_status(const struct bot *bot, struct bot_status *out)
{
    *out = states[index_of(bot)];
}

void bot_on_fill(struct bot *bot, const struct fill *fill)
{
    (void)fill;
    bots[index_of(bot)].fills++;
    states[index_of(bot)].counters.fills++;
}

void bot_on_swept(struct bot *bot, unsigned leg, bool told)
{
    assert_int_equal(leg, 0);
    bots[index_of(bot)].told += told;
    bots[index_of(bot)].failed += !told;
}

/* --- the test's side
 * ---------------------------------------------------------------------------------- */

static int setup(void **ctx)
{
    (void)ctx;
    memset(&node, 0, sizeof node);
    memset(hosts, 0, sizeof hosts);
    memset(states, 0, sizeof states);
    memset(bots, 0, sizeof bots);
    link_number = 1;
    journaled_ms = NOW_MS;
    page_asked = NULL;
    owner_asked = NULL;
    questions = 0;
    node.hosts = (struct hosts *)(void *)hosts; /* only asked whether there are any */
    for (size_t i = 0; i < BOTS; i++) {
        hosts[i].node = &node;
        hosts[i].serial = i + 1;
        hosts[i].owner = i;
        hosts[i].account = (struct account *)(uintptr_t)8;
        hosts[i].legs[0] = &btc;
        states[i].first_start_ms = NOW_MS;
    }
    return sweeps_create(&node, &node.sweeps);
}

static int teardown(void **ctx)
{
    (void)ctx;
    sweeps_destroy(node.sweeps);
    return 0;
}

static void begin(size_t i)
{
    hosts[i].bot = (struct bot *)(void *)&hosts[i];
    assert_true(sweeps_begin(&hosts[i]));
    assert_int_equal(sweeps_ask(node.sweeps, &hosts[i], 0), 0);
}

static void answer_page(const struct fill *fills, size_t count)
{
    const struct exchange_failure failure = { .error = EXCHANGE_OK };
    exchange_fills_fn *fn = page_asked;

    assert_non_null(fn);
    page_asked = NULL;
    fn(asked_ctx, &failure, fills, count);
}

/* Order "7" is bot 7's. */
static void answer_owner(void)
{
    const struct exchange_failure failure = { .error = EXCHANGE_OK };
    const struct flt_coid id = { .owner = (uint64_t)(order_asked[0] - '0'), .epoch = 1, .key = 7 };
    struct order order = { .instrument = "BTC-USDT" };
    exchange_order_fn *fn = owner_asked;

    assert_non_null(fn);
    flt_coid_format(&id, order.client_order_id);
    owner_asked = NULL;
    fn(asked_ctx, &failure, &order);
}

static struct fill trade_of(unsigned bot)
{
    struct fill fill = { .instrument = "BTC-USDT", .ts_ms = NOW_MS };

    snprintf(fill.order_id, sizeof fill.order_id, "%u", bot);
    snprintf(fill.trade_id, sizeof fill.trade_id, "%u", 100 + bot);
    return fill;
}

static void bots_that_ask_before_the_answer_share_it(void **ctx)
{
    const struct fill trades[] = { trade_of(0), trade_of(1) };

    (void)ctx;
    begin(0);
    begin(1);
    answer_page(trades, FLT_COUNT(trades));
    answer_owner();
    answer_owner();
    assert_int_equal(questions, 1);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(bots[i].fills, 1);
        assert_int_equal(bots[i].told, 1);
    }
}

/* Twelve bots came from a dead node, one document after the other. The first one's sweep asked
 * whose the trades were, dropped those of bots that were not there yet, and these joined it a
 * moment later: told that nothing was missed, they went on without a trade that neither books nor
 * state had. */
static void a_bot_that_comes_amid_a_sweep_misses_no_trade_of_its_own(void **ctx)
{
    const struct fill trades[] = { trade_of(1), trade_of(0), trade_of(2) };

    (void)ctx;
    begin(0);
    answer_page(trades, FLT_COUNT(trades));
    answer_owner(); /* bot 1's: it is not here */
    begin(1);
    begin(2);
    answer_owner();
    answer_owner();
    assert_int_equal(bots[0].told, 1);
    assert_int_equal(bots[1].told + bots[2].told, 0);
    answer_page(trades, FLT_COUNT(trades)); /* one more, for both of them */
    while (owner_asked)
        answer_owner();
    assert_int_equal(questions, 2);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(bots[i].told, 1);
        assert_true(bots[i].fills >= 1);
    }
}

static void a_bot_that_is_made_anew_amid_its_sweep_asks_again(void **ctx)
{
    const struct fill trade = trade_of(0);

    (void)ctx;
    begin(0);
    begin(1);
    hosts[0].bot = NULL; /* its parameters changed; its account is away for a moment */
    answer_page(&trade, 1);
    answer_owner();
    assert_int_equal(bots[1].told, 1);
    begin(0);
    answer_page(&trade, 1);
    answer_owner();
    assert_int_equal(bots[0].fills, 1);
    assert_int_equal(bots[0].told, 1);
}

static void who_loses_patience_is_told_by_the_one_under_way(void **ctx)
{
    struct fill trades[500];

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(trades); i++)
        trades[i] = trade_of(0);
    begin(0);
    answer_page(trades, FLT_COUNT(trades)); /* a whole page: there are more */
    assert_int_equal(sweeps_ask(node.sweeps, &hosts[0], 0), 0);
    answer_page(NULL, 0);
    answer_owner();
    assert_int_equal(bots[0].told, 1);
    assert_int_equal(questions, 2);
}

/* 200,000 trades of others since its last one, and a bot stayed in `recovering` for ever: after 400
 * pages the sweep was given up and begun anew. */
static void there_may_be_any_number_of_pages(void **ctx)
{
    struct fill trades[500];

    (void)ctx;
    begin(0);
    for (size_t page = 0; page < 500; page++) {
        for (size_t i = 0; i < FLT_COUNT(trades); i++) {
            const struct flt_coid id = { .owner = 99, .epoch = 1, .key = 7 };

            trades[i] = trade_of(0);
            flt_coid_format(&id, trades[i].client_order_id);
            snprintf(trades[i].trade_id, sizeof trades[i].trade_id, "%zu", page * 500 + i);
        }
        answer_page(trades, FLT_COUNT(trades));
    }
    answer_page(NULL, 0);
    assert_int_equal(bots[0].told, 1);
}

static void a_venue_that_tells_the_same_page_again_ends_it(void **ctx)
{
    struct fill trades[500];

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(trades); i++)
        trades[i] = trade_of(0);
    begin(0);
    begin(1);
    answer_page(trades, FLT_COUNT(trades));
    begin(2); /* waits for the next one, and is told with this one */
    answer_page(trades, FLT_COUNT(trades));
    assert_int_equal(bots[0].failed + bots[1].failed + bots[2].failed, 3);
    assert_null(page_asked);
}

/* It was deployed ten minutes ago, its node was cut off before its first snapshot was told, and
 * traded on: the sweep went back a minute, to the last trade that the new node knew of. */
static void a_bot_of_which_no_state_was_told_is_looked_for_from_its_beginning(void **ctx)
{
    (void)ctx;
    hosts[0].desired.has_resume = true;
    hosts[0].desired.resume.ts_ms = NOW_MS - 10 * MINUTE_MS;
    begin(0);
    assert_int_equal(since_asked, NOW_MS - 11 * MINUTE_MS);
}

static void a_bot_that_came_with_its_state_is_looked_for_from_its_last_trade(void **ctx)
{
    (void)ctx;
    hosts[0].desired.has_resume = true;
    hosts[0].desired.resume.ts_ms = NOW_MS - 2 * MINUTE_MS;
    states[0].moved = true;
    states[0].last_fill_ms = NOW_MS - 5 * MINUTE_MS;
    begin(0);
    assert_int_equal(since_asked, NOW_MS - 6 * MINUTE_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bots_that_ask_before_the_answer_share_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bot_that_comes_amid_a_sweep_misses_no_trade_of_its_own,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_bot_that_is_made_anew_amid_its_sweep_asks_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_loses_patience_is_told_by_the_one_under_way, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(there_may_be_any_number_of_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(a_venue_that_tells_the_same_page_again_ends_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_bot_of_which_no_state_was_told_is_looked_for_from_its_beginning, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_bot_that_came_with_its_state_is_looked_for_from_its_last_trade, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
