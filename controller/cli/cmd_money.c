/* flotilla pnl and portfolio. */
#define FLT_MOD "cli"
#include <errno.h>
#include <string.h>
#include "controller/cli/ask.h"
#include "controller/cli/commands.h"
#include "controller/cli/session.h"
#include "lib/json.h"

const struct column pnl_columns[] = {
    { "KEY", "key", COLUMN_TEXT },
    { "QUOTE", "quote", COLUMN_TEXT },
    { "NET", "net", COLUMN_SIGNED },
    { "REALISED", "realised", COLUMN_SIGNED },
    { "UNREALISED", "unrealised", COLUMN_SIGNED },
    { "FEES", "fees", COLUMN_TEXT },
    { "VOLUME", "volume", COLUMN_NUMBER },
    { "FILLS", "fills", COLUMN_NUMBER },
    { NULL, NULL, COLUMN_TEXT },
};

/* The rows, then their sums, as one list for tables; the document keeps them apart. */
static void show_with_total(struct cli *cli, struct json_object *result, struct json_object *items,
                            const struct column *columns)
{
    struct json_object *total = flt_json_get(result, "total");

    for (size_t i = 0; cli->people && items && total && i < json_object_array_length(total); i++)
        json_object_array_add(items, json_object_get(json_object_array_get_idx(total, i)));
    out_list(cli, result, items, columns);
}

int cmd_pnl(struct cli *cli)
{
    struct json_object *result = NULL;
    const char *by = cli_flag(cli, "by");
    const bool days = by && strcmp(by, "day") == 0;

    if (days)
        return ask_run(cli, &ask_pnl_days);
    for (const char *const *flag = (const char *const[]){ "bot", "account", "from", "to", NULL };
         *flag; flag++)
        if (cli_has(cli, *flag))
            return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, *flag, "for example: flotilla pnl --by day",
                            "--%s goes with --by day only", *flag);
    int err = ask_once(cli, "pnl", args_of("by", by ? by : "bot", NULL), &result);

    if (!err)
        show_with_total(cli, result, flt_json_get(result, "items"), pnl_columns);
    json_object_put(result);
    return err;
}

int cmd_portfolio(struct cli *cli)
{
    static const struct column accounts[] = {
        { "ACCOUNT", "account", COLUMN_TEXT }, { "VENUE", "venue", COLUMN_TEXT },
        { "MODE", "mode", COLUMN_TEXT },       { "NET", "net", COLUMN_SIGNED },
        { "TODAY", "today", COLUMN_SIGNED },   { "7 DAYS", "d7", COLUMN_SIGNED },
        { "30 DAYS", "d30", COLUMN_SIGNED },   { "EXPOSURE", "exposure", COLUMN_NUMBER },
        { "IN", "quote", COLUMN_TEXT },        { "BOTS", "bots", COLUMN_NUMBER },
        { "FILLS", "fills", COLUMN_NUMBER },   { NULL, NULL, COLUMN_TEXT },
    };
    const char *by = cli_flag(cli, "by");
    struct json_object *result = NULL;
    int err = ask_once(cli, "portfolio", NULL, &result);

    if (!err && by && strcmp(by, "asset") == 0)
        out_list(cli, result, flt_json_get(result, "items"), ask_portfolio.columns);
    else if (!err)
        show_with_total(cli, result, flt_json_get(result, "accounts"), accounts);
    json_object_put(result);
    return err;
}
