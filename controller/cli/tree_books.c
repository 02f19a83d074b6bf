/* Rows about money and what happened: orders, fills, portfolio, market, alerts, tokens, halts. */
#include "controller/cli/ask.h"
#include "controller/cli/commands.h"
#include "controller/cli/tree.h"

const struct cli_flag cli_pnl_flags[] = {
    { .name = "by",
      .value = "WHAT",
      .choices = "bot|node|account|day",
      .help = "grouped by (default bot)" },
    { .name = "bot", .value = "BOT", .live = "bot", .help = "by day: of this bot only" },
    { .name = "account",
      .value = "NAME",
      .live = "account",
      .help = "by day: of this account only" },
    { .name = "from", .value = "TIME", .help = "by day: 2026-03-01, or so long ago: 7d" },
    { .name = "to", .value = "TIME", .help = "by day: until then" },
    CLI_END,
};

const struct cli_flag cli_halt_flags[] = {
    { .name = "scope",
      .value = "SCOPE",
      .choices = "fleet|node|account|bot",
      .help = "what TARGET is (default: bot with a target, else fleet)" },
    { .name = "how",
      .value = "HOW",
      .choices = "pause|cancel|flatten",
      .help = "no new orders; cancel orders too; close positions too (default pause)" },
    { .name = "reason", .letter = 'r', .value = "TEXT", .help = "why; stays in the audit log" },
    CLI_FLAG_DRY_RUN,
    CLI_FLAG_YES,
    CLI_END,
};

const struct cli_flag cli_resume_flags[] = {
    { .name = "scope",
      .value = "SCOPE",
      .choices = "fleet|node|account|bot",
      .help = "what TARGET is" },
    { .name = "reason", .letter = 'r', .value = "TEXT", .help = "why" },
    CLI_END,
};

const struct cli_flag cli_orders_flags[] = {
    { .name = "account", .value = "NAME", .live = "account", .help = "of this account only" },
    { .name = "open", .help = "only those that rest at the venue" },
    { .name = "ended", .help = "only those that are over" },
    CLI_FLAG_LIMIT,
    CLI_END,
};

const struct cli_flag cli_fills_flags[] = {
    { .name = "since", .value = "TIME", .help = "2026-03-01, or so long ago: 2h, 7d" },
    CLI_FLAG_LIMIT,
    CLI_END,
};

const struct cli_flag cli_portfolio_flags[] = {
    { .name = "by",
      .value = "WHAT",
      .choices = "account|asset",
      .help = "a row each (default account)" },
    CLI_END,
};

static const struct cli_flag market_flags[] = {
    { .name = "venue", .value = "NAME", .live = "venue", .help = "of this venue only" },
    CLI_END,
};

static const struct cli_flag instrument_flags[] = {
    { .name = "venue", .value = "NAME", .live = "venue", .help = "default binance" },
    CLI_FLAG_LIMIT,
    CLI_END,
};

static const struct cli_flag candle_flags[] = {
    { .name = "venue", .value = "NAME", .live = "venue", .help = "default binance" },
    { .name = "timeframe", .value = "T", .help = "1m, 5m, 1h ... (default 1m)" },
    { .name = "since", .value = "TIME", .help = "2026-03-01, or so long ago: 2h, 7d" },
    CLI_FLAG_LIMIT,
    CLI_END,
};

const struct cli_command cli_market_commands[] = {
    { .name = "ls",
      .help = "instruments that bots trade: bid, ask, last, spread, age of the feed",
      .run = cmd_ask,
      .flags = market_flags,
      .data = &ask_market_ls },
    { .name = "instruments",
      .args = "[TEXT]",
      .help = "what a venue lists: steps, least amounts, fees",
      .run = cmd_ask,
      .flags = instrument_flags,
      .data = &ask_instrument_ls,
      .examples = "  flotilla market instruments BTC -o csv" },
    { .name = "candles",
      .args = "INSTRUMENT",
      .help = "the newest candles of a venue",
      .run = cmd_ask,
      .flags = candle_flags,
      .data = &ask_candles,
      .examples = "  flotilla market candles BTC-USDT --timeframe 1h -n 24" },
    CLI_END,
};

static const struct cli_flag alert_ls_flags[] = {
    { .name = "active", .help = "only those in force" },
    CLI_FLAG_LIMIT,
    CLI_END,
};

static const struct cli_flag alert_ack_flags[] = {
    { .name = "note", .value = "TEXT", .help = "what is done about it" },
    CLI_END,
};

const struct cli_command cli_alert_commands[] = {
    { .name = "ls",
      .help = "alerts, newest first",
      .run = cmd_ask,
      .flags = alert_ls_flags,
      .data = &ask_alert_ls },
    { .name = "ack",
      .args = "ALERT",
      .help = "say that it was seen",
      .run = cmd_ask,
      .flags = alert_ack_flags,
      .live = "alert",
      .data = &ask_alert_ack,
      .examples = "  flotilla alert ack node-node-1 --note \"being moved\"" },
    CLI_END,
};

static const struct cli_flag yes_flags[] = { CLI_FLAG_YES, CLI_END };

static const struct cli_flag notify_flags[] = {
    { .name = "severity",
      .value = "LEVEL",
      .choices = "info|warning|critical",
      .help = "those at least as bad (default warning)" },
    CLI_END,
};

const struct cli_command cli_notify_commands[] = {
    { .name = "ls",
      .help = "where alerts go, and whether that worked",
      .run = cmd_ask,
      .data = &ask_notify_ls },
    { .name = "add",
      .args = "NAME URL",
      .help = "post alerts as JSON to URL when they begin and end",
      .run = cmd_ask,
      .flags = notify_flags,
      .data = &ask_notify_add,
      .examples =
          "  flotilla notify add pager https://hooks.example.com/flotilla --severity critical" },
    { .name = "test",
      .args = "NAME",
      .help = "post a test alert now",
      .run = cmd_ask,
      .live = "notify",
      .data = &ask_notify_test },
    { .name = "rm",
      .args = "NAME",
      .help = "no longer post there",
      .run = cmd_ask,
      .flags = yes_flags,
      .live = "notify",
      .data = &ask_notify_rm },
    CLI_END,
};

static const struct cli_flag token_flags[] = {
    { .name = "role",
      .value = "ROLE",
      .choices = "viewer|trader|admin",
      .help = "what it may do, at most what you may (default viewer)" },
    { .name = "ttl", .value = "TIME", .help = "how long it lives, for example 30d" },
    CLI_END,
};

const struct cli_command cli_token_commands[] = {
    { .name = "add",
      .args = "NAME",
      .help = "a token for a program, shown once",
      .run = cmd_ask,
      .flags = token_flags,
      .data = &ask_token_add,
      .examples = "  flotilla token add ci --role viewer --ttl 30d" },
    { .name = "ls", .help = "tokens", .run = cmd_ask, .data = &ask_token_ls },
    { .name = "rm",
      .args = "NAME",
      .help = "end a token at once",
      .run = cmd_ask,
      .flags = yes_flags,
      .live = "token",
      .data = &ask_token_rm },
    CLI_END,
};

const struct cli_flag cli_audit_flags[] = {
    { .name = "who", .value = "USER", .live = "user", .help = "by this user only" },
    { .name = "verb", .value = "VERB", .help = "for example bot-stop" },
    { .name = "target", .value = "NAME", .help = "on this bot, node, account or user" },
    { .name = "since", .value = "TIME", .help = "2026-03-01, or so long ago: 2h, 7d" },
    { .name = "failed", .help = "only what was refused" },
    CLI_FLAG_LIMIT,
    CLI_END,
};

const struct cli_flag cli_log_flags[] = {
    { .name = "node", .value = "NODE", .live = "node", .help = "of this node only" },
    { .name = "bot", .value = "BOT", .live = "bot", .help = "of this bot only" },
    { .name = "level",
      .value = "LEVEL",
      .choices = "debug|info|warn|error",
      .help = "at least this bad" },
    { .name = "grep", .value = "TEXT", .help = "lines with this text" },
    { .name = "follow", .letter = 'f', .help = "go on until Ctrl-C" },
    CLI_FLAG_LIMIT,
    CLI_END,
};
