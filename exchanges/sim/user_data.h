/* The user data stream: events of an account to the WebSocket API sessions that subscribed to it.
 */
#pragma once
#include "exchanges/sim/sim.h"

/* executionReport with execution type `x`; `fill` only for TRADE. */
void sim_user_order(const struct sim_order *order, const char *x, const struct sim_fill *fill);
/* outboundAccountPosition with the two assets of the order's instrument. */
void sim_user_balances(const struct sim_order *order);
void sim_user_deposit(struct sim *sim, struct sim_account *account, const char *asset,
                      struct flt_amt delta);
