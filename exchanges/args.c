#include "exchanges/args.h"
#define FLT_MOD "args"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const known[] = {
    "instrument",  "instruments", "order_id",  "client_order_id", "new_client_order_id",
    "side",        "type",        "qty",       "price",           "quote_qty",
    "iceberg_qty", "tif",         "post_only", "reduce_only",     "self_trade_prevention",
    "interval",    "since_ms",    "until_ms",  "limit",           "from_trade_id",
    "rolling",
};

static int bad(struct flt_error *error, const char *field, const char *why)
{
    return flt_error_set(error, FLT_INVALID_ARGUMENT, field, "", "%s: %s", field, why);
}

static int check_names(struct json_object *object, struct flt_error *error)
{
    json_object_object_foreach(object, name, value)
    {
        bool found = false;

        (void)value;
        for (size_t i = 0; i < FLT_COUNT(known) && !found; i++)
            found = strcmp(known[i], name) == 0;
        if (!found) {
            const char *near = flt_nearest(name, known, FLT_COUNT(known));

            return flt_error_set(error, FLT_INVALID_ARGUMENT, name, near ? near : "",
                                 "%s is not an argument of any operation%s%s", name,
                                 near ? "; did you mean " : "", near ? near : "");
        }
    }
    return 0;
}

/* Text of a string or number; "" when missing. */
static int read_text(struct json_object *object, const char *name, char *out, size_t size,
                     struct flt_error *error)
{
    struct json_object *value = flt_json_get(object, name);

    out[0] = '\0';
    if (!value)
        return 0;
    if (!json_object_is_type(value, json_type_string) &&
        !json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return bad(error, name, "must be text or a number");
    if (snprintf(out, size, "%s", json_object_get_string(value)) >= (int)size)
        return bad(error, name, "is too long");
    return 0;
}

static int read_dec(struct json_object *object, const char *name, struct flt_dec *out,
                    struct flt_error *error)
{
    char text[64];
    const int err = read_text(object, name, text, sizeof text, error);

    *out = FLT_DEC_ZERO;
    if (err != 0 || !text[0])
        return err;
    *out = flt_dec_parse(text);
    return flt_dec_ok(*out) ? 0 : bad(error, name, "is not a decimal number");
}

static int read_int(struct json_object *object, const char *name, int64_t *out,
                    struct flt_error *error)
{
    struct flt_dec value;
    const int err = read_dec(object, name, &value, error);

    *out = 0;
    if (err != 0)
        return err;
    if (!flt_dec_is_multiple(value, flt_dec_from_int(1)) || value.coef < 0)
        return bad(error, name, "must be a whole number of at least 0");
    *out = flt_dec_units(value, flt_dec_from_int(1), FLT_ROUND_DOWN);
    return 0;
}

static int read_bool(struct json_object *object, const char *name, bool *out,
                     struct flt_error *error)
{
    struct json_object *value = flt_json_get(object, name);
    const char *word = value ? json_object_get_string(value) : "false";

    *out = strcmp(word, "true") == 0;
    return *out || strcmp(word, "false") == 0 ? 0 : bad(error, name, "must be true or false");
}

static int find_instrument(const char *name, const struct instruments *table,
                           const struct instrument **out, struct flt_error *error)
{
    *out = instruments_find(table, name);
    if (!*out)
        *out = instruments_by_symbol(table, name, strlen(name)); /* the venue's own word */
    if (*out)
        return 0;
    const char *hint = table->count == 0 ? "give the venue's instruments reply with --instruments"
                                         : "names are like BTC-USDT";

    return flt_error_set(error, FLT_NOT_FOUND, "instrument", hint, "no instrument %s", name);
}

static int read_instruments(struct json_object *object, const struct instruments *table,
                            struct op_args_store *out, struct flt_error *error)
{
    struct json_object *list = flt_json_get(object, "instruments");
    const struct instrument *found = NULL;
    char name[64];
    int err = read_text(object, "instrument", name, sizeof name, error);

    if (err == 0 && name[0]) {
        err = find_instrument(name, table, &found, error);
        out->args.instrument = found;
    }
    if (err != 0 || !list)
        return err;
    if (!json_object_is_type(list, json_type_array))
        return bad(error, "instruments", "must be a list of names");
    const size_t count = json_object_array_length(list);

    out->list = calloc(count + 1, sizeof(struct instrument *));
    if (!out->list)
        return -ENOMEM;
    out->args.instruments = out->list;
    for (size_t i = 0; i < count && err == 0; i++) {
        const char *item = json_object_get_string(json_object_array_get_idx(list, i));

        err = find_instrument(item ? item : "", table, &out->list[i], error);
    }
    out->args.instrument_count = count;
    return err;
}

static int read_words(enum op op, struct json_object *object, struct op_args *args,
                      struct flt_error *error)
{
    const bool order = op == OP_PLACE_ORDER || op == OP_AMEND_ORDER || op == OP_BATCH_PLACE;
    char word[16];
    int err = read_text(object, "side", word, sizeof word, error);

    if (err == 0 && (order || word[0]) && !side_parse(word, &args->side))
        err = bad(error, "side", "must be buy or sell");
    if (err == 0)
        err = read_text(object, "type", word, sizeof word, error);
    if (err == 0 && (order || word[0]) && !order_type_parse(word, &args->type))
        err = bad(error, "type", "must be limit or market");
    if (err == 0)
        err = read_text(object, "tif", word, sizeof word, error);
    if (err == 0 && word[0] && !tif_parse(word, &args->tif))
        err = bad(error, "tif", "must be gtc, ioc or fok");
    if (err == 0)
        err = read_bool(object, "post_only", &args->post_only, error);
    if (err == 0)
        err = read_bool(object, "reduce_only", &args->reduce_only, error);
    if (err == 0)
        err = read_bool(object, "rolling", &args->rolling, error);
    return err;
}

static int read_numbers(struct json_object *object, struct op_args *args, struct flt_error *error)
{
    int64_t limit = 0;
    int err = read_dec(object, "qty", &args->qty, error);

    if (err == 0)
        err = read_dec(object, "price", &args->price, error);
    if (err == 0)
        err = read_dec(object, "quote_qty", &args->quote_qty, error);
    if (err == 0)
        err = read_dec(object, "iceberg_qty", &args->iceberg_qty, error);
    if (err == 0)
        err = read_int(object, "since_ms", &args->since_ms, error);
    if (err == 0)
        err = read_int(object, "until_ms", &args->until_ms, error);
    if (err == 0)
        err = read_int(object, "limit", &limit, error);
    args->limit = limit > 1000000 ? 1000000 : (int)limit;
    return err;
}

static int read_ids(struct json_object *object, struct op_args_store *out, struct flt_error *error)
{
    const struct {
        const char *name;
        char *text;
        size_t size;
        const char **arg;
    } ids[] = {
        { "order_id", out->order_id, sizeof out->order_id, &out->args.order_id },
        { "client_order_id", out->client_order_id, sizeof out->client_order_id,
          &out->args.client_order_id },
        { "new_client_order_id", out->new_client_order_id, sizeof out->new_client_order_id,
          &out->args.new_client_order_id },
        { "from_trade_id", out->from_trade_id, sizeof out->from_trade_id,
          &out->args.from_trade_id },
        { "interval", out->interval, sizeof out->interval, &out->args.interval },
        { "self_trade_prevention", out->self_trade, sizeof out->self_trade, &out->args.self_trade },
    };
    int err = 0;

    for (size_t i = 0; i < FLT_COUNT(ids) && err == 0; i++) {
        err = read_text(object, ids[i].name, ids[i].text, ids[i].size, error);
        if (err == 0 && ids[i].text[0])
            *ids[i].arg = ids[i].text;
    }
    return err;
}

int args_read(enum op op, struct json_object *object, const struct instruments *table,
              struct op_args_store *out, struct flt_error *error)
{
    *out = (struct op_args_store){ 0 };
    if (!json_object_is_type(object, json_type_object))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "args", "", "args must be a JSON object");
    int err = check_names(object, error);

    if (err == 0)
        err = read_instruments(object, table, out, error);
    if (err == 0)
        err = read_ids(object, out, error);
    if (err == 0)
        err = read_words(op, object, &out->args, error);
    if (err == 0)
        err = read_numbers(object, &out->args, error);
    return err;
}

void args_finish(struct op_args_store *store)
{
    free(store->list);
    store->list = NULL;
}
