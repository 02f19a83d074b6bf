/* The control API: what a test or a person makes the simulator do, on a port of its own. */
#pragma once
#include "exchanges/sim/sim.h"

void sim_control_request(void *ctx, struct flt_request *request);
extern const char sim_control_help[];
