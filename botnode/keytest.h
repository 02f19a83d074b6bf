/* Trying an account's keys at its venue: does it answer, agree on the time, take the keys, and what
 * may they do. On a connection of its own that trades nothing; the keys are wiped at the end, and
 * never kept. Thread: the loop's. */
#pragma once
#include "botnode/node.h"

struct keytest;

typedef void keytest_done_fn(void *ctx, struct json_object *result, const struct flt_error *error);

/* Opens the box and asks; `done` comes within 8 seconds with types of cmd/account-test, never
 * inside this call. -EBUSY: several are under way. */
FLT_MUST_USE int keytest_start(struct botnode *node, const struct msg_cmd_account_test_args *args,
                               keytest_done_fn *done, void *ctx, struct flt_error *error);
void keytests_destroy(struct botnode *node); /* those under way; `done` is called */

/* What a venue's word on a key means; pure. At most 3 rows. */
size_t keytest_judge(const struct key_rights *rights, struct msg_key_check *out);
