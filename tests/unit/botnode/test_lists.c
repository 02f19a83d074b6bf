/* Bots that ask for their open orders, and a venue that answers when the test says so. */
#include "botnode/lists.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>
#include "botnode/hosts.h"
#include "botnode/owner.h"

#define BOTS 50

/* --- what lists.c sees of the node: bots by serial, one account, its venue
 * ------------------------
 */

static struct botnode node;
static struct host hosts[BOTS];
static const struct instrument btc = { .name = "BTC-USDT" };
static uint64_t link_number;
static int refuses;               /* what the venue's side answers to a question */
static exchange_orders_fn *asked; /* under way */
static void *asked_ctx;
static unsigned questions;
static struct {
    unsigned times, failures;
    size_t orders;
    char first[FLT_COID_MAX];
} told[BOTS];
static unsigned ask_again; /* the first bot does so when it is told */

static int fake_open_orders(struct exchange_account *account, const struct instrument *instrument,
                            exchange_orders_fn *fn, void *ctx)
{
    (void)account;
    assert_ptr_equal(instrument, &btc);
    assert_null(asked); /* never two of one pair at once */
    if (refuses)
        return refuses;
    asked = fn;
    asked_ctx = ctx;
    questions++;
    return 0;
}

static const struct exchange_ops fake_ops = { .open_orders = fake_open_orders };

struct host *hosts_by_serial(struct hosts *all, uint64_t serial)
{
    (void)all;
    return serial >= 1 && serial <= BOTS && hosts[serial - 1].bot ? &hosts[serial - 1] : NULL;
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

bool owner_opens_account(struct owner *owner, const struct account *account)
{
    (void)owner;
    (void)account;
    return true;
}

void bot_on_open_orders(struct bot *bot, unsigned leg, const struct exchange_failure *failure,
                        const struct order *orders, size_t count)
{
    const size_t i = (size_t)((const struct host *)(const void *)bot - hosts);

    assert_int_equal(leg, 0);
    told[i].times++;
    told[i].failures += failure->error != EXCHANGE_OK;
    told[i].orders += count;
    if (count)
        snprintf(told[i].first, sizeof told[i].first, "%s", orders[0].client_order_id);
    if (i == 0 && ask_again > 0 && ask_again--)
        assert_int_equal(lists_ask(node.lists, &hosts[0], 0), 0);
}

/* --- the test's side
 * ---------------------------------------------------------------------------------- */

static int setup(void **ctx)
{
    (void)ctx;
    memset(&node, 0, sizeof node);
    memset(hosts, 0, sizeof hosts);
    memset(told, 0, sizeof told);
    link_number = 1;
    refuses = 0;
    asked = NULL;
    questions = ask_again = 0;
    node.clock = flt_clock_system();
    if (flt_loop_create(node.clock, &node.loop) || lists_create(&node, &node.lists))
        return -1;
    for (size_t i = 0; i < BOTS; i++) {
        hosts[i].serial = i + 1;
        hosts[i].owner = 1000 + i;
        hosts[i].account = (struct account *)(uintptr_t)8;
        hosts[i].legs[0] = &btc;
        hosts[i].bot = (struct bot *)(void *)&hosts[i];
    }
    return 0;
}

static int teardown(void **ctx)
{
    (void)ctx;
    lists_destroy(node.lists);
    flt_loop_destroy(node.loop);
    return 0;
}

static void until_asked(void)
{
    while (!asked)
        uv_run(flt_loop_uv(node.loop), UV_RUN_ONCE);
}

static void answer(const struct order *orders, size_t count)
{
    const struct exchange_failure failure = { .error = EXCHANGE_OK };
    exchange_orders_fn *fn = asked;

    asked = NULL;
    fn(asked_ctx, &failure, orders, count);
}

static struct order order_of(uint64_t owner, uint32_t sequence)
{
    const struct flt_coid id = { .owner = owner, .epoch = 1, .sequence = sequence, .key = 7 };
    struct order order = { .instrument = "BTC-USDT" };

    flt_coid_format(&id, order.client_order_id);
    return order;
}

static void ask_all(void)
{
    for (size_t i = 0; i < BOTS; i++)
        assert_int_equal(lists_ask(node.lists, &hosts[i], 0), 0);
}

static void fifty_bots_are_one_question_and_each_gets_its_own(void **ctx)
{
    struct order orders[] = { order_of(1049, 9),
                              order_of(1002, 1),
                              order_of(77, 1),
                              { .client_order_id = "by-hand" },
                              order_of(1049, 3) };

    (void)ctx;
    ask_all();
    ask_all(); /* out of patience: still one question */
    until_asked();
    answer(orders, FLT_COUNT(orders));
    assert_int_equal(questions, 1);
    for (size_t i = 0; i < BOTS; i++) {
        assert_int_equal(told[i].times, 1);
        assert_int_equal(told[i].orders, i == 49 ? 2 : i == 2);
    }
    assert_string_equal(told[49].first, orders[0].client_order_id); /* the venue's order is kept */
}

/* The venue may have made its list before: what the bot had sent just then would not be in it. */
static void who_asks_while_one_is_under_way_gets_the_next(void **ctx)
{
    const struct order order = order_of(1001, 5);

    (void)ctx;
    assert_int_equal(lists_ask(node.lists, &hosts[0], 0), 0);
    until_asked();
    assert_int_equal(lists_ask(node.lists, &hosts[1], 0), 0);
    answer(NULL, 0);
    assert_int_equal(told[0].times, 1);
    assert_int_equal(told[1].times, 0);
    until_asked();
    answer(&order, 1);
    assert_int_equal(told[1].times, 1);
    assert_int_equal(told[1].orders, 1);
    assert_int_equal(told[0].times, 1);
}

static void an_answer_from_before_the_link_was_lost_tells_nobody(void **ctx)
{
    (void)ctx;
    assert_int_equal(lists_ask(node.lists, &hosts[0], 0), 0);
    until_asked();
    link_number++;
    assert_int_equal(lists_ask(node.lists, &hosts[0], 0), 0); /* as it does on the new link */
    answer(NULL, 0);
    assert_int_equal(told[0].times, 0);
    until_asked();
    answer(NULL, 0);
    assert_int_equal(told[0].times, 1);
}

static void a_venue_that_takes_no_question_is_told_and_may_be_asked_again(void **ctx)
{
    (void)ctx;
    refuses = -ENOTCONN;
    ask_again = 1;
    assert_int_equal(lists_ask(node.lists, &hosts[0], 0), 0);
    while (told[0].times < 2)
        uv_run(flt_loop_uv(node.loop), UV_RUN_ONCE);
    assert_int_equal(told[0].failures, 2);
    refuses = 0;
    assert_int_equal(lists_ask(node.lists, &hosts[0], 0), 0);
    until_asked();
    answer(NULL, 0);
    assert_int_equal(told[0].failures, 2);
    assert_int_equal(told[0].times, 3);
}

static void a_bot_that_is_gone_is_not_told(void **ctx)
{
    (void)ctx;
    ask_all();
    until_asked();
    hosts[0].bot = NULL;                                /* gone */
    hosts[1].account = (struct account *)(uintptr_t)16; /* has other keys now */
    answer(NULL, 0);
    assert_int_equal(told[0].times + told[1].times, 0);
    assert_int_equal(told[2].times, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fifty_bots_are_one_question_and_each_gets_its_own, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_asks_while_one_is_under_way_gets_the_next, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_answer_from_before_the_link_was_lost_tells_nobody, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_venue_that_takes_no_question_is_told_and_may_be_asked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bot_that_is_gone_is_not_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
