#define FLT_MOD "paper"
#include "botnode/paper.h"

#include <errno.h>
#include <string.h>
#include "exchanges/exchange.h"
#include "strategies/strategy.h"

struct holding {
    const char *asset;
    struct flt_amt amount;
};

struct holdings {
    struct holding items[2 * STRATEGY_LEGS_MAX];
    size_t count;
};

static void add(struct holdings *holdings, const char *asset, struct flt_amt begin,
                struct flt_amt amount)
{
    size_t at = 0;

    while (at < holdings->count && strcmp(holdings->items[at].asset, asset) != 0)
        at++;
    if (at == holdings->count)
        holdings->items[holdings->count++] = (struct holding){ asset, begin };
    holdings->items[at].amount = flt_amt_add(holdings->items[at].amount, amount);
}

static int read_leg(struct json_object *leg, const struct instrument *instrument,
                    struct holdings *holdings, int64_t *fills)
{
    struct json_object *book = flt_json_get(leg, "book");
    struct flt_amt position, cash;
    const char *name = "";
    int64_t count = 0;

    if (!flt_json_str(leg, "instrument", &name) || strcmp(name, instrument->name) != 0 ||
        !flt_json_amt(book, "position", &position) || !flt_json_amt(book, "cash", &cash) ||
        !flt_json_int(book, "fills", &count))
        return -EINVAL;
    add(holdings, instrument->base, FLT_AMT_ZERO, position);
    add(holdings, instrument->quote, flt_amt_from_int(EXCHANGE_PAPER_FUNDS), cash);
    *fills += count;
    return 0;
}

int paper_holdings(struct json_object *state, const struct instrument *const *legs,
                   size_t leg_count, struct flt_buf *out)
{
    struct json_object *rows = flt_json_get(state, "legs");
    struct holdings holdings = { .count = 0 };
    char text[FLT_AMT_TEXT_MAX];
    int64_t fills = 0;
    int err = json_object_is_type(rows, json_type_array) &&
                      json_object_array_length(rows) == leg_count && leg_count <= STRATEGY_LEGS_MAX
                  ? 0
                  : -EINVAL;

    for (size_t i = 0; !err && i < leg_count; i++)
        err = read_leg(json_object_array_get_idx(rows, i), legs[i], &holdings, &fills);
    for (size_t i = 0; !err && fills > 0 && i < holdings.count; i++) {
        struct holding *holding = &holdings.items[i];

        if (flt_amt_sign(holding->amount) < 0)
            holding->amount = FLT_AMT_ZERO; /* dust that a later fee would have covered */
        flt_buf_printf(out, "%s%s=%s", i ? "," : "", holding->asset,
                       flt_amt_format(holding->amount, text));
    }
    return err ? err : out->failed ? -ENOMEM : 0;
}
