/* Balances of one account, with the part that open orders lock; exact amounts, never below zero.
 *
 * Free money is locked when an order is accepted, spent from the lock by its fills, and unlocked at
 * its end. Assets are known by name; the list grows as they appear. Thread: the owner's. */
#pragma once
#include "lib/attr.h"
#include "lib/market.h"

struct funds;

enum { FUNDS_INSUFFICIENT = 1 };

/* In which asset a fee is taken: what the fill brings (Binance without BNB), or always the quote.
 */
enum fee_asset { FEE_RECEIVED, FEE_QUOTE };

struct fee_rule {
    struct flt_dec maker, taker; /* rates; 0.001 is 10 bps */
    enum fee_asset asset;
    int8_t scale; /* decimals of a fee, rounded up; 0: 8 */
};

struct funds_fill { /* one fill, in money */
    const struct instrument *instrument;
    enum side side;
    struct flt_amt qty, cost; /* base and quote amounts */
    struct flt_amt fee;
    bool fee_in_base;
};

FLT_MUST_USE int funds_create(struct funds **out);
void funds_destroy(struct funds *funds); /* NULL is fine */

/* NULL: never seen. The pointer is valid until the next call that adds an asset. */
const struct balance *funds_find(const struct funds *funds, const char *asset);
size_t funds_count(const struct funds *funds);
const struct balance *funds_at(const struct funds *funds,
                               size_t index); /* in order of appearance */

/* Deposit (or, below zero, withdrawal). FUNDS_INSUFFICIENT, -ENOMEM, -EINVAL (bad amount). */
FLT_MUST_USE int funds_add(struct funds *funds, const char *asset, struct flt_amt amount);
/* Sets what a ledger says, at a restart. */
FLT_MUST_USE int funds_set(struct funds *funds, const char *asset, struct flt_amt free,
                           struct flt_amt locked);
FLT_MUST_USE int funds_lock(struct funds *funds, const char *asset, struct flt_amt amount);
void funds_unlock(struct funds *funds, const char *asset,
                  struct flt_amt amount); /* must be locked */

/* What an order has to lock: `*asset` is the instrument's quote for a buyer, its base for a seller.
 * `cost` is the most a buyer pays (price * quantity, or a taker's preview). */
struct flt_amt funds_needed(const struct instrument *instrument, const struct fee_rule *rule,
                            enum side side, struct flt_amt qty, struct flt_amt cost,
                            const char **asset);
/* The fee of a fill and the asset it is taken in. Never more than what the fill brings. */
struct flt_amt funds_fee(const struct fee_rule *rule, enum side side, enum liquidity liquidity,
                         struct flt_amt qty, struct flt_amt cost, bool *in_base);
/* Books a fill: spends from the order's `lock`, credits what it brings less the fee, and gives back
 * what the order locks beyond `lock_after`. -ENOMEM. */
FLT_MUST_USE int funds_settle(struct funds *funds, const struct funds_fill *fill,
                              struct flt_amt *lock, struct flt_amt lock_after);
