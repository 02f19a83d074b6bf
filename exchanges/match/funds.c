#include "exchanges/match/funds.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct funds {
    struct balance *balances;
    size_t count, capacity;
};

int funds_create(struct funds **out)
{
    struct funds *funds = calloc(1, sizeof *funds);

    if (!funds)
        return -ENOMEM;
    *out = funds;
    return 0;
}

void funds_destroy(struct funds *funds)
{
    if (!funds)
        return;
    free(funds->balances);
    free(funds);
}

static struct balance *find(const struct funds *funds, const char *asset)
{
    for (size_t i = 0; i < funds->count; i++)
        if (strcmp(funds->balances[i].asset, asset) == 0)
            return &funds->balances[i];
    return NULL;
}

const struct balance *funds_find(const struct funds *funds, const char *asset)
{
    return find(funds, asset);
}

size_t funds_count(const struct funds *funds)
{
    return funds->count;
}

const struct balance *funds_at(const struct funds *funds, size_t index)
{
    assert(index < funds->count);
    return &funds->balances[index];
}

static struct balance *find_or_add(struct funds *funds, const char *asset)
{
    struct balance *balance = find(funds, asset);

    if (balance)
        return balance;
    if (funds->count == funds->capacity) {
        const size_t capacity = funds->capacity ? funds->capacity * 2 : 8;
        struct balance *grown = realloc(funds->balances, capacity * sizeof *grown);

        if (!grown)
            return NULL;
        funds->balances = grown;
        funds->capacity = capacity;
    }
    balance = &funds->balances[funds->count++];
    *balance = (struct balance){ .free = FLT_AMT_ZERO, .locked = FLT_AMT_ZERO };
    snprintf(balance->asset, sizeof balance->asset, "%s", asset);
    return balance;
}

int funds_add(struct funds *funds, const char *asset, struct flt_amt amount)
{
    struct balance *balance = find_or_add(funds, asset);

    if (!balance)
        return -ENOMEM;
    const struct flt_amt sum = flt_amt_add(balance->free, amount);

    if (!flt_amt_ok(sum))
        return -EINVAL;
    if (flt_amt_sign(sum) < 0)
        return FUNDS_INSUFFICIENT;
    balance->free = sum;
    return 0;
}

int funds_set(struct funds *funds, const char *asset, struct flt_amt free, struct flt_amt locked)
{
    struct balance *balance = find_or_add(funds, asset);

    if (!balance)
        return -ENOMEM;
    if (!flt_amt_ok(free) || !flt_amt_ok(locked) || flt_amt_sign(free) < 0 ||
        flt_amt_sign(locked) < 0)
        return -EINVAL;
    balance->free = free;
    balance->locked = locked;
    return 0;
}

int funds_lock(struct funds *funds, const char *asset, struct flt_amt amount)
{
    struct balance *balance = find(funds, asset);

    if (!flt_amt_ok(amount) || flt_amt_sign(amount) < 0)
        return -EINVAL;
    if (!balance)
        return flt_amt_sign(amount) == 0 ? 0 : FUNDS_INSUFFICIENT;
    if (flt_amt_cmp(balance->free, amount) < 0)
        return FUNDS_INSUFFICIENT;
    balance->free = flt_amt_sub(balance->free, amount);
    balance->locked = flt_amt_add(balance->locked, amount);
    return 0;
}

static void spend(struct funds *funds, const char *asset, struct flt_amt amount)
{
    struct balance *balance = find(funds, asset);

    if (flt_amt_sign(amount) == 0)
        return;
    assert(balance && flt_amt_ok(amount) && flt_amt_cmp(balance->locked, amount) >= 0);
    balance->locked = flt_amt_sub(balance->locked, amount);
}

void funds_unlock(struct funds *funds, const char *asset, struct flt_amt amount)
{
    struct balance *balance = find(funds, asset);

    if (flt_amt_sign(amount) == 0)
        return;
    spend(funds, asset, amount);
    assert(balance);
    balance->free = flt_amt_add(balance->free, amount);
}

static struct flt_dec higher_rate(const struct fee_rule *rule)
{
    return flt_dec_cmp(rule->maker, rule->taker) > 0 ? rule->maker : rule->taker;
}

/* Up to the fee's number of decimals, away from zero. */
static struct flt_amt round_up(struct flt_amt amount, int scale)
{
    flt_i128 unit = 1;

    if (!flt_amt_ok(amount))
        return amount;
    for (int i = scale; i < FLT_AMT_SCALE; i++)
        unit *= 10;
    const flt_i128 rest = amount.units % unit;

    return (struct flt_amt){ rest > 0 ? amount.units - rest + unit : amount.units - rest };
}

static struct flt_amt fee_of(const struct fee_rule *rule, struct flt_amt amount,
                             struct flt_dec rate)
{
    return round_up(flt_amt_mul(amount, rate, FLT_ROUND_UP), rule->scale ? rule->scale : 8);
}

struct flt_amt funds_needed(const struct instrument *instrument, const struct fee_rule *rule,
                            enum side side, struct flt_amt qty, struct flt_amt cost,
                            const char **asset)
{
    if (side == SIDE_SELL) {
        *asset = instrument->base;
        return qty;
    }
    *asset = instrument->quote;
    if (rule->asset == FEE_RECEIVED)
        return cost;
    /* Each fill's fee is rounded up by itself; twice the fee leaves room for many small ones. */
    const struct flt_amt fee = fee_of(rule, cost, higher_rate(rule));

    return flt_amt_add(cost, flt_amt_add(fee, fee));
}

struct flt_amt funds_fee(const struct fee_rule *rule, enum side side, enum liquidity liquidity,
                         struct flt_amt qty, struct flt_amt cost, bool *in_base)
{
    const struct flt_dec rate = liquidity == LIQUIDITY_MAKER ? rule->maker : rule->taker;

    *in_base = side == SIDE_BUY && rule->asset == FEE_RECEIVED;
    const struct flt_amt brings = *in_base ? qty : cost;
    const struct flt_amt fee = fee_of(rule, brings, rate);

    if (flt_amt_ok(fee) && flt_amt_cmp(fee, brings) > 0)
        return brings;
    return fee;
}

int funds_settle(struct funds *funds, const struct funds_fill *fill, struct flt_amt *lock,
                 struct flt_amt lock_after)
{
    const struct instrument *instrument = fill->instrument;
    const bool buys = fill->side == SIDE_BUY;
    const char *pays = buys ? instrument->quote : instrument->base;
    const char *gets = buys ? instrument->base : instrument->quote;
    struct flt_amt paid = buys ? fill->cost : fill->qty;
    struct flt_amt got = buys ? fill->qty : fill->cost;

    if (fill->fee_in_base == buys)
        got = flt_amt_sub(got, fill->fee);
    else
        paid = flt_amt_add(paid, fill->fee);
    if (flt_amt_cmp(*lock, paid) < 0)
        return -EINVAL;
    spend(funds, pays, paid);
    *lock = flt_amt_sub(*lock, paid);
    if (flt_amt_cmp(*lock, lock_after) > 0) {
        funds_unlock(funds, pays, flt_amt_sub(*lock, lock_after));
        *lock = lock_after;
    }
    return funds_add(funds, gets, got);
}
