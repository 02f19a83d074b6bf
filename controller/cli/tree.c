/* The table of every command: names, arguments, flags, help. Parsing, --help, completion and the
 * tests read it; what a row does is in cmd_*.c and up.c. */
#define FLT_MOD "cli"
#include <errno.h>
#include <string.h>
#include "controller/cli/cli.h"
#include "controller/cli/commands.h"
#include "controller/cli/session.h"
#include "lib/json.h"
#include "strategies/indicators/indicator.h"

int cmd_version(struct cli *cli)
{
    if (cli->json)
        printf("{\"version\":\"%s\"}\n", FLT_VERSION);
    else
        printf("flotilla %s\n", FLT_VERSION);
    return 0;
}

int cmd_completion(struct cli *cli)
{
    const char *script = cli_completion_script(cli_arg(cli, 0));

    if (!script)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "shell", "one of bash, zsh, fish",
                        "no completion for %.64s", cli_arg(cli, 0));
    fputs(script, stdout);
    return 0;
}

int cmd_help(struct cli *cli)
{
    char path[CLI_PATH_MAX];
    const struct cli_command *command =
        cli_find(&cli_root, cli->parse.arg_count, cli->parse.args, path, &cli->error);

    if (!command)
        return -EINVAL;
    cli_help(stdout, command, path);
    return 0;
}

/* Names that the running fleet knows; silent and quick when it does not answer. */
static void complete_live(void *ctx, FILE *file, const char *kind, const char *prefix)
{
    static const struct {
        const char *kind, *verb, *key;
    } lists[] = { { "bot", "bot-ls", "bot" },
                  { "node", "node-ls", "node" },
                  { "account", "account-ls", "name" },
                  { "strategy", "strategy-ls", "strategy" },
                  { "user", "user-ls", "name" } };
    struct cli *cli = ctx;
    struct json_object *result = NULL;
    char name[64];

    const struct indicator *row;

    if (strcmp(kind, "file") == 0 || strcmp(kind, "dir") == 0)
        fprintf(file, ":%s\t\n", kind); /* the shell's own work */
    for (size_t i = 0; strcmp(kind, "indicator") == 0 && (row = indicator_at(i)); i++)
        if (strncmp(row->name, prefix, strlen(prefix)) == 0)
            fprintf(file, "%s\t%s\n", row->name, row->help);
    if (strcmp(kind, "store") == 0)
        data_complete(cli, file, prefix);
    cli->timeout_ms = 300;
    for (size_t i = 0; i < FLT_COUNT(lists); i++) {
        if (strcmp(kind, lists[i].kind) != 0 ||
            list_once(cli, lists[i].verb, json_object_new_object(), 1000, &result) != 0)
            continue;
        struct json_object *items = flt_json_get(result, "items");

        for (size_t k = 0; k < json_object_array_length(items); k++) {
            out_text(json_object_array_get_idx(items, k), lists[i].key, name, sizeof name);
            if (strncmp(name, prefix, strlen(prefix)) == 0)
                fprintf(file, "%s\t\n", name);
        }
        json_object_put(result);
    }
}

int cmd_complete(struct cli *cli)
{
    const size_t skip = cli->parse.arg_count && strcmp(cli->parse.args[0], "--") == 0;

    for (size_t i = skip; i + 2 < cli->parse.arg_count;
         i++) /* of the line that is being completed */
        if (strcmp(cli->parse.args[i], "--dir") == 0)
            snprintf(cli->dir, sizeof cli->dir, "%s", cli->parse.args[i + 1]);
    cli_complete(stdout, &cli_root, cli->parse.arg_count - skip, cli->parse.args + skip,
                 complete_live, cli);
    return 0;
}

#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define FLAG_WAIT                                                                                  \
    {                                                                                              \
        .name = "wait", .value = "TIME", .optional = true,                                         \
        .help = "until its node reports it (default 30s)"                                          \
    }
#define FLAG_YES                                                                                   \
    {                                                                                              \
        .name = "yes", .letter = 'y', .help = "do not ask"                                         \
    }
#define FLAG_LIMIT                                                                                 \
    {                                                                                              \
        .name = "limit", .letter = 'n', .value = "N", .help = "the newest N"                       \
    }

static const struct cli_flag up_flags[] = {
    { .name = "demo", .help = "24 bots on an exchange simulator with recorded market data" },
    { .name = "port",
      .letter = 'p',
      .value = "PORT",
      .help = "of the dashboard on 127.0.0.1 (default 8088, else the last one)" },
    { .name = "detach", .letter = 'd', .help = "return once it is ready" },
    END,
};

static const struct cli_flag broker_flags[] = {
    { .name = "port",
      .value = "PORT",
      .help = "on 127.0.0.1 (default: the last one, else a free one)" },
    END,
};

static const struct cli_command broker_commands[] = {
    { .name = "config",
      .help = "write DIR/broker/mosquitto.conf and the first logins",
      .run = cmd_broker_config,
      .flags = broker_flags },
    { .name = "run",
      .help = "the same, then run mosquitto in the foreground",
      .run = cmd_broker_run,
      .flags = broker_flags },
    { .name = "passwd",
      .args = "USER",
      .help = "a new password while the broker is stopped",
      .run = cmd_broker_passwd },
    END,
};

static const struct cli_command node_commands[] = {
    { .name = "ls", .help = "nodes, their state and load", .run = cmd_node_ls },
    { .name = "show",
      .args = "NODE",
      .help = "one node and its bots",
      .run = cmd_node_show,
      .live = "node" },
    END,
};

static const struct cli_flag bot_ls_flags[] = {
    { .name = "node", .value = "NODE", .live = "node", .help = "on this node only" },
    { .name = "strategy", .value = "NAME", .live = "strategy", .help = "of this strategy only" },
    { .name = "phase",
      .value = "PHASE",
      .choices = "waiting|recovering|running|paused|stopping|stopped|flattening|flat|error",
      .help = "in this phase only" },
    END,
};

static const struct cli_flag deploy_flags[] = {
    { .name = "name", .value = "NAME", .help = "its name: small letters, digits and -" },
    { .name = "strategy",
      .letter = 's',
      .value = "NAME",
      .live = "strategy",
      .help = "see: flotilla strategy ls" },
    { .name = "account",
      .letter = 'a',
      .value = "NAME",
      .live = "account",
      .help = "whose money; none: paper" },
    { .name = "venue", .value = "NAME", .help = "for paper without an account" },
    { .name = "instrument", .letter = 'i', .value = "NAME", .help = "for example BTC-USDT" },
    { .name = "param",
      .letter = 'P',
      .value = "K=V",
      .repeated = true,
      .help = "a parameter; see: flotilla strategy show NAME" },
    { .name = "risk",
      .letter = 'R',
      .value = "K=V",
      .repeated = true,
      .help = "a limit, for example max_position=0.5" },
    { .name = "node",
      .value = "NODE",
      .live = "node",
      .help = "on this node (default: the controller chooses)" },
    { .name = "failover",
      .value = "HOW",
      .choices = "auto|sticky",
      .help = "when its node is lost" },
    { .name = "mode",
      .letter = 'm',
      .value = "MODE",
      .choices = "live|paper|shadow",
      .help = "how it trades (default: live with an account, else paper)" },
    { .name = "live", .help = "yes, with real money: needed unless the account is a sandbox" },
    { .name = "note", .value = "TEXT", .help = "for people" },
    { .name = "stopped", .help = "record it, but do not start it" },
    { .name = "dry-run", .help = "check only" },
    FLAG_WAIT,
    END,
};

static const struct cli_flag apply_flags[] = {
    { .name = "file",
      .letter = 'f',
      .value = "FILE",
      .live = "file",
      .help = "a manifest, YAML or JSON" },
    { .name = "live", .help = "yes, with real money" },
    { .name = "stopped", .help = "record them, but do not start them" },
    { .name = "dry-run", .help = "check only" },
    FLAG_WAIT,
    END,
};

static const struct cli_flag wait_flags[] = { FLAG_WAIT, END };

static const struct cli_flag stop_flags[] = {
    { .name = "flatten", .help = "sell or buy back its position too" },
    { .name = "detach", .help = "leave its orders at the venue" },
    FLAG_YES,
    FLAG_WAIT,
    END,
};

static const struct cli_flag bot_rm_flags[] = {
    { .name = "force",
      .help = "also when it runs or holds a position: stopped first, position left" },
    FLAG_YES,
    END,
};

static const struct cli_flag yes_flags[] = { FLAG_YES, END };
static const struct cli_flag fills_flags[] = { FLAG_LIMIT, END };

static const struct cli_flag logs_flags[] = {
    { .name = "follow", .letter = 'f', .help = "go on until Ctrl-C" },
    FLAG_LIMIT,
    END,
};

static const struct cli_flag parity_flags[] = {
    { .name = "for", .value = "TIME", .help = "how long to record (default 60s)" },
    { .name = "file",
      .value = "FILE",
      .live = "file",
      .help = "a recording that is there already; nothing is asked of the fleet" },
    END,
};

static const struct cli_command bot_commands[] = {
    { .name = "ls",
      .args = "[TEXT]",
      .help = "bots, what they do and what they earned",
      .run = cmd_bot_ls,
      .flags = bot_ls_flags },
    { .name = "show",
      .args = "BOT",
      .help = "one bot: state, parameters, limits",
      .run = cmd_bot_show,
      .live = "bot" },
    { .name = "deploy",
      .help = "a new bot, or a changed one",
      .run = cmd_bot_deploy,
      .flags = deploy_flags,
      .examples = "  flotilla bot deploy --name grid-1 --strategy grid --account demo \\\n"
                  "      --instrument BTC-USDT --param lower=60000 --param upper=63000 \\\n"
                  "      --param levels=30 --param budget=5000 --wait" },
    { .name = "apply",
      .help = "all bots of a manifest, or none",
      .run = cmd_bot_apply,
      .flags = apply_flags,
      .examples = "  flotilla bot apply -f fleet.yml --dry-run" },
    { .name = "start",
      .args = "BOT...",
      .help = "start stopped bots",
      .run = cmd_bot_start,
      .flags = wait_flags,
      .live = "bot" },
    { .name = "stop",
      .args = "BOT...",
      .help = "cancel their orders and stop",
      .run = cmd_bot_stop,
      .flags = stop_flags,
      .live = "bot" },
    { .name = "pause",
      .args = "BOT...",
      .help = "no new orders until resume",
      .run = cmd_bot_pause,
      .flags = wait_flags,
      .live = "bot" },
    { .name = "resume",
      .args = "BOT...",
      .help = "go on after pause",
      .run = cmd_bot_resume,
      .flags = wait_flags,
      .live = "bot" },
    { .name = "rm",
      .args = "BOT...",
      .help = "remove stopped bots; their fills stay",
      .run = cmd_bot_rm,
      .flags = bot_rm_flags,
      .live = "bot" },
    { .name = "logs",
      .args = "BOT",
      .help = "what it did and why",
      .run = cmd_bot_logs,
      .flags = logs_flags,
      .live = "bot" },
    { .name = "orders",
      .args = "BOT",
      .help = "its open orders, from its node",
      .run = cmd_bot_orders,
      .live = "bot" },
    { .name = "fills",
      .args = "[BOT]",
      .help = "trades in the books, newest first",
      .run = cmd_bot_fills,
      .flags = fills_flags,
      .live = "bot" },
    { .name = "parity",
      .args = "[BOT]",
      .help = "record it, replay that here, and list each order that differs",
      .run = cmd_bot_parity,
      .flags = parity_flags,
      .live = "bot",
      .details =
          "Its node makes the bot anew from its journal, as after a restart (orders stay), and\n"
          "records all that its engine is told and asks for. Played through the engine of\n"
          "this program that must give the same orders; exit status 4 if it does not. The\n"
          "node must run on this machine: its folder is below --dir. One of another machine\n"
          "keeps its recording; copy it and use --file.",
      .examples = "  flotilla bot parity btc-grid --for 30s\n"
                  "  flotilla bot parity --file node-1/rec/btc-grid-1772366400000.tape -o json" },
    END,
};

static const struct cli_flag account_flags[] = {
    { .name = "venue", .value = "NAME", .help = "for example binance" },
    { .name = "key-file",
      .value = "FILE",
      .live = "file",
      .help = "JSON with key and secret (or private_key_pem); without it: asked for" },
    { .name = "sandbox", .help = "play money: bots need no --live" },
    END,
};

static const struct cli_command account_commands[] = {
    { .name = "add",
      .args = "NAME",
      .help = "a venue account, or a new key for it",
      .run = cmd_account_add,
      .flags = account_flags,
      .details = "Keys are read from a file or a prompt, never from arguments, and leave this\n"
                 "program only sealed to the controller's key." },
    { .name = "ls", .help = "accounts", .run = cmd_account_ls },
    { .name = "rm",
      .args = "NAME",
      .help = "remove an account and wipe its keys",
      .run = cmd_account_rm,
      .flags = yes_flags,
      .live = "account" },
    END,
};

static const struct cli_command strategy_commands[] = {
    { .name = "ls", .help = "strategies", .run = cmd_strategy_ls },
    { .name = "show",
      .args = "NAME",
      .help = "a strategy's parameters",
      .run = cmd_strategy_show,
      .live = "strategy" },
    END,
};

static const struct cli_flag role_flags[] = {
    { .name = "role",
      .value = "ROLE",
      .choices = "viewer|trader|admin",
      .help = "what they may do (default viewer)" },
    END,
};

static const struct cli_command user_commands[] = {
    { .name = "add",
      .args = "NAME",
      .help = "a user; prints the password once",
      .run = cmd_user_add,
      .flags = role_flags },
    { .name = "ls", .help = "users and roles", .run = cmd_user_ls },
    { .name = "passwd",
      .args = "NAME",
      .help = "a new password, printed once",
      .run = cmd_user_passwd,
      .live = "user" },
    { .name = "rm",
      .args = "NAME",
      .help = "remove a user",
      .run = cmd_user_rm,
      .flags = yes_flags,
      .live = "user" },
    END,
};

static const struct cli_flag pnl_flags[] = {
    { .name = "by",
      .value = "WHAT",
      .choices = "bot|node|account",
      .help = "grouped by (default bot)" },
    END,
};

static const struct cli_flag halt_flags[] = {
    { .name = "scope",
      .value = "SCOPE",
      .choices = "fleet|node|account|bot",
      .help = "what TARGET is (default: bot with a target, else fleet)" },
    { .name = "how",
      .value = "HOW",
      .choices = "pause|cancel|flatten",
      .help = "no new orders; cancel orders too; close positions too (default pause)" },
    { .name = "reason", .letter = 'r', .value = "TEXT", .help = "why; stays in the audit log" },
    FLAG_YES,
    END,
};

static const struct cli_flag resume_flags[] = {
    { .name = "scope",
      .value = "SCOPE",
      .choices = "fleet|node|account|bot",
      .help = "what TARGET is" },
    { .name = "reason", .letter = 'r', .value = "TEXT", .help = "why" },
    END,
};

static const struct cli_flag doctor_flags[] = {
    { .name = "reconcile", .help = "compare the books with the simulator's ledger, fill by fill" },
    END,
};

static const struct cli_flag indicator_flags[] = {
    { .name = "data",
      .value = "FILE",
      .live = "file",
      .help = "candles: CSV ts_ms,open,high,low,close,volume, plain or gzip" },
    { .name = "opt",
      .value = "K=V",
      .repeated = true,
      .help = "an option; see: flotilla indicator NAME" },
    { .name = "markdown", .help = "the whole table, as docs/indicators.md has it" },
    END,
};

static const struct cli_flag import_flags[] = {
    { .name = "repair",
      .help = "import a corrected copy (FILE.repaired.csv), listing each change" },
    { .name = "replace", .help = "where the file differs from what is stored, the file is right" },
    { .name = "gaps",
      .value = "REASON",
      .choices = "unknown|no_trades|venue_down|not_listed",
      .help = "why candles are missing in it (default unknown)" },
    END,
};

static const struct cli_flag export_flags[] = {
    { .name = "from", .value = "TIME", .help = "rows at or after it" },
    { .name = "to", .value = "TIME", .help = "rows before it" },
    END,
};

static const struct cli_flag resample_flags[] = {
    { .name = "to", .value = "TIMEFRAME", .help = "for example 1h" },
    { .name = "partial", .help = "also candles at the ends that may not be whole" },
    END,
};

static const struct cli_flag download_flags[] = {
    { .name = "since", .value = "TIME", .help = "from when, where nothing is stored yet" },
    { .name = "until",
      .value = "TIME",
      .help = "candles before it (default: all that have closed)" },
    { .name = "url", .value = "URL", .help = "REST address (default: the venue's own)" },
    { .name = "replace", .help = "throw away what is stored" },
    { .name = "page", .value = "N", .help = "candles a request (default 1000)" },
    END,
};

static const struct cli_command data_commands[] = {
    { .name = "import",
      .args = "FILE STORE",
      .help = "take a CSV file, plain or gzip, into a store",
      .run = cmd_data_import,
      .flags = import_flags,
      .live = "file",
      .details = "STORE is VENUE/INSTRUMENT/TIMEFRAME; without the timeframe it is told by the\n"
                 "distance of the rows. The file's columns say what it holds:\n"
                 "  ts_ms,open,high,low,close,volume           candles, by opening time (UTC)\n"
                 "  ts_ms,price,qty,is_buyer_maker             trades\n"
                 "  ts_ms,update_id,bid,bid_qty,ask,ask_qty    quotes (best bid and ask)\n"
                 "A file is taken whole or not at all.",
      .examples = "  flotilla data import btcusdt-1m.csv.gz binance/BTC-USDT/1m" },
    { .name = "ls",
      .args = "[TEXT]",
      .help = "what is stored",
      .run = cmd_data_ls,
      .live = "store" },
    { .name = "show",
      .args = "STORE",
      .help = "one store: range, gaps with reasons, hash",
      .run = cmd_data_show,
      .live = "store" },
    { .name = "verify",
      .args = "[TEXT]",
      .help = "every block against its checksum",
      .run = cmd_data_verify,
      .live = "store" },
    { .name = "export",
      .args = "STORE [FILE]",
      .help = "as CSV to FILE (.gz: gzip) or standard output",
      .run = cmd_data_export,
      .flags = export_flags,
      .live = "store",
      .examples = "  flotilla data export binance/BTC-USDT/1h --from 2026-01-01 jan.csv.gz" },
    { .name = "resample",
      .args = "STORE",
      .help = "longer candles from shorter ones or from trades",
      .run = cmd_data_resample,
      .flags = resample_flags,
      .live = "store",
      .examples = "  flotilla data resample binance/BTC-USDT/1m --to 1h\n"
                  "  flotilla data resample binance/BTC-USDT/trades --to 1m" },
    { .name = "download",
      .args = "STORE",
      .help = "candles from the venue; again: goes on where it ended",
      .run = cmd_data_download,
      .flags = download_flags,
      .live = "store",
      .examples = "  flotilla data download binance/BTC-USDT/1m --since 2025-01-01" },
    END,
};

static const struct cli_flag backtest_flags[] = {
    { .name = "strategy",
      .letter = 's',
      .value = "NAME",
      .live = "strategy",
      .help = "see: flotilla strategy ls" },
    { .name = "param",
      .letter = 'P',
      .value = "K=V",
      .repeated = true,
      .help = "a parameter; over those of the manifest" },
    { .name = "file",
      .letter = 'f',
      .value = "FILE",
      .live = "file",
      .help = "a manifest: strategy, params and risk as deployed" },
    { .name = "bot", .value = "NAME", .help = "which bot of the manifest" },
    { .name = "data",
      .letter = 'd',
      .value = "FILE",
      .live = "file",
      .help = "candles, CSV or CSV.gz: ts_ms,open,high,low,close,volume" },
    { .name = "fill",
      .value = "MODEL",
      .choices = "next-open|strict-cross|path",
      .help = "when orders fill (default next-open)" },
    { .name = "fee", .value = "RATE", .help = "of each fill, in quote (default 0.001)" },
    { .name = "cash", .value = "AMOUNT", .help = "at the start (default 100000)" },
    { .name = "tick", .value = "STEP", .help = "of prices (default: the data's decimals)" },
    { .name = "lot", .value = "STEP", .help = "of quantities (default 0.000001)" },
    { .name = "seed", .value = "N", .help = "of models that draw (default 1)" },
    { .name = "out", .value = "DIR", .live = "dir", .help = "where the result goes" },
    { .name = "no-report", .help = "leave out report.html and monthly.csv" },
    { .name = "quiet", .letter = 'q', .help = "write the files, print nothing" },
    { .name = "check-lookahead",
      .help = "cut off and change the future at 24 bars; say whether a past decision changes" },
    { .name = "every-bar", .help = "skip no bar: slower, the same result" },
    END,
};

static const struct cli_command commands[] = {
    { .name = "up",
      .help = "start a fleet on this machine and watch over it",
      .run = cmd_up,
      .flags = up_flags,
      .details =
          "Starts broker, controller, two nodes and the dashboard in --dir, prints one line\n"
          "\"ready http://127.0.0.1:PORT user=admin password=...\" and runs until Ctrl-C. The\n"
          "password is printed at the first start only; it stays in DIR/secrets." },
    { .name = "down", .help = "stop what up started in --dir", .run = cmd_down },
    { .name = "status", .help = "the fleet in a few lines", .run = cmd_status },
    { .name = "doctor",
      .help = "what is wrong, and what to do about it",
      .run = cmd_doctor,
      .flags = doctor_flags },
    { .name = "node", .help = "machines that run bots", .commands = node_commands },
    { .name = "bot", .help = "bots", .commands = bot_commands },
    { .name = "account", .help = "venue accounts and their keys", .commands = account_commands },
    { .name = "strategy", .help = "what bots can do", .commands = strategy_commands },
    { .name = "indicator",
      .args = "[NAME]",
      .help = "indicators, and their values over a file of candles",
      .run = cmd_indicator,
      .flags = indicator_flags,
      .live = "indicator",
      .details =
          "Without NAME: the table. With --data it prints ts_ms and the outputs as CSV, one line "
          "a\n"
          "candle, numbers with 17 significant digits. A cell is empty where the value is not\n"
          "defined: while it warms up, or where it would divide by nothing. Rows are bars: holes "
          "in\n"
          "time are not filled. With -o json: one document with columns and rows, null for empty.",
      .examples =
          "  flotilla indicator rsi --data btc-1h.csv.gz --opt period=14 --opt seed=pandas\n"
          "  flotilla indicator bollinger          its options, outputs and formula" },
    { .name = "pnl", .help = "profit and loss", .run = cmd_pnl, .flags = pnl_flags },
    { .name = "halt",
      .args = "[TARGET]",
      .help = "stop trading: the fleet, a node, an account or a bot",
      .run = cmd_halt,
      .flags = halt_flags,
      .examples = "  flotilla halt --reason \"venue maintenance\"\n"
                  "  flotilla halt demo --scope account --how cancel --reason drill" },
    { .name = "halts", .help = "halts in force", .run = cmd_halt_ls },
    { .name = "resume",
      .args = "[TARGET]",
      .help = "end a halt",
      .run = cmd_resume,
      .flags = resume_flags },
    { .name = "user", .help = "people and what they may do", .commands = user_commands },
    { .name = "audit",
      .help = "the last commands, who gave them and how they ended",
      .run = cmd_audit },
    { .name = "broker",
      .help = "the MQTT broker: configuration, first logins, run it alone",
      .commands = broker_commands },
    { .name = "data",
      .help = "market data on this machine: import, download, check, export",
      .commands = data_commands },
    { .name = "backtest",
      .help = "a strategy over recorded candles, by the code that trades live",
      .args = "[report] [DIR]",
      .run = cmd_backtest,
      .flags = backtest_flags,
      .details =
          "Writes fills.csv, trades.csv, equity.csv, summary.json, monthly.csv and report.html\n"
          "into --out; `flotilla backtest report DIR` makes the page again from such a folder.\n"
          "Rules and limits: docs/backtest.md.",
      .examples = "  flotilla backtest --strategy sma_cross --param fast=10 --param slow=30 \\\n"
                  "      --param stake_pct=95 --data btcusdt_1h.csv --fee 0.001 --out result" },
    { .name = "exchange",
      .args = "WHAT",
      .help = "a venue's wire protocol offline: requests, replies, streams",
      .run = cmd_exchange,
      .raw = true,
      .examples = "  flotilla exchange --help" },
    { .name = "completion",
      .args = "SHELL",
      .help = "completion script for bash, zsh or fish",
      .run = cmd_completion,
      .examples = "  source <(flotilla completion bash)\n  flotilla completion fish | source" },
    { .name = "help", .args = "[COMMAND...]", .help = "help on a command", .run = cmd_help },
    { .name = "version", .help = "the program's version", .run = cmd_version },
    { .name = "__complete",
      .help = "candidates for the shells",
      .run = cmd_complete,
      .raw = true,
      .hidden = true },
    END,
};

const struct cli_command cli_root = {
    .name = "flotilla",
    .help = "flotilla runs a fleet of trading bots over MQTT",
    .commands = commands,
    .examples = "  flotilla up --demo              a fleet that trades recorded data, in seconds\n"
                "  flotilla bot ls                 what runs where, and what it earned\n"
                "  flotilla halt --reason drill    everything stops trading",
};
