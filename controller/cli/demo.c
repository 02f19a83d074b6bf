/* The demo: an account at the simulator and 24 bots on recorded BTC and ETH market data, made
 * through the same verbs that people use, once in a fleet's life. */
#define FLT_MOD "demo"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controller/cli/keys.h"
#include "controller/cli/programs.h"
#include "controller/cli/session.h"
#include "controller/cli/up.h"
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/json.h"

#define ASK_MS 10000
#define KEY_BYTES 32

/* --- the account's key
 * ------------------------------------------------------------------------------ */

static int make_key(char out[72])
{
    uint8_t bytes[KEY_BYTES];
    int err = flt_random(bytes, sizeof bytes);

    if (!err)
        flt_hex(bytes, sizeof bytes, out);
    flt_wipe(bytes, sizeof bytes);
    return err;
}

static int write_key(const struct up *up, const char *path)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "key", up->sim_key);
    flt_jw_str(&buf, "secret", up->sim_secret);
    flt_jw_end(&buf, '}');
    int err = buf.failed ? -ENOMEM : flt_file_write(path, buf.data, buf.length, 0600);

    flt_buf_finish(&buf);
    return err;
}

int demo_prepare(struct up *up, struct flt_error *error)
{
    char path[BROKER_PATH_MAX];
    const char *key, *secret;
    int err = fleet_path(up->fleet.dir, path, error, "secrets/demo.key.json");

    if (err)
        return err;
    if (access(path, F_OK) != 0) {
        err = make_key(up->sim_key);
        if (!err)
            err = make_key(up->sim_secret);
        return err ? err : write_key(up, path);
    }
    struct json_object *tree = flt_json_load(path, error);

    if (!tree)
        return -EINVAL;
    if (flt_json_str(tree, "key", &key) && flt_json_str(tree, "secret", &secret)) {
        snprintf(up->sim_key, sizeof up->sim_key, "%s", key);
        snprintf(up->sim_secret, sizeof up->sim_secret, "%s", secret);
    } else {
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, NULL, "it was left untouched",
                            "%s is damaged", path);
    }
    json_object_put(tree);
    return err;
}

/* --- the simulator's market
 * --------------------------------------------------------------------------- */

/* Keys go in a file: the arguments of a process can be read by everybody on the machine. */
static int write_accounts(const struct up *up, const char *path, struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '[');
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "key", up->sim_key);
    flt_jw_str(&buf, "secret", up->sim_secret);
    flt_jw_begin(&buf, "balances", '{');
    flt_jw_str(&buf, "USDT", "1000000");
    flt_jw_str(&buf, "BTC", "10");
    flt_jw_str(&buf, "ETH", "100");
    flt_jw_end(&buf, '}');
    flt_jw_end(&buf, '}');
    flt_jw_end(&buf, ']');
    int err = buf.failed ? -ENOMEM : flt_file_write(path, buf.data, buf.length, 0600);

    flt_buf_finish(&buf);
    return err ? flt_error_set(error, flt_error_from_errno(err), "dir", "", "cannot write %s: %s",
                               path, strerror(-err))
               : 0;
}

int demo_sim_args(struct up *up, const char **argv, size_t *count, struct flt_error *error)
{
    /* One account for 24 bots: the venue's usual 100 orders in 10 s would make them wait in line.
     */
    static const char *const fixed[] = { "--loop", "--history",      "120",  "--limit-orders-10s",
                                         "2000",   "--limit-weight", "60000" };
    static struct {
        char data[BROKER_PATH_MAX], btc[2 * BROKER_PATH_MAX + 128], eth[BROKER_PATH_MAX + 64];
        char listen[32], control[32], db[BROKER_PATH_MAX], accounts[BROKER_PATH_MAX];
    } text;
    int err = program_demo_dir(text.data, sizeof text.data, error);

    if (!err)
        err = fleet_path(up->fleet.dir, text.db, error, "sim/sim.db");
    if (!err)
        err = fleet_path(up->fleet.dir, text.accounts, error, "secrets/sim-accounts.json");
    if (!err)
        err = write_accounts(up, text.accounts, error);
    if (err)
        return err;
    snprintf(text.btc, sizeof text.btc,
             "BTC-USDT=trades:%s/btcusdt_trades.csv.gz,bookticker:%s/btcusdt_bookticker.csv.gz",
             text.data, text.data);
    snprintf(text.eth, sizeof text.eth, "ETH-USDT=candles:%s/ethusdt_1m.csv", text.data);
    snprintf(text.listen, sizeof text.listen, "127.0.0.1:%u", up->fleet.sim_port);
    snprintf(text.control, sizeof text.control, "127.0.0.1:%u", up->fleet.sim_control_port);
    const char *const named[] = { "--listen", text.listen, "--control",  text.control,
                                  "--db",     text.db,     "--accounts", text.accounts,
                                  "--market", text.btc,    "--market",   text.eth };

    for (size_t i = 0; i < FLT_COUNT(named); i++)
        argv[(*count)++] = named[i];
    for (size_t i = 0; i < FLT_COUNT(fixed); i++)
        argv[(*count)++] = fixed[i];
    return 0;
}

/* --- account and bots
 * --------------------------------------------------------------------------------- */

struct demo_bot {
    const char *name, *strategy, *instrument, *params;
};

/* Ranges fit the recorded prices (compose/demo/README.md): BTC 61583..61861 in six minutes, ETH
 * 1293.. 2042 in twelve hours, beginning at 1748. Steps and spreads cover two fees of 0.1 %. */
static const struct demo_bot demo_bots[] = {
    { "btc-grid-1", "grid", "BTC-USDT",
      "{\"lower\":\"60000\",\"upper\":\"63600\",\"levels\":20,\"budget\":\"20000\"}" },
    { "btc-grid-2", "grid", "BTC-USDT",
      "{\"lower\":\"61000\",\"upper\":\"62500\",\"levels\":10,\"budget\":\"10000\"}" },
    { "btc-grid-3", "grid", "BTC-USDT",
      "{\"lower\":\"58000\",\"upper\":\"66000\",\"levels\":40,\"budget\":\"40000\","
      "\"spacing\":\"geometric\"}" },
    { "btc-grid-4", "grid", "BTC-USDT",
      "{\"lower\":\"61400\",\"upper\":\"62000\",\"levels\":4,\"budget\":\"4000\"}" },
    { "btc-pmm-1", "pmm_simple", "BTC-USDT",
      "{\"amount\":\"500\",\"bid_spreads_bps\":[11,22],\"ask_spreads_bps\":[11,22],"
      "\"refresh\":\"5s\",\"budget\":\"5000\"}" },
    { "btc-pmm-2", "pmm_simple", "BTC-USDT",
      "{\"amount\":\"1000\",\"bid_spreads_bps\":[12],\"ask_spreads_bps\":[12],"
      "\"refresh\":\"10s\",\"budget\":\"8000\"}" },
    { "btc-pmm-3", "pmm_simple", "BTC-USDT",
      "{\"amount\":\"300\",\"bid_spreads_bps\":[15,30,45],\"ask_spreads_bps\":[15,30,45],"
      "\"refresh\":\"15s\",\"budget\":\"6000\",\"skew_bps\":10}" },
    { "btc-dca-1", "dca", "BTC-USDT",
      "{\"amount\":\"100\",\"interval\":\"20s\",\"take_profit_pct\":0.3,\"max_orders\":20}" },
    { "btc-dca-2", "dca", "BTC-USDT",
      "{\"amount\":\"200\",\"interval\":\"45s\",\"take_profit_pct\":0.4,\"max_orders\":10,"
      "\"safety_orders\":3,\"safety_step_pct\":0.1}" },
    { "btc-rsi-1", "rsi", "BTC-USDT",
      "{\"amount\":\"2000\",\"period\":7,\"buy_below\":40,\"sell_above\":60}" },
    { "btc-sma-1", "sma_cross", "BTC-USDT", "{\"amount\":\"2000\",\"fast\":2,\"slow\":5}" },
    { "btc-sma-2", "sma_cross", "BTC-USDT", "{\"amount\":\"1000\",\"fast\":5,\"slow\":15}" },
    { "eth-grid-1", "grid", "ETH-USDT",
      "{\"lower\":\"1650\",\"upper\":\"1950\",\"levels\":27,\"budget\":\"10000\"}" },
    { "eth-grid-2", "grid", "ETH-USDT",
      "{\"lower\":\"1600\",\"upper\":\"2000\",\"levels\":50,\"budget\":\"20000\"}" },
    { "eth-grid-3", "grid", "ETH-USDT",
      "{\"lower\":\"1300\",\"upper\":\"2100\",\"levels\":40,\"budget\":\"30000\","
      "\"spacing\":\"geometric\"}" },
    { "eth-grid-4", "grid", "ETH-USDT",
      "{\"lower\":\"1720\",\"upper\":\"1850\",\"levels\":12,\"budget\":\"6000\"}" },
    { "eth-pmm-1", "pmm_simple", "ETH-USDT",
      "{\"amount\":\"300\",\"bid_spreads_bps\":[15,30],\"ask_spreads_bps\":[15,30],"
      "\"refresh\":\"5s\",\"budget\":\"6000\"}" },
    { "eth-pmm-2", "pmm_simple", "ETH-USDT",
      "{\"amount\":\"500\",\"bid_spreads_bps\":[25],\"ask_spreads_bps\":[25],"
      "\"refresh\":\"10s\",\"budget\":\"5000\"}" },
    { "eth-pmm-3", "pmm_simple", "ETH-USDT",
      "{\"amount\":\"200\",\"bid_spreads_bps\":[20,40,80],\"ask_spreads_bps\":[20,40,80],"
      "\"refresh\":\"15s\",\"budget\":\"4000\",\"skew_bps\":20}" },
    { "eth-dca-1", "dca", "ETH-USDT",
      "{\"amount\":\"100\",\"interval\":\"15s\",\"take_profit_pct\":0.5,\"max_orders\":30}" },
    { "eth-dca-2", "dca", "ETH-USDT",
      "{\"amount\":\"250\",\"interval\":\"1m\",\"take_profit_pct\":1,\"max_orders\":10,"
      "\"safety_orders\":4,\"safety_step_pct\":0.5}" },
    { "eth-rsi-1", "rsi", "ETH-USDT",
      "{\"amount\":\"1500\",\"period\":7,\"buy_below\":40,\"sell_above\":60}" },
    { "eth-sma-1", "sma_cross", "ETH-USDT", "{\"amount\":\"1500\",\"fast\":2,\"slow\":5}" },
    { "eth-sma-2", "sma_cross", "ETH-USDT", "{\"amount\":\"1000\",\"fast\":5,\"slow\":15}" },
};

size_t demo_bot_count(void)
{
    return FLT_COUNT(demo_bots);
}

struct json_object *demo_bot(size_t index)
{
    const struct demo_bot *row = &demo_bots[index];
    struct json_object *bot =
        args_of("name", row->name, "strategy", row->strategy, "account", "demo", "instrument",
                row->instrument, "mode", "live", "note", "made by flotilla up --demo", NULL);
    struct json_object *params = flt_json_parse(row->params, strlen(row->params), NULL);

    assert(params && "the table above is JSON");
    json_object_object_add(bot, "params", params);
    json_object_object_add(bot, "risk", args_of("max_order_notional", "25000", NULL));
    json_object_object_add(bot, "placement",
                           args_of("node", index % 2 ? "node-2" : "node-1", NULL));
    return bot;
}

/* Bots that a person removed stay removed: the demo is deployed once, and this file says so. */
static int done_path(const struct up *up, char *out, struct flt_error *error)
{
    return fleet_path(up->fleet.dir, out, error, "sim/deployed");
}

static void on_applied(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct up *up = ctx;
    char path[BROKER_PATH_MAX];
    struct flt_error failed = *error;
    int err = result ? done_path(up, path, &failed) : -EIO;

    if (!err)
        err = flt_file_write(path, "", 0, 0600);
    if (err)
        flt_error_set(&failed, flt_error_from_errno(err), NULL, "", "cannot write %s", path);
    up_demo_done(up, err ? &failed : NULL);
}

static void deploy(struct up *up)
{
    struct json_object *args = json_object_new_object(), *bots = json_object_new_array();

    for (size_t i = 0; i < FLT_COUNT(demo_bots); i++)
        json_object_array_add(bots, demo_bot(i));
    json_object_object_add(args, "bots", bots);
    bus_request(up->bus, "apply", args, ASK_MS, on_applied, up);
}

static void on_added(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct up *up = ctx;

    if (result)
        deploy(up);
    else
        up_demo_done(up, error);
}

static void on_box_key(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct up *up = ctx;
    struct json_object *args = account_args("demo", "binance", true);
    struct flt_buf buf = FLT_BUF_INIT;
    struct flt_error failed = *error;
    const char *box_key;
    int err = -EIO;

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "key", up->sim_key);
    flt_jw_str(&buf, "secret", up->sim_secret);
    flt_jw_end(&buf, '}');
    if (flt_json_str(result, "box_key", &box_key) && !buf.failed)
        err = account_seal(args, up->fleet.tenant, box_key, buf.data);
    flt_buf_finish(&buf);
    if (!err) {
        bus_request(up->bus, "account-add", args, ASK_MS, on_added, up);
        return;
    }
    json_object_put(args);
    flt_error_set(&failed, FLT_INTERNAL, NULL, "", "the demo's key could not be sealed");
    up_demo_done(up, &failed);
}

static void on_accounts(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct up *up = ctx;
    struct json_object *items = flt_json_get(result, "items");
    const char *name;

    if (!result) {
        up_demo_done(up, error);
        return;
    }
    for (size_t i = 0; items && i < json_object_array_length(items); i++)
        if (flt_json_str(json_object_array_get_idx(items, i), "name", &name) &&
            strcmp(name, "demo") == 0) {
            deploy(up); /* a first start was cut short behind the account */
            return;
        }
    bus_request(up->bus, "account-key", NULL, ASK_MS, on_box_key, up);
}

void demo_start(struct up *up)
{
    char path[BROKER_PATH_MAX];
    struct flt_error error = { 0 };

    if (done_path(up, path, &error))
        up_demo_done(up, &error);
    else if (access(path, F_OK) == 0)
        up_demo_done(up, NULL);
    else
        bus_request(up->bus, "account-ls", NULL, ASK_MS, on_accounts, up);
}
