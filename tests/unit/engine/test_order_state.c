#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "engine/order_state.h"

static void an_order_goes_from_intent_to_filled(void **ctx)
{
    enum order_state state = ORDER_INTENDED;

    (void)ctx;
    state = order_state_next(state, ORDER_EV_SEND);
    assert_int_equal(state, ORDER_SENT);
    state = order_state_next(state, ORDER_EV_ACK);
    assert_int_equal(state, ORDER_OPEN);
    state = order_state_next(state, ORDER_EV_PART);
    assert_int_equal(state, ORDER_PARTLY_FILLED);
    state = order_state_next(state, ORDER_EV_FILL);
    assert_int_equal(state, ORDER_FILLED);
}

static void a_fill_may_overtake_its_ack(void **ctx)
{
    (void)ctx;
    assert_int_equal(order_state_next(ORDER_SENT, ORDER_EV_FILL), ORDER_FILLED);
    assert_int_equal(order_state_next(ORDER_FILLED, ORDER_EV_ACK), ORDER_FILLED);
}

static void an_end_is_an_end(void **ctx)
{
    (void)ctx;
    for (int state = ORDER_FILLED; state < ORDER_STATE_COUNT; state++)
        for (int event = 0; event < ORDER_EV_COUNT; event++) {
            const enum order_state next =
                order_state_next((enum order_state)state, (enum order_event)event);

            assert_true(next == ORDER_BAD || next == (enum order_state)state);
        }
}

static void doubt_ends_only_by_the_venues_word(void **ctx)
{
    (void)ctx;
    assert_int_equal(order_state_next(ORDER_SENT, ORDER_EV_DOUBT), ORDER_UNKNOWN);
    assert_int_equal(order_state_next(ORDER_UNKNOWN, ORDER_EV_SEND), ORDER_BAD);
    assert_int_equal(order_state_next(ORDER_UNKNOWN, ORDER_EV_ACK), ORDER_OPEN);
    assert_int_equal(order_state_next(ORDER_UNKNOWN, ORDER_EV_ABSENT), ORDER_REJECTED);
    assert_int_equal(order_state_next(ORDER_OPEN, ORDER_EV_ABSENT), ORDER_BAD);
}

static void contradictions_are_bad(void **ctx)
{
    (void)ctx;
    assert_int_equal(order_state_next(ORDER_FILLED, ORDER_EV_CANCEL), ORDER_BAD);
    assert_int_equal(order_state_next(ORDER_REJECTED, ORDER_EV_ACK), ORDER_BAD);
    assert_int_equal(order_state_next(ORDER_CANCELLED, ORDER_EV_FILL), ORDER_BAD);
    assert_int_equal(order_state_next(ORDER_INTENDED, ORDER_EV_ACK), ORDER_BAD);
}

static void each_status_of_a_venue_is_an_event_that_keeps_its_own_state(void **ctx)
{
    static const enum order_state states[] = {
        ORDER_OPEN,      ORDER_PARTLY_FILLED, ORDER_FILLED,
        ORDER_CANCELLED, ORDER_REJECTED,      ORDER_EXPIRED
    };

    (void)ctx;
    for (int status = ORDER_STATUS_OPEN; status <= ORDER_STATUS_EXPIRED; status++) {
        const enum order_event event = order_event_of((enum order_status)status);

        assert_int_equal(order_state_next(ORDER_SENT, event), states[status]);
        assert_int_equal(order_state_next(states[status], event), states[status]);
        assert_string_equal(order_state_name(states[status]),
                            order_status_name((enum order_status)status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_goes_from_intent_to_filled),
        cmocka_unit_test(a_fill_may_overtake_its_ack),
        cmocka_unit_test(an_end_is_an_end),
        cmocka_unit_test(doubt_ends_only_by_the_venues_word),
        cmocka_unit_test(contradictions_are_bad),
        cmocka_unit_test(each_status_of_a_venue_is_an_event_that_keeps_its_own_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
