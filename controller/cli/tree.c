/* The root of the command table and what concerns the whole fleet; the groups are in tree_*.c.
 * Parsing, --help, completion and the tests read it; what a row does is in cmd_*.c and up.c. */
#define FLT_MOD "cli"
#include <errno.h>
#include <string.h>
#include "controller/cli/ask.h"
#include "controller/cli/cli.h"
#include "controller/cli/commands.h"
#include "controller/cli/filter.h"
#include "controller/cli/session.h"
#include "controller/cli/settings.h"
#include "controller/cli/topics.h"
#include "controller/cli/tree.h"
#include "exchanges/codec.h"
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

int cmd_signal(struct cli *cli)
{
    return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "command",
                    "their strategies' own rules decide: flotilla strategy ls",
                    "signals are not built: bots take none from outside yet");
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

/* The root's page and one of each group, as DIR/flotilla.1 and DIR/flotilla-<group>.1. */
static int write_manuals(struct cli *cli, const char *dir)
{
    char path[CLI_DIR_MAX];
    const struct cli_command root = { .name = "", .commands = cli_root.commands };

    for (const struct cli_command *row = &root; row->name;
         row = row == &root ? cli_root.commands : row + 1) {
        if (row->hidden || !row->commands)
            continue;
        snprintf(path, sizeof path, "%s/flotilla%s%s.1", dir, *row->name ? "-" : "", row->name);
        FILE *file = fopen(path, "we");

        if (!file)
            return CLI_FAIL(cli, flt_error_from_errno(-errno), "man-dir", "", "cannot write %s: %s",
                            path, strerror(errno));
        cli_man(file, &cli_root, row->name);
        if (fclose(file) != 0)
            return CLI_FAIL(cli, FLT_INTERNAL, "man-dir", "", "cannot write %s: %s", path,
                            strerror(errno));
    }
    return 0;
}

int cmd_help(struct cli *cli)
{
    char path[CLI_PATH_MAX];
    const struct cli_topic *topic =
        cli->parse.arg_count == 1 ? cli_topic_find(cli->parse.args[0]) : NULL;

    if (cli_has(cli, "man-dir"))
        return write_manuals(cli, cli_flag(cli, "man-dir"));
    if (cli_has(cli, "man")) {
        cli_man(stdout, &cli_root, cli->parse.arg_count ? cli->parse.args[0] : "");
        return 0;
    }
    if (cli_has(cli, "markdown")) {
        cli_markdown(stdout, &cli_root);
        return 0;
    }
    if (topic) {
        cli_topic_print(stdout, topic);
        return 0;
    }
    const struct cli_command *command =
        cli_find(&cli_root, cli->parse.arg_count, cli->parse.args, path, &cli->error);

    if (!command)
        return -EINVAL;
    cli_help(stdout, command, path);
    if (command == &cli_root)
        puts("\nmore: flotilla help topics");
    return 0;
}

static void complete_venues(FILE *file, const char *prefix)
{
    size_t count = 0;
    const struct codec *const *list = codec_list(&count);

    for (size_t i = 0; i < count; i++)
        if (strncmp(list[i]->name, prefix, strlen(prefix)) == 0)
            fprintf(file, "%s\t\n", list[i]->name);
}

/* Names that the running fleet knows; silent and quick when it does not answer. */
static void complete_live(void *ctx, FILE *file, const char *kind, const char *prefix)
{
    static const struct {
        const char *kind, *verb, *key;
    } lists[] = { { "bot", "bot-ls", "bot" },          { "node", "node-ls", "node" },
                  { "account", "account-ls", "name" }, { "strategy", "strategy-ls", "strategy" },
                  { "user", "user-ls", "name" },       { "alert", "alert-ls", "alert" },
                  { "notify", "notify-ls", "name" },   { "token", "token-ls", "name" } };
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
    const struct cli_topic *topic;

    for (size_t i = 0; strcmp(kind, "topic") == 0 && (topic = cli_topic_at(i)); i++)
        if (strncmp(topic->name, prefix, strlen(prefix)) == 0)
            fprintf(file, "%s\t%s\n", topic->name, topic->title);
    for (const char *const *key = setting_keys(); strcmp(kind, "setting") == 0 && *key; key++)
        if (strncmp(*key, prefix, strlen(prefix)) == 0)
            fprintf(file, "%s\t\n", *key);
    if (strcmp(kind, "context") == 0)
        contexts_complete(file, prefix);
    if (strcmp(kind, "venue") == 0)
        complete_venues(file, prefix);
    for (size_t i = 0; strcmp(kind, "filter") == 0 && filter_key(i); i++)
        if (strncmp(filter_key(i), prefix, strlen(prefix)) == 0)
            fprintf(file, "%s=\t\n", filter_key(i));
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

static const struct cli_flag up_flags[] = {
    { .name = "demo", .help = "24 bots on an exchange simulator with recorded market data" },
    { .name = "port",
      .letter = 'p',
      .value = "PORT",
      .help = "of the dashboard on 127.0.0.1 (default 8088, else the last one)" },
    { .name = "time-scale",
      .value = "X",
      .help = "of heartbeats and leases, for tests: 0.1 is ten times as fast (kept)" },
    { .name = "detach", .letter = 'd', .help = "return once it is ready" },
    CLI_END,
};

static const struct cli_flag top_flags[] = {
    CLI_FLAG_SELECTOR,
    { .name = "node", .value = "NODE", .live = "node", .help = "bots of this node only" },
    { .name = "write", .help = "keys may pause, resume, stop and halt, after a question" },
    CLI_END,
};

static const struct cli_flag diff_flags[] = {
    { .name = "file",
      .letter = 'f',
      .value = "FILE",
      .live = "file",
      .help = "a manifest, YAML or JSON; - is standard input" },
    { .name = "prune", .help = "also what --prune would remove" },
    { .name = "live", .help = "yes, with real money" },
    CLI_END,
};

static const struct cli_flag export_flags[] = { CLI_FLAG_SELECTOR, CLI_FLAG_ALL, CLI_END };
static const struct cli_flag watch_flags[] = { CLI_FLAG_SELECTOR, CLI_END };

static const struct cli_flag rebalance_flags[] = {
    CLI_FLAG_DRY_RUN,
    { .name = "limit", .letter = 'n', .value = "N", .help = "at most N moves" },
    CLI_FLAG_YES,
    CLI_END,
};

static const struct cli_flag help_flags[] = {
    { .name = "man", .help = "as a manual page: of the program, or of a group" },
    { .name = "man-dir", .value = "DIR", .live = "dir", .help = "write all manual pages there" },
    { .name = "markdown", .help = "every command, as docs/cli-reference.md has it" },
    CLI_END,
};

static const struct cli_flag doctor_flags[] = {
    { .name = "reconcile", .help = "compare the books with the simulator's ledger, fill by fill" },
    CLI_END,
};

static const struct cli_flag chaos_flags[] = {
    { .name = "seed", .value = "N", .help = "the plan's (default from the clock; it is printed)" },
    { .name = "for", .value = "TIME", .help = "of trouble (default 60s)" },
    CLI_FLAG_DRY_RUN,
    CLI_FLAG_YES,
    CLI_END,
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
    CLI_END,
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
      .value = "[I=]FILE",
      .live = "file",
      .repeated = true,
      .help =
          "candles, CSV or CSV.gz: ts_ms,open,high,low,close,volume; or a store's name; or trades "
          "or quotes. Given again, with INSTRUMENT=FILE: several instruments on one clock" },
    { .name = "trades",
      .value = "[I=]FILE",
      .live = "file",
      .repeated = true,
      .help = "recorded trades beside the candles, a file or store, for --fill trades and book" },
    { .name = "quotes",
      .value = "[I=]FILE",
      .live = "file",
      .repeated = true,
      .help = "recorded best bids and asks, a file or store, for --fill book and queues" },
    { .name = "timeframe",
      .value = "T",
      .help = "the strategy's bars, made of shorter ones, of trades or of quotes: 1h" },
    { .name = "fill",
      .value = "MODEL",
      .choices = "next-open|strict-cross|path|trades|book",
      .help = "when orders fill (default next-open)" },
    { .name = "fee", .value = "RATE", .help = "of each fill, in quote (default 0.001)" },
    { .name = "maker-fee",
      .value = "RATE",
      .help = "of fills of orders that rested (default --fee)" },
    { .name = "taker-fee", .value = "RATE", .help = "of fills that took (default --fee)" },
    { .name = "slippage", .value = "N", .help = "5bps or 2ticks, against us, on what takes" },
    { .name = "latency", .value = "MS", .help = "orders and cancels take effect so much later" },
    { .name = "volume-share",
      .value = "PCT",
      .help = "of a bar's or trade's volume at most; orders fill in parts" },
    { .name = "queue",
      .value = "QTY",
      .help =
          "stands ahead of a resting order at its price where no quote says it (--fill trades)" },
    { .name = "split-cash",
      .help = "several instruments: an equal share for each, not one account" },
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
    CLI_END,
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
    { .name = "top",
      .help = "the fleet live on the whole terminal",
      .run = cmd_top,
      .flags = top_flags,
      .details =
          "Read-only unless --write. Keys: arrows and enter, / filter, s sort, n nodes, space\n"
          "pauses the display, q goes back; ? lists all. Data is drawn at most 4 times a\n"
          "second, and only what changed.",
      .examples = "  flotilla top -l state=error\n  flotilla top --write" },
    { .name = "doctor",
      .help = "what is wrong, and what to do about it",
      .run = cmd_doctor,
      .flags = doctor_flags },
    { .name = "chaos",
      .help = "kill and freeze processes of a demo, then compare its books with the venue's",
      .run = cmd_chaos,
      .flags = chaos_flags,
      .details =
          "For a demo of this machine alone (flotilla up --demo). Shows what will happen, asks,\n"
          "kills -9 and freezes nodes, controller, broker, simulator and dashboard at random,\n"
          "waits until every bot runs again and compares the books with the simulator's ledger,\n"
          "fill by fill. The same --seed gives the same plan.",
      .examples = "  flotilla chaos --dry-run\n  flotilla chaos --seed 42 --for 2m" },
    { .name = "node", .help = "machines that run bots", .commands = cli_node_commands },
    { .name = "rebalance",
      .help = "spread bots evenly over the nodes that are up",
      .run = cmd_ask,
      .flags = rebalance_flags,
      .data = &ask_rebalance },
    { .name = "bot", .help = "bots", .commands = cli_bot_commands },
    { .name = "apply",
      .help = "make the fleet as a manifest says: all of it, or nothing",
      .run = cmd_apply,
      .flags = cli_apply_flags,
      .details =
          "Shows what differs and asks, on a terminal. Bots that the manifest does not have are\n"
          "left alone without --prune.",
      .examples = "  flotilla export > fleet.yml\n"
                  "  flotilla diff -f fleet.yml\n"
                  "  flotilla apply -f fleet.yml --wait" },
    { .name = "diff",
      .help = "what apply would change; exit status 4 when something differs",
      .run = cmd_diff,
      .flags = diff_flags },
    { .name = "export",
      .args = "[BOT...]",
      .help = "bots as a manifest that apply reads",
      .run = cmd_export,
      .flags = export_flags,
      .live = "bot",
      .examples = "  flotilla export -l strategy=grid > grids.yml" },
    { .name = "watch",
      .args = "[BOT...]",
      .help = "what changes, a line each, until Ctrl-C",
      .run = cmd_watch,
      .flags = watch_flags,
      .live = "bot",
      .details =
          "Bots that change their phase, nodes that come and go, alerts, halts. With -o jsonl a\n"
          "document a line. -l knows bot, node and state here.",
      .examples = "  flotilla watch -l state=error -o jsonl" },
    { .name = "account",
      .help = "venue accounts and their keys",
      .commands = cli_account_commands },
    { .name = "backup",
      .help = "sealed backups of the controller, and going back to one",
      .commands = cli_backup_commands },
    { .name = "strategy", .help = "what bots can do", .commands = cli_strategy_commands },
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
    { .name = "orders",
      .args = "[BOT]",
      .help = "orders of all bots: open ones from their nodes, ended ones from the books",
      .run = cmd_ask,
      .flags = cli_orders_flags,
      .live = "bot",
      .data = &ask_order_ls },
    { .name = "fills",
      .args = "[BOT]",
      .help = "trades in the books, newest first",
      .run = cmd_bot_fills,
      .flags = cli_fills_flags,
      .live = "bot",
      .examples = "  flotilla fills btc-grid --since 1d -o csv > fills.csv" },
    { .name = "portfolio",
      .help = "what accounts hold and earned",
      .run = cmd_portfolio,
      .flags = cli_portfolio_flags },
    { .name = "market", .help = "prices as the bots see them", .commands = cli_market_commands },
    { .name = "pnl", .help = "profit and loss", .run = cmd_pnl, .flags = cli_pnl_flags },
    { .name = "halt",
      .args = "[TARGET]",
      .help = "stop trading: the fleet, a node, an account or a bot",
      .run = cmd_halt,
      .flags = cli_halt_flags,
      .examples = "  flotilla halt --reason \"venue maintenance\"\n"
                  "  flotilla halt node-1 --scope node --how flatten --dry-run\n"
                  "  flotilla halt demo --scope account --how cancel --reason drill" },
    { .name = "halts",
      .args = "[NUMBER]",
      .help = "halts in force, or one halt's progress bot by bot",
      .run = cmd_halt_ls,
      .verb = "halt-ls" },
    { .name = "resume",
      .args = "[TARGET]",
      .help = "end a halt",
      .run = cmd_resume,
      .flags = cli_resume_flags },
    { .name = "user", .help = "people and what they may do", .commands = cli_user_commands },
    { .name = "alert", .help = "what people must know", .commands = cli_alert_commands },
    { .name = "notify", .help = "where alerts are posted to", .commands = cli_notify_commands },
    { .name = "token", .help = "for programs that ask over HTTP", .commands = cli_token_commands },
    { .name = "audit",
      .help = "commands, who gave them and how they ended",
      .run = cmd_ask,
      .flags = cli_audit_flags,
      .data = &ask_audit_ls,
      .examples = "  flotilla audit --who admin --since 2h --failed" },
    { .name = "log",
      .help = "the last lines of the fleet, a node or a bot; -f goes on",
      .run = cmd_log,
      .verb = "log-ls",
      .flags = cli_log_flags,
      .examples = "  flotilla log --node node-1 --level warn -f" },
    { .name = "command",
      .args = "ID",
      .help = "what became of a command to a node",
      .run = cmd_ask,
      .data = &ask_command_show },
    { .name = "whoami",
      .help = "who you are to the fleet, and what you may do",
      .run = cmd_ask,
      .data = &ask_whoami },
    { .name = "signal",
      .args = "[WORD...]",
      .help = "not built: bots take no signals from outside",
      .run = cmd_signal,
      .hidden = true },
    { .name = "health", .help = "figures of every daemon", .run = cmd_ask, .data = &ask_health },
    { .name = "broker",
      .help = "the MQTT broker: configuration, first logins, run it alone",
      .commands = cli_broker_commands },
    { .name = "data",
      .help = "market data on this machine: import, download, check, export",
      .commands = cli_data_commands },
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
    { .name = "context",
      .help = "the fleets that you know, by name",
      .commands = cli_context_commands },
    { .name = "config",
      .help = "settings and where they come from",
      .commands = cli_config_commands },
    { .name = "completion",
      .args = "SHELL",
      .help = "completion script for bash, zsh or fish",
      .run = cmd_completion,
      .bare = true,
      .examples = "  source <(flotilla completion bash)\n  flotilla completion fish | source" },
    { .name = "help",
      .args = "[COMMAND|TOPIC...]",
      .help = "help on a command or a topic (exit-codes, filter, output ...)",
      .run = cmd_help,
      .bare = true,
      .flags = help_flags,
      .live = "topic",
      .examples = "  flotilla help topics\n  flotilla help bot stop" },
    { .name = "version", .help = "the program's version", .run = cmd_version, .bare = true },
    { .name = "__complete",
      .help = "candidates for the shells",
      .run = cmd_complete,
      .raw = true,
      .hidden = true },
    CLI_END,
};

const struct cli_command cli_root = {
    .name = "flotilla",
    .help = "flotilla runs a fleet of trading bots over MQTT",
    .commands = commands,
    .examples = "  flotilla up --demo              a fleet that trades recorded data, in seconds\n"
                "  flotilla bot ls                 what runs where, and what it earned\n"
                "  flotilla halt --reason drill    everything stops trading",
};
