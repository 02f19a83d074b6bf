#include "exchanges/sim/options.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/control.h"

static const char help[] =
    "flotilla-sim: an exchange that speaks Binance spot's REST and WebSocket APIs\n\n"
    "usage: flotilla-sim --market NAME=SOURCE ... --api-key K --secret S --balance A=N,... "
    "[options]\n\n"
    "Prints `ready rest=http://... stream=ws://... control=http://...` once it listens; ends on "
    "SIGINT,\n"
    "SIGTERM or POST /quit. Clients change their base URLs only: REST <rest>/api/v3, market "
    "streams\n"
    "<stream>/ws and <stream>/stream, WebSocket API <stream>/ws-api/v3.\n\n"
    "Markets (repeatable, many at once):\n"
    "  --market BTC-USDT=trades:FILE[,bookticker:FILE]   ts_ms,price,qty,is_buyer_maker and\n"
    "                                    ts_ms,update_id,bid,bid_qty,ask,ask_qty\n"
    "  --market ETH-USDT=candles:FILE    ts_ms,open,high,low,close,volume of 1m or 1h, played as "
    "quotes\n"
    "                                    and trades inside each candle, the same each time\n"
    "  --market SOL-USDT=random:price=150[,seed=7][,vol=0.04][,rate=2]   a random walk; vol: of a "
    "day,\n"
    "                                    rate: trades a second\n"
    "  ,tick=0.01,lot=0.001 after any source sets its steps. Files are CSV with a header, plain or "
    ".gz.\n"
    "  --instruments FILE    filters from an exchangeInfo reply; else sensible ones by symbol\n"
    "  --speed X             market time against wall time (1)\n"
    "  --loop                play files again and again, every second time backwards (prices stay\n"
    "                        continuous); without it a market ends with its file\n"
    "  --history MIN         the source's first minutes become the candles before now (600)\n"
    "  --seed N              of everything random (1)\n\n"
    "Accounts (repeatable, in groups):\n"
    "  --api-key K --secret S            an HMAC-SHA256 key\n"
    "  --ed25519-key K --public-key FILE a key whose signatures are Ed25519 (PEM)\n"
    "  --balance USDT=100000,BTC=1       what the account named before begins with\n"
    "  --accounts FILE                   JSON: "
    "[{\"key\",\"secret\",\"balances\":{\"USDT\":\"100000\"}}]\n"
    "  --fee-maker R, --fee-taker R      rates (0.001), taken from what a fill brings\n"
    "  --fee-asset received|quote\n\n"
    "Service:\n"
    "  --listen 127.0.0.1:PORT, --control 127.0.0.1:PORT     0 (the default): a free port\n"
    "  --db FILE             SQLite ledger; a restart on it goes on with all orders and balances\n"
    "  --limit-weight N      request weight a minute (6000)\n"
    "  --limit-orders-10s N, --limit-orders-1d N   unfilled orders (100, 200000)\n"
    "  --log-level debug|info|warn|error, --version, --help\n\n";

static int bad(struct flt_error *error, const char *name, const char *value)
{
    return flt_error_set(error, FLT_INVALID_ARGUMENT, name, "See flotilla-sim --help.",
                         "%s cannot be %s.", name, value);
}

static int parse_address(const char *text, char **host, int *port)
{
    const char *colon = strrchr(text, ':');
    char *end;
    const long number = colon ? strtol(colon + 1, &end, 10) : -1;

    if (!colon || *end || end == colon + 1 || number < 0 || number > 65535)
        return -EINVAL;
    free(*host);
    *host = strndup(text, (size_t)(colon - text));
    *port = (int)number;
    return *host ? 0 : -ENOMEM;
}

static int parse_rate(const char *text, struct flt_dec *out)
{
    const struct flt_dec rate = flt_dec_parse(text);

    if (!flt_dec_ok(rate) || rate.coef < 0 || flt_dec_cmp(rate, flt_dec_parse("0.1")) > 0)
        return -EINVAL;
    *out = rate;
    return 0;
}

static int parse_count(const char *text, int64_t max, int64_t *out)
{
    const struct flt_dec value = flt_dec_parse(text);

    if (!flt_dec_ok(value) || value.scale != 0 || value.coef < 0 || value.coef > max)
        return -EINVAL;
    *out = value.coef;
    return 0;
}

static int parse_int(const char *text, int *out)
{
    int64_t value = 0;
    const int err = parse_count(text, 1000000000, &value);

    if (!err)
        *out = (int)value;
    return err;
}

static int new_account(struct sim_args *args, const char *key)
{
    struct sim_account_option *grown =
        realloc(args->accounts, (args->account_count + 1) * sizeof *grown);

    if (!grown)
        return -ENOMEM;
    args->accounts = grown;
    if (!*key || strlen(key) >= sizeof grown->key)
        return -EINVAL;
    struct sim_account_option *account = &grown[args->account_count++];

    *account = (struct sim_account_option){ .balances = strdup("") };
    snprintf(account->key, sizeof account->key, "%s", key);
    return account->balances ? 0 : -ENOMEM;
}

static int add_balances(struct sim_account_option *account, const char *text)
{
    char *joined = NULL;

    if (asprintf(&joined, "%s%s%s", account->balances, account->balances[0] ? "," : "", text) < 0)
        return -ENOMEM;
    free(account->balances);
    account->balances = joined;
    return 0;
}

static int account_option(struct sim_args *args, const char *name, const char *value)
{
    struct sim_account_option *last =
        args->account_count ? &args->accounts[args->account_count - 1] : NULL;

    if (strcmp(name, "--api-key") == 0 || strcmp(name, "--ed25519-key") == 0)
        return new_account(args, value);
    if (!last)
        return -EINVAL;
    if (strcmp(name, "--balance") == 0)
        return add_balances(last, value);
    if (strcmp(name, "--public-key") == 0) {
        last->public_key_path = value;
        return 0;
    }
    if (strlen(value) >= sizeof last->secret)
        return -EINVAL;
    snprintf(last->secret, sizeof last->secret, "%s", value);
    return 0;
}

static int market_option(struct sim_args *args, const char *value)
{
    if (args->market_count == FLT_COUNT(args->markets))
        return -EINVAL;
    args->markets[args->market_count++] = value;
    return 0;
}

static int speed_option(const char *value, double *out)
{
    char *end;
    const double speed = strtod(value, &end);

    if (*end || !isfinite(speed) || speed <= 0 || speed > 1e6)
        return -EINVAL;
    *out = speed;
    return 0;
}

/* 1: not one of these. */
static int venue_option(struct sim_args *args, const char *name, const char *value)
{
    struct sim_options *o = &args->options;
    int64_t number = 0;
    int err = 1;

    if (strcmp(name, "--listen") == 0)
        err = parse_address(value, &o->listen_host, &o->listen_port);
    else if (strcmp(name, "--control") == 0)
        err = parse_address(value, &o->control_host, &o->control_port);
    else if (strcmp(name, "--fee-maker") == 0)
        err = parse_rate(value, &o->fees.maker);
    else if (strcmp(name, "--fee-taker") == 0)
        err = parse_rate(value, &o->fees.taker);
    else if (strcmp(name, "--speed") == 0)
        err = speed_option(value, &o->speed);
    else if (strcmp(name, "--history") == 0)
        err = parse_count(value, 10000, &o->history_min);
    else if (strcmp(name, "--limit-weight") == 0)
        err = parse_int(value, &o->limit_weight);
    else if (strcmp(name, "--limit-orders-10s") == 0)
        err = parse_int(value, &o->limit_orders_10s);
    else if (strcmp(name, "--limit-orders-1d") == 0)
        err = parse_int(value, &o->limit_orders_day);
    else if (strcmp(name, "--seed") == 0) {
        err = parse_count(value, INT64_MAX - 1, &number);
        o->seed = (uint64_t)number;
    }
    return err;
}

static int other_option(struct sim_args *args, const char *name, const char *value)
{
    static const char *const of_account[] = { "--api-key", "--secret", "--balance", "--ed25519-key",
                                              "--public-key" };

    for (size_t i = 0; i < FLT_COUNT(of_account); i++)
        if (strcmp(name, of_account[i]) == 0)
            return account_option(args, name, value);
    if (strcmp(name, "--market") == 0)
        return market_option(args, value);
    if (strcmp(name, "--db") == 0)
        args->options.db_path = value;
    else if (strcmp(name, "--instruments") == 0)
        args->instruments_path = value;
    else if (strcmp(name, "--accounts") == 0)
        args->accounts_path = value;
    else if (strcmp(name, "--fee-asset") == 0 && strcmp(value, "quote") == 0)
        args->options.fees.asset = FEE_QUOTE;
    else if (strcmp(name, "--fee-asset") == 0 && strcmp(value, "received") == 0)
        args->options.fees.asset = FEE_RECEIVED;
    else if (strcmp(name, "--log-level") == 0 && flt_log_level_parse(value) >= 0)
        flt_log_set_level((enum flt_log_level)flt_log_level_parse(value));
    else
        return -EINVAL;
    return 0;
}

static int read_account(struct sim_args *args, struct json_object *row)
{
    const char *key = "", *secret = "";
    struct json_object *balances = flt_json_get(row, "balances");
    char text[128];

    if (!flt_json_str(row, "key", &key) || !flt_json_str(row, "secret", &secret) ||
        new_account(args, key) != 0 || account_option(args, "--secret", secret) != 0)
        return -EINVAL;
    flt_json_bool(row, "withdraw", &args->accounts[args->account_count - 1].can_withdraw);
    if (!balances)
        return 0;
    if (!json_object_is_type(balances, json_type_object))
        return -EINVAL;
    json_object_object_foreach(balances, asset, amount)
    {
        snprintf(text, sizeof text, "%s=%s", asset, json_object_get_string(amount));
        if (add_balances(&args->accounts[args->account_count - 1], text) != 0)
            return -ENOMEM;
    }
    return 0;
}

static int read_accounts(struct sim_args *args, struct flt_error *error)
{
    struct json_object *rows = flt_json_load(args->accounts_path, error);
    int err = rows && json_object_is_type(rows, json_type_array) ? 0 : -EINVAL;

    for (size_t i = 0; !err && i < json_object_array_length(rows); i++)
        err = read_account(args, json_object_array_get_idx(rows, i));
    json_object_put(rows);
    return err ? flt_error_set(error, FLT_INVALID_ARGUMENT, "accounts",
                               "[{\"key\",\"secret\",\"balances\":{\"USDT\":\"1\"}}]",
                               "The file of accounts is bad.")
               : 0;
}

static void set_defaults(struct sim_args *args)
{
    *args = (struct sim_args){ 0 };
    args->options = (struct sim_options){ .seed = 1,
                                          .speed = 1.0,
                                          .history_min = 600,
                                          .limit_weight = 6000,
                                          .limit_orders_10s = 100,
                                          .limit_orders_day = 200000 };
    args->options.fees.maker = args->options.fees.taker = flt_dec_parse("0.001");
    args->options.listen_host = strdup("127.0.0.1");
    args->options.control_host = strdup("127.0.0.1");
}

int sim_args_parse(struct sim_args *args, int argc, char **argv, struct flt_error *error)
{
    set_defaults(args);
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];

        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
            printf("%s%s", help, sim_control_help);
            return 1;
        }
        if (strcmp(name, "--version") == 0) {
            puts("flotilla-sim " FLT_VERSION);
            return 1;
        }
        if (strcmp(name, "--loop") == 0) {
            args->options.loop = true;
            continue;
        }
        if (i + 1 == argc)
            return bad(error, name, "the last word");
        const char *value = argv[++i];
        int err = venue_option(args, name, value);

        if (err > 0)
            err = other_option(args, name, value);
        if (err)
            return bad(error, name, value);
    }
    if (args->accounts_path && read_accounts(args, error) != 0)
        return -EINVAL;
    return args->market_count
               ? 0
               : flt_error_set(error, FLT_INVALID_ARGUMENT, "--market",
                               "--market BTC-USDT=random:price=60000", "There is no market.");
}

void sim_args_finish(struct sim_args *args)
{
    for (size_t i = 0; i < args->account_count; i++)
        free(args->accounts[i].balances);
    free(args->accounts);
    free(args->options.listen_host);
    free(args->options.control_host);
}

int sim_balances_parse(struct funds *funds, const char *text, struct flt_error *error)
{
    while (*text) {
        const size_t size = strcspn(text, ","), name = strcspn(text, "=");
        char asset[ASSET_MAX];

        if (name == 0 || name >= sizeof asset || name >= size)
            return bad(error, "--balance", text);
        memcpy(asset, text, name);
        asset[name] = '\0';
        const struct flt_amt amount = flt_amt_parse_n(text + name + 1, size - name - 1);

        if (!flt_amt_ok(amount) || amount.units < 0 || funds_add(funds, asset, amount) != 0)
            return bad(error, "--balance", text);
        text += size + (text[size] == ',');
    }
    return 0;
}
