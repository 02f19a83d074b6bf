/* A word to the service manager (systemd's NOTIFY_SOCKET): started, alive, stopping.
 *
 * Alive is said by the loop itself, at half of WATCHDOG_USEC, so that a daemon whose loop hangs is
 * restarted. Without a service manager nothing happens. The datagrams are sd_notify(3)'s; a library
 * for three of them would be one more thing to install. */
#pragma once
#include "lib/attr.h"
#include "lib/loop.h"

struct flt_watchdog;

/* READY=1, and WATCHDOG=1 from then on if asked. `out` is NULL without a service manager. */
FLT_MUST_USE int flt_watchdog_start(struct flt_loop *loop, struct flt_watchdog **out);
void flt_watchdog_stop(struct flt_watchdog *watchdog); /* STOPPING=1; NULL is fine */
