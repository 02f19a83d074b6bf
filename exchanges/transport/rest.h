/* Requests of one venue address: queued by priority, within its rate limits, signed with the
 * venue's clock, repeated only where that is safe.
 *
 * Safe is: no byte left (any request), or the request only reads. A request that changes orders and
 * got no answer ends as EXCHANGE_UNKNOWN_OUTCOME and is never sent again. A request refused for its
 * timestamp was not executed: the clock is synchronised and it goes once more. Thread: the loop's.
 */
#pragma once
#include "exchanges/codec.h"
#include "exchanges/transport/rate.h"
#include "lib/http.h"
#include "lib/loop.h"

struct rest;
struct rest_account; /* who signs, and the limits of the account */

typedef void rest_fn(void *ctx, const struct result *result);

/* `table` may still be empty; borrowed. */
FLT_MUST_USE int rest_open(const struct exchange_env *env, const struct codec *codec,
                           const char *rest_url, const struct instruments *table,
                           struct rest **out);
/* What is under way ends inside these calls, with EXCHANGE_UNKNOWN_OUTCOME; accounts go first. */
void rest_close(struct rest *rest);

FLT_MUST_USE int rest_account_open(struct rest *rest, const struct exchange_credentials *keys,
                                   struct rest_account **out);
void rest_account_close(struct rest_account *account);
const struct signer *rest_account_signer(const struct rest_account *account);

/* Calls made from now on are signed and sent before this boot time or end unsent; 0: no limit. */
void rest_account_set_deadline(struct rest_account *account, int64_t not_after_boot_ns);

/* `fn` is called once, never inside rest_send. `account` NULL: public. The arguments are copied.
 * EXCHANGE_BUSY: the queue is full, or an entry would have to wait for over a second. */
FLT_MUST_USE int rest_send(struct rest *rest, struct rest_account *account, enum op op,
                           const struct op_args *args, rest_fn *fn, void *ctx);

/* The venue's own word on its limits replaces the codec's. */
void rest_learn_limits(struct rest *rest, const struct result *result);
int64_t rest_now_ms(const struct rest *rest); /* the venue's clock */
int64_t rest_clock_offset_ms(const struct rest *rest);
void rest_sync_clock(struct rest *rest);
int64_t rest_request_life_ms(const struct rest *rest);
