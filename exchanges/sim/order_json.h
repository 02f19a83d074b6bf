/* Orders and fills as the venue writes them. */
#pragma once
#include "exchanges/sim/sim.h"

enum sim_resp { SIM_RESP_ACK, SIM_RESP_RESULT, SIM_RESP_FULL };

/* The answer to placing; `first_fill`: where its fills begin in sim->fills. */
void sim_jw_placed(struct flt_buf *buf, const struct sim_order *order, enum sim_resp resp,
                   size_t first_fill);
void sim_jw_canceled(struct flt_buf *buf, const struct sim_order *order);
void sim_jw_queried(struct flt_buf *buf, const struct sim_order *order);
void sim_jw_my_trade(struct flt_buf *buf, const struct sim *sim, const struct sim_fill *fill);
