/* flotilla doctor: what is checked (checks.c), and the books against the venue (reconcile.c). */
#pragma once
#include <json-c/json.h>
#include "controller/cli/session.h"

enum check_state { CHECK_OK, CHECK_WARN, CHECK_FAIL };

/* Adds one row {check, state, message, hint} to `checks`. */
FLT_PRINTF(5, 6)
void check_add(struct json_object *checks, const char *name, enum check_state state,
               const char *hint, const char *format, ...);

/* Needs no broker: folder, processes, what listens, disk, clock, databases. */
void check_machine(struct json_object *checks, const struct fleet *fleet);
/* Needs the bus: round trip, nodes, bots, halts. */
void check_fleet(struct json_object *checks, struct session *session);

/* Compares the controller's fills with the simulator's ledger, both ways, fill by fill. `report` is
 * {items: [{instrument, books, venue, missing, extra, different}], differences: [...], equal}. */
FLT_MUST_USE int reconcile(struct session *session, struct json_object **report);
