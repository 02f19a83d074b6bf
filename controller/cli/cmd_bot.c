/* flotilla bot: list, show, start, stop and follow bots; deploying them is in cmd_deploy.c. */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/ask.h"
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "lib/json.h"

const struct column bot_columns[] = {
    { "BOT", "bot", COLUMN_TEXT },
    { "NODE", "node", COLUMN_TEXT },
    { "PHASE", "phase", COLUMN_STATE },
    { "STRATEGY", "strategy", COLUMN_TEXT },
    { "INSTRUMENT", "instrument", COLUMN_TEXT },
    { "MODE", "mode", COLUMN_TEXT },
    { "POSITION", "position", COLUMN_NUMBER },
    { "EQUITY", "equity", COLUMN_SIGNED },
    { "FILLS", "fills", COLUMN_NUMBER },
    { "ORDERS", "orders_open", COLUMN_NUMBER },
    { "AGE", "age_ms", COLUMN_SPAN },
    { "ACCOUNT", "account", COLUMN_TEXT | COLUMN_WIDE },
    { "VENUE", "venue", COLUMN_TEXT | COLUMN_WIDE },
    { "RUN", "run", COLUMN_TEXT | COLUMN_WIDE },
    { "PRICE", "price", COLUMN_NUMBER | COLUMN_WIDE },
    { "REALISED", "realised", COLUMN_SIGNED | COLUMN_WIDE },
    { "UNREALISED", "unrealised", COLUMN_SIGNED | COLUMN_WIDE },
    { "FEES", "fees", COLUMN_TEXT | COLUMN_WIDE },
    { "OWNER", "owner", COLUMN_TEXT | COLUMN_WIDE },
    { "FAILOVER", "failover", COLUMN_TEXT | COLUMN_WIDE },
    { "CLAIMED", "claimed", COLUMN_TEXT | COLUMN_WIDE },
    { "EPOCH", "epoch", COLUMN_NUMBER | COLUMN_WIDE },
    { "GENERATION", "generation", COLUMN_NUMBER | COLUMN_WIDE },
    { "APPLIED", "applied", COLUMN_NUMBER | COLUMN_WIDE },
    { "REASON", "reason.message|reason.code", COLUMN_TEXT | COLUMN_WIDE },
    { NULL, NULL, COLUMN_TEXT },
};

int cmd_bot_ls(struct cli *cli)
{
    struct session session = { 0 };
    struct json_object *items = NULL, *document;
    int err = session_open(&session, cli);

    if (!err)
        err = bots_filtered(&session, &items);
    session_close(&session);
    if (err)
        return err;
    document = json_object_new_object();
    json_object_object_add(document, "items", items);
    out_list(cli, document, items, bot_columns);
    json_object_put(document);
    return 0;
}

int cmd_bot_show(struct cli *cli)
{
    struct json_object *result = NULL;
    int err = ask_once(cli, "bot-show", args_of("bot", cli_arg(cli, 0), NULL), &result);

    if (!err)
        out_object(cli, result);
    json_object_put(result);
    return err;
}

/* --- orders, fills
 * ---------------------------------------------------------------------------------- */

int cmd_bot_orders(struct cli *cli)
{
    static const struct column columns[] = {
        { "INSTRUMENT", "instrument", COLUMN_TEXT },
        { "SIDE", "side", COLUMN_TEXT },
        { "TYPE", "type", COLUMN_TEXT },
        { "PRICE", "price", COLUMN_NUMBER },
        { "QTY", "qty", COLUMN_NUMBER },
        { "FILLED", "filled_qty", COLUMN_NUMBER },
        { "STATUS", "status", COLUMN_TEXT },
        { "ORDER", "order_id", COLUMN_TEXT },
        { "AGE", "ts_ms", COLUMN_AGE },
        { NULL, NULL, COLUMN_TEXT },
    };
    struct json_object *result = NULL;
    int err = ask_once(cli, "bot-orders", args_of("bot", cli_arg(cli, 0), NULL), &result);

    if (!err)
        out_list(cli, result, flt_json_get(result, "orders"), columns);
    json_object_put(result);
    return err;
}

/* Books keep the fills of bots that are gone, so they do not know who never was. */
static int check_bot(struct cli *cli, const char *name)
{
    struct json_object *shown = NULL;
    const int err = ask_once(cli, "bot-show", args_of("bot", name, NULL), &shown);

    json_object_put(shown);
    return err;
}

int cmd_bot_fills(struct cli *cli)
{
    static const struct column columns[] = {
        { "TIME", "ts_ms", COLUMN_TIME },
        { "BOT", "bot", COLUMN_TEXT },
        { "INSTRUMENT", "instrument", COLUMN_TEXT },
        { "SIDE", "side", COLUMN_TEXT },
        { "PRICE", "price", COLUMN_NUMBER },
        { "QTY", "qty", COLUMN_NUMBER },
        { "FEE", "fee", COLUMN_NUMBER },
        { "IN", "fee_asset", COLUMN_TEXT },
        { "LIQUIDITY", "liquidity", COLUMN_TEXT },
        { "TRADE", "trade_id", COLUMN_TEXT },
        { NULL, NULL, COLUMN_TEXT },
    };
    struct json_object *result = NULL;
    size_t limit = 0;
    int err = cli_limit(cli, 50, &limit);

    struct json_object *args = args_of("bot", cli_arg(cli, 0), NULL);

    if (!err && cli_has(cli, "since"))
        err = cli_since(cli, "since", args, "since_ms");
    if (err)
        json_object_put(args);
    else
        err = list_once(cli, "bot-fills", args, limit, &result);
    if (!err && cli_arg(cli, 0) && json_object_array_length(flt_json_get(result, "items")) == 0)
        err = check_bot(cli, cli_arg(cli, 0));
    if (!err)
        out_list(cli, result, flt_json_get(result, "items"), columns);
    json_object_put(result);
    return err;
}
