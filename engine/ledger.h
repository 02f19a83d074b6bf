/* The sub-ledger of one bot on one instrument: exact position, cash, fees and profit.
 *
 * Facts are the fills; everything is a sum of them. `cash` is the flow in quote since the start
 * (buys and quote fees out, sells in), `cost` what the present position cost (average cost,
 * negative for a short). realised = cash + cost by construction, and so realised + unrealised =
 * cash + position * mark holds to the last digit at every mark. A fee in base reduces the position
 * (dust stays in it), a fee in a third asset (BNB) is kept under its name and not valued here.
 * Failures: -ERANGE when a sum does not fit or a value is bad: nothing is booked then.
 */
#pragma once
#include "lib/json.h"
#include "lib/market.h"

#define LEDGER_FEES_MAX 6 /* fee assets of one bot: base, quote, a discount coin, and room */

struct ledger_fee {
    char asset[ASSET_MAX];
    struct flt_amt sum;
};

struct ledger {
    struct flt_amt position; /* base */
    struct flt_amt cash;     /* quote */
    struct flt_amt cost;     /* quote, of the position */
    struct flt_amt volume;   /* quote traded, both sides */
    struct ledger_fee fees[LEDGER_FEES_MAX];
    size_t fee_count;
    int64_t fill_count;
};

FLT_MUST_USE int ledger_apply(struct ledger *ledger, const struct instrument *instrument,
                              const struct fill *fill);
/* The position moves without a trade: what goes takes its share of the cost along (a loss), what
 * comes costs nothing. */
FLT_MUST_USE int ledger_adjust(struct ledger *ledger, struct flt_amt qty);
struct flt_amt ledger_realised(const struct ledger *ledger);
struct flt_amt ledger_unrealised(const struct ledger *ledger, struct flt_dec mark);
struct flt_amt ledger_pnl(const struct ledger *ledger,
                          struct flt_dec mark); /* cash + position * mark */
int64_t ledger_position_lots(const struct ledger *ledger, const struct instrument *instrument);
struct flt_dec ledger_average_price(const struct ledger *ledger,
                                    const struct instrument *instrument); /* derived; 0 when flat */
void ledger_write(const struct ledger *ledger, struct flt_buf *buf, const char *key);
FLT_MUST_USE int ledger_read(struct ledger *ledger, struct json_object *object);
