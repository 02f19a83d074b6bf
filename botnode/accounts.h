/* The trading accounts of a node: keys (sealed at rest with the node's key), one connection each,
 * and the way from a venue's event to the bot whose order it is.
 *
 * Keys arrive in the command `account`, sealed to the node's box key; they are opened here, kept
 * sealed in the journal, and wiped from memory once the connection has them. Thread: the loop's. */
#pragma once
#include "botnode/node.h"

struct account;

FLT_MUST_USE int accounts_create(struct botnode *node, struct accounts **out);
FLT_MUST_USE int accounts_restore(struct accounts *accounts); /* those of the journal */
void accounts_destroy(struct accounts *accounts);

/* The command: opens the box, journals, (re)connects. -EBADMSG: not sealed to this node. */
FLT_MUST_USE int accounts_put(struct accounts *accounts, const struct msg_cmd_account_args *args,
                              struct flt_error *error);
/* The box that the controller sealed to us as plain JSON in `out`, which the caller wipes. */
FLT_MUST_USE int accounts_open_box(const struct botnode *node,
                                   const struct msg_cmd_account_args *args, char *out, size_t size,
                                   size_t *length);
FLT_MUST_USE int accounts_forget(struct accounts *accounts, const char *name,
                                 struct flt_error *error);
/* NULL: the keys are not here. The connection may not be up yet. */
struct account *accounts_find(struct accounts *accounts, const char *name);
/* A private paper account of one bot on a venue's market data; lives until accounts_destroy. A new
 * one holds `balances` (as paper_holdings writes them); NULL: what every paper account begins with.
 */
FLT_MUST_USE int accounts_paper(struct accounts *accounts, const char *bot, struct venue *venue,
                                const char *balances, struct account **out);

const char *account_name(const struct account *account);
const struct exchange_ops *account_ops(const struct account *account);
struct exchange_account *account_handle(const struct account *account); /* NULL: venue not open */
const char *account_venue(const struct account *account);
uint64_t account_touched(const struct account *account);   /* counts what the venue said of it */
int64_t account_touched_ms(const struct account *account); /* monotonic time of the newest; 0 */
uint64_t account_foreign_fills(const struct account *account); /* of orders none of ours */
uint64_t account_link(const struct account *account);          /* number of this connection */
bool account_link_is_up(const struct account *account);
