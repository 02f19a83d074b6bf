#include "engine/order_state.h"
#include <assert.h>

/* next[event][state]. What is not listed is ORDER_BAD (0): the venue contradicts itself. An event
 * that says no more than what is known keeps the state: venues repeat, and streams overtake
 * replies. An open order may be said to be rejected after all (post-only checked late). */
static const enum order_state next[ORDER_EV_COUNT][ORDER_STATE_COUNT] = {
    [ORDER_EV_SEND] = { [ORDER_INTENDED] = ORDER_SENT },
    [ORDER_EV_ACK] = { [ORDER_SENT] = ORDER_OPEN,
                       [ORDER_OPEN] = ORDER_OPEN,
                       [ORDER_PARTLY_FILLED] = ORDER_PARTLY_FILLED,
                       [ORDER_UNKNOWN] = ORDER_OPEN,
                       [ORDER_FILLED] = ORDER_FILLED,
                       [ORDER_CANCELLED] = ORDER_CANCELLED,
                       [ORDER_EXPIRED] = ORDER_EXPIRED },
    [ORDER_EV_PART] = { [ORDER_SENT] = ORDER_PARTLY_FILLED,
                        [ORDER_OPEN] = ORDER_PARTLY_FILLED,
                        [ORDER_PARTLY_FILLED] = ORDER_PARTLY_FILLED,
                        [ORDER_UNKNOWN] = ORDER_PARTLY_FILLED,
                        [ORDER_FILLED] = ORDER_FILLED,
                        [ORDER_CANCELLED] = ORDER_CANCELLED,
                        [ORDER_EXPIRED] = ORDER_EXPIRED },
    [ORDER_EV_FILL] = { [ORDER_SENT] = ORDER_FILLED,
                        [ORDER_OPEN] = ORDER_FILLED,
                        [ORDER_PARTLY_FILLED] = ORDER_FILLED,
                        [ORDER_UNKNOWN] = ORDER_FILLED,
                        [ORDER_FILLED] = ORDER_FILLED },
    [ORDER_EV_CANCEL] = { [ORDER_SENT] = ORDER_CANCELLED,
                          [ORDER_OPEN] = ORDER_CANCELLED,
                          [ORDER_PARTLY_FILLED] = ORDER_CANCELLED,
                          [ORDER_UNKNOWN] = ORDER_CANCELLED,
                          [ORDER_CANCELLED] = ORDER_CANCELLED },
    [ORDER_EV_REJECT] = { [ORDER_INTENDED] = ORDER_REJECTED,
                          [ORDER_SENT] = ORDER_REJECTED,
                          [ORDER_OPEN] = ORDER_REJECTED,
                          [ORDER_UNKNOWN] = ORDER_REJECTED,
                          [ORDER_REJECTED] = ORDER_REJECTED },
    [ORDER_EV_EXPIRE] = { [ORDER_SENT] = ORDER_EXPIRED,
                          [ORDER_OPEN] = ORDER_EXPIRED,
                          [ORDER_PARTLY_FILLED] = ORDER_EXPIRED,
                          [ORDER_UNKNOWN] = ORDER_EXPIRED,
                          [ORDER_EXPIRED] = ORDER_EXPIRED },
    [ORDER_EV_DOUBT] = { [ORDER_INTENDED] = ORDER_UNKNOWN,
                         [ORDER_SENT] = ORDER_UNKNOWN,
                         [ORDER_OPEN] = ORDER_UNKNOWN,
                         [ORDER_PARTLY_FILLED] = ORDER_UNKNOWN,
                         [ORDER_UNKNOWN] = ORDER_UNKNOWN,
                         [ORDER_FILLED] = ORDER_FILLED,
                         [ORDER_CANCELLED] = ORDER_CANCELLED,
                         [ORDER_REJECTED] = ORDER_REJECTED,
                         [ORDER_EXPIRED] = ORDER_EXPIRED },
    [ORDER_EV_ABSENT] = { [ORDER_INTENDED] = ORDER_REJECTED, [ORDER_UNKNOWN] = ORDER_REJECTED },
};

static const char *const names[ORDER_STATE_COUNT] = {
    "none",    "intended", "sent",      "open",     "partly_filled",
    "unknown", "filled",   "cancelled", "rejected", "expired",
};

enum order_state order_state_next(enum order_state state, enum order_event event)
{
    assert(state < ORDER_STATE_COUNT && event < ORDER_EV_COUNT);
    return next[event][state];
}

const char *order_state_name(enum order_state state)
{
    return state < ORDER_STATE_COUNT ? names[state] : "none";
}

enum order_event order_event_of(enum order_status status)
{
    switch (status) {
    case ORDER_STATUS_OPEN:
        return ORDER_EV_ACK;
    case ORDER_STATUS_PARTLY_FILLED:
        return ORDER_EV_PART;
    case ORDER_STATUS_FILLED:
        return ORDER_EV_FILL;
    case ORDER_STATUS_CANCELLED:
        return ORDER_EV_CANCEL;
    case ORDER_STATUS_REJECTED:
        return ORDER_EV_REJECT;
    case ORDER_STATUS_EXPIRED:
        return ORDER_EV_EXPIRE;
    }
    return ORDER_EV_DOUBT;
}
