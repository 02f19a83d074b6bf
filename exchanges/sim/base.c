#include <stdarg.h>
#include <stdio.h>
#include "exchanges/sim/sim.h"

int64_t sim_now(const struct sim *sim)
{
    return flt_wall_ms(flt_loop_clock(sim->loop)) + sim->skew_ms;
}

int sim_fail(struct sim_error *error, int http, int code, const char *format, ...)
{
    va_list args;

    error->http = http;
    error->code = code;
    va_start(args, format);
    vsnprintf(error->msg, sizeof error->msg, format, args);
    va_end(args);
    return -1;
}
