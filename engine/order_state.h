/* The life of an order, as a table. A fill is booked in every state; states say only what we
 * believe about the order at the venue and whether something new may be sent for its key. */
#pragma once
#include <stdbool.h>
#include "lib/market.h"

enum order_state {
    ORDER_BAD,      /* also: no order */
    ORDER_INTENDED, /* in the journal, not sent */
    ORDER_SENT,
    ORDER_OPEN,
    ORDER_PARTLY_FILLED,
    ORDER_UNKNOWN, /* it may exist: the venue is asked until it answers */
    ORDER_FILLED,
    ORDER_CANCELLED,
    ORDER_REJECTED,
    ORDER_EXPIRED,
    ORDER_STATE_COUNT
};

enum order_event {
    ORDER_EV_SEND,
    ORDER_EV_ACK, /* the venue has it: open, nothing executed */
    ORDER_EV_PART,
    ORDER_EV_FILL,
    ORDER_EV_CANCEL,
    ORDER_EV_REJECT,
    ORDER_EV_EXPIRE,
    ORDER_EV_DOUBT,  /* a timeout, or the link was lost */
    ORDER_EV_ABSENT, /* the venue does not know it, and no request of ours can still arrive */
    ORDER_EV_COUNT
};

/* ORDER_BAD: the venue contradicts itself; keep the state, count, log and ask for the truth. */
enum order_state order_state_next(enum order_state state, enum order_event event);
const char *order_state_name(enum order_state state); /* "partly_filled", "unknown" */
enum order_event order_event_of(enum order_status status);

static inline bool order_state_is_final(enum order_state state)
{
    return state >= ORDER_FILLED;
}
