#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "exchanges/transport/rate.h"

static const struct rate_limit limits[] = {
    { "weight", false, 6000, 60000, NULL },
    { "orders", true, 100, 10000, NULL },
};

static const uint32_t units[RATE_LIMITS_MAX] = { 6000, 100 };

static const struct op_cost order = { { 1, 1 } };

static int64_t burst(struct rate *rate, enum op_priority priority, int64_t now_ms, int *sent)
{
    int64_t wait_ms;

    while ((wait_ms = rate_wait_ms(rate, &order, priority, now_ms)) == 0) {
        rate_take(rate, &order, now_ms);
        ++*sent;
    }
    return wait_ms;
}

/* The venue's windows begin when they like: count what was sent in each stretch of 10 s. */
static void no_stretch_of_a_window_has_more_than_the_limit(void **ctx)
{
    struct rate rate;
    static int sent_at[60000];
    int worst = 0, total = 0;

    (void)ctx;
    rate_init(&rate, limits, FLT_COUNT(limits), true, units);
    for (int now = 0; now < 60000; now++) {
        int sent = 0;

        (void)burst(&rate, PRIORITY_CANCEL, now, &sent);
        sent_at[now] = sent;
        total += sent;
    }
    for (int start = 0; start + 10000 <= 60000; start += 7) {
        int sum = 0;

        for (int now = start; now < start + 10000; now++)
            sum += sent_at[now];
        worst = sum > worst ? sum : worst;
    }
    assert_true(worst <= 100);
    assert_true(total >= 500); /* and the limit is used: 6 windows, less one slot each */
}

static void there_is_always_room_for_a_cancel(void **ctx)
{
    static const enum op_priority order_of[] = { PRIORITY_DATA, PRIORITY_ENTRY, PRIORITY_RECOVER,
                                                 PRIORITY_CLOSE, PRIORITY_CANCEL };
    static const int up_to[] = { 60, 85, 90, 95, 100 };
    struct rate rate;
    int sent = 0;

    (void)ctx;
    rate_init(&rate, limits, FLT_COUNT(limits), true, units);
    for (size_t i = 0; i < FLT_COUNT(order_of); i++) {
        assert_true(burst(&rate, order_of[i], 1000, &sent) > 0);
        assert_int_equal(sent, up_to[i]);
    }
}

static void the_wait_that_is_told_is_enough(void **ctx)
{
    struct rate rate;
    int sent = 0, more = 0;

    (void)ctx;
    rate_init(&rate, limits, FLT_COUNT(limits), true, units);
    const int64_t wait_ms = burst(&rate, PRIORITY_ENTRY, 5000, &sent);

    assert_in_range(wait_ms, 1, 10000 + 10000 / 15);
    (void)burst(&rate, PRIORITY_ENTRY, 5000 + wait_ms - 1, &more);
    assert_int_equal(more, 0);
    (void)burst(&rate, PRIORITY_ENTRY, 5000 + wait_ms, &more);
    assert_int_equal(more, 85);
}

static void what_others_used_at_our_address_counts(void **ctx)
{
    const struct op_cost heavy = { { 250, 0 } };
    struct rate rate;

    (void)ctx;
    rate_init(&rate, limits, FLT_COUNT(limits), false, units);
    assert_int_equal(rate_wait_ms(&rate, &heavy, PRIORITY_DATA, 0), 0);
    rate_sync(&rate, 0, 3500, 0);
    assert_true(rate_wait_ms(&rate, &heavy, PRIORITY_DATA, 0) > 0);
    assert_int_equal(rate_wait_ms(&rate, &heavy, PRIORITY_CANCEL, 0), 0);
    rate_sync(&rate, 0, 100, 0); /* a smaller number takes nothing back */
    assert_true(rate_wait_ms(&rate, &heavy, PRIORITY_DATA, 0) > 0);
}

static void a_hold_stops_even_cancels_until_its_end(void **ctx)
{
    struct rate rate;

    (void)ctx;
    rate_init(&rate, limits, FLT_COUNT(limits), false, units);
    rate_hold(&rate, 5000);
    rate_hold(&rate, 3000); /* never shortened */
    assert_int_equal(rate_wait_ms(&rate, &order, PRIORITY_CANCEL, 1000), 4000);
    assert_int_equal(rate_wait_ms(&rate, &order, PRIORITY_CANCEL, 5000), 0);
}

static void a_limit_the_venue_says_holds_at_once(void **ctx)
{
    uint32_t said[RATE_LIMITS_MAX] = { 6000, 100 };
    struct rate rate;
    int sent = 0;

    (void)ctx;
    rate_init(&rate, limits, FLT_COUNT(limits), true, said);
    said[1] = 1000;
    (void)burst(&rate, PRIORITY_CANCEL, 0, &sent);
    assert_int_equal(sent, 1000);
}

static void a_long_pause_empties_the_window(void **ctx)
{
    struct rate rate;
    int sent = 0;

    (void)ctx;
    rate_init(&rate, limits, FLT_COUNT(limits), true, units);
    (void)burst(&rate, PRIORITY_CANCEL, 0, &sent);
    (void)burst(&rate, PRIORITY_CANCEL, 86400000, &sent);
    assert_int_equal(sent, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_stretch_of_a_window_has_more_than_the_limit),
        cmocka_unit_test(there_is_always_room_for_a_cancel),
        cmocka_unit_test(the_wait_that_is_told_is_enough),
        cmocka_unit_test(what_others_used_at_our_address_counts),
        cmocka_unit_test(a_hold_stops_even_cancels_until_its_end),
        cmocka_unit_test(a_limit_the_venue_says_holds_at_once),
        cmocka_unit_test(a_long_pause_empties_the_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
