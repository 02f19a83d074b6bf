/* Failed logins slow down: who guesses passwords waits, per address and name and per address.
 *
 * After FREE failures for one name (FREE_ADDRESS for one address, so that names cannot be sprayed)
 * each further one doubles the wait, to a minute. A login that succeeds forgives its name. The
 * table is bounded: the rows not seen for longest are given up, those that wait last of all. */
#pragma once
#include <stdint.h>
#include "lib/attr.h"

struct limiter;

FLT_MUST_USE int limiter_create(struct limiter **out);
void limiter_destroy(struct limiter *limiter); /* NULL is fine */
/* Milliseconds until another try may be made; 0: now. */
int64_t limiter_wait_ms(const struct limiter *limiter, const char *address, const char *name,
                        int64_t now_ms);
void limiter_failed(struct limiter *limiter, const char *address, const char *name, int64_t now_ms);
void limiter_passed(struct limiter *limiter, const char *address, const char *name);
uint64_t limiter_failures(const struct limiter *limiter); /* since the start */
uint64_t limiter_refusals(const struct limiter *limiter);
void limiter_count_refusal(struct limiter *limiter); /* somebody was told to wait */
