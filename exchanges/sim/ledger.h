/* The simulator's books in SQLite (schema: ledger.c): accounts, orders, fills, balances.
 *
 * Changes are noted during a loop turn and committed together at its end. A failed commit ends the
 * process: nobody may be told what the file does not know. */
#pragma once
#include "exchanges/sim/sim.h"

struct sim_ledger;

FLT_MUST_USE int sim_ledger_open(const char *path, struct flt_error *error,
                                 struct sim_ledger **out);
void sim_ledger_close(struct sim_ledger *ledger); /* NULL is fine */
/* Puts back what it holds: balances, then orders (open ones into their books) and fills. */
FLT_MUST_USE int sim_ledger_load(struct sim_ledger *ledger, struct sim *sim,
                                 struct flt_error *error);
bool sim_ledger_has_account(struct sim_ledger *ledger, const char *key);
void sim_ledger_order(struct sim_ledger *ledger, struct sim_order *order);
void sim_ledger_fill(struct sim_ledger *ledger, const struct sim *sim, size_t index);
void sim_ledger_balances(struct sim_ledger *ledger, struct sim_account *account);
/* How far a market's source was played; 0 for one that is new, or has another specification. */
void sim_ledger_source(struct sim_ledger *ledger, const char *symbol, const char *spec,
                       int64_t position_ms);
int64_t sim_ledger_position(struct sim_ledger *ledger, const char *symbol, const char *spec);
/* True when there was something to commit. */
bool sim_ledger_commit(struct sim_ledger *ledger);
