/* Arguments of an operation from JSON, for the command line and whoever else gets them as text. */
#pragma once
#include "exchanges/codec.h"

struct op_args_store { /* what a struct op_args borrows */
    struct op_args args;
    const struct instrument **list;
    char order_id[ORDER_ID_MAX], client_order_id[64], new_client_order_id[64];
    char from_trade_id[ORDER_ID_MAX], interval[8], self_trade[24];
};

/* Reads the object; names are those of the normalised objects, numbers may be strings and strings
 * numbers, null is as good as missing. An unknown name, symbol or word is refused with the nearest
 * known one. An order (of place_order, amend_order) needs side, type and qty. */
FLT_MUST_USE int args_read(enum op op, struct json_object *object, const struct instruments *table,
                           struct op_args_store *out, struct flt_error *error);
void args_finish(struct op_args_store *store);
