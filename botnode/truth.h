/* Accounts beside their venue: balances against the sum of the bots' sub-ledgers, and what is there
 * of others.
 *
 * An account is compared when nothing has happened on it for 2 s (and at least once a minute, when
 * nothing happens while the venue is asked). A spot account that holds less of an asset than its
 * bots say they hold, twice in a row, pauses its bots with the numbers; it ends when it holds it
 * again, or when a person books the venue's word (the command reconcile). A surplus, orders and
 * trades of others are reported and never touched. Paper accounts are ours and are not compared.
 * Thread: the loop's. */
#pragma once
#include "botnode/host.h"

struct truth;

FLT_MUST_USE int truth_create(struct botnode *node, struct truth **out);
void truth_destroy(struct truth *truth); /* NULL is fine */
void truth_second(struct truth *truth);

/* `result` is the new tree of the command's result, or NULL with `error`. */
typedef void truth_done_fn(void *ctx, struct json_object *result, const struct flt_error *error);

/* Compares now: one account, or all. A node knows the claims of its own bots; those of the
 * account's bots on other nodes come with the command, and are added then. */
FLT_MUST_USE int truth_check(struct truth *truth, const struct msg_cmd_account_check_args *args,
                             truth_done_fn *done, void *ctx, struct flt_error *error);
/* Fetches what the bot may have missed, compares, and books the difference when told to. */
FLT_MUST_USE int truth_reconcile(struct truth *truth, struct host *host,
                                 const struct msg_cmd_reconcile_args *args, truth_done_fn *done,
                                 void *ctx, struct flt_error *error);
