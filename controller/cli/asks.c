/* What each command that is one question asks, and how its answer looks. */
#include "controller/cli/ask.h"

#define COLUMNS_END                                                                                \
    {                                                                                              \
        NULL, NULL, COLUMN_TEXT                                                                    \
    }

static const struct column order_columns[] = {
    { "BOT", "bot", COLUMN_TEXT },
    { "INSTRUMENT", "instrument", COLUMN_TEXT },
    { "SIDE", "side", COLUMN_TEXT },
    { "TYPE", "type", COLUMN_TEXT },
    { "PRICE", "price", COLUMN_NUMBER },
    { "QTY", "qty", COLUMN_NUMBER },
    { "FILLED", "filled_qty", COLUMN_NUMBER },
    { "STATUS", "status", COLUMN_STATE },
    { "LABEL", "label", COLUMN_TEXT },
    { "AGE", "ts_ms", COLUMN_AGE },
    { "NODE", "node", COLUMN_TEXT | COLUMN_WIDE },
    { "ACCOUNT", "account", COLUMN_TEXT | COLUMN_WIDE },
    { "VENUE", "venue", COLUMN_TEXT | COLUMN_WIDE },
    { "MODE", "mode", COLUMN_TEXT | COLUMN_WIDE },
    { "ORDER", "order_id", COLUMN_TEXT | COLUMN_WIDE },
    { "CLIENT ORDER", "client_order_id", COLUMN_TEXT | COLUMN_WIDE },
    { "TIME", "ts_ms", COLUMN_TIME | COLUMN_WIDE },
    COLUMNS_END,
};
const struct ask ask_order_ls = {
    .verb = "order-ls",
    .items = "items",
    .columns = order_columns,
    .limit = 200,
    .args = { { "#0", "bot", ASK_TEXT, NULL },
              { "account", "account", ASK_TEXT, NULL },
              { "open", "open", ASK_TRUE, NULL },
              { "ended", "open", ASK_FALSE, NULL } },
};

static const struct column holding_columns[] = {
    { "ACCOUNT", "account", COLUMN_TEXT },
    { "ASSET", "asset", COLUMN_TEXT },
    { "QTY", "qty", COLUMN_NUMBER },
    { "PRICE", "price", COLUMN_NUMBER },
    { "VALUE", "value", COLUMN_NUMBER },
    { "IN", "quote", COLUMN_TEXT },
    { "REALISED", "realised", COLUMN_SIGNED },
    { "UNREALISED", "unrealised", COLUMN_SIGNED },
    { "BOTS", "bots", COLUMN_NUMBER },
    { "MODE", "mode", COLUMN_TEXT },
    { "VENUE", "venue", COLUMN_TEXT | COLUMN_WIDE },
    COLUMNS_END,
};
const struct ask ask_portfolio = { .verb = "portfolio",
                                   .items = "items",
                                   .columns = holding_columns };

static const struct column day_columns[] = {
    { "DAY", "day", COLUMN_TEXT },
    { "QUOTE", "quote", COLUMN_TEXT },
    { "NET", "net", COLUMN_SIGNED },
    { "REALISED", "realised", COLUMN_SIGNED },
    { "UNREALISED", "unrealised", COLUMN_SIGNED },
    { "FEES", "fees", COLUMN_TEXT },
    { "VOLUME", "volume", COLUMN_NUMBER },
    { "FILLS", "fills", COLUMN_NUMBER },
    { "TOTAL", "total", COLUMN_SIGNED },
    COLUMNS_END,
};
const struct ask ask_pnl_days = {
    .verb = "pnl-days",
    .items = "items",
    .columns = day_columns,
    .args = { { "bot", "bot", ASK_TEXT, NULL },
              { "account", "account", ASK_TEXT, NULL },
              { "from", "from_ms", ASK_AGO, NULL },
              { "to", "to_ms", ASK_AGO, NULL } },
};

static const struct column alert_columns[] = {
    { "ALERT", "alert", COLUMN_TEXT },
    { "SEVERITY", "severity", COLUMN_STATE },
    { "MESSAGE", "message", COLUMN_TEXT },
    { "TARGET", "target", COLUMN_TEXT },
    { "SINCE", "since_ms", COLUMN_AGE },
    { "TIMES", "count", COLUMN_NUMBER },
    { "CLEARED", "cleared_ms", COLUMN_AGE },
    { "SEEN BY", "acked_by", COLUMN_TEXT },
    { "NOTE", "note", COLUMN_TEXT | COLUMN_WIDE },
    { "CODE", "code", COLUMN_TEXT | COLUMN_WIDE },
    { "ID", "id", COLUMN_NUMBER | COLUMN_WIDE },
    COLUMNS_END,
};
const struct ask ask_alert_ls = {
    .verb = "alert-ls",
    .items = "items",
    .columns = alert_columns,
    .limit = 100,
    .args = { { "active", "active", ASK_TRUE, NULL } },
};
const struct ask ask_alert_ack = {
    .verb = "alert-ack",
    .items = "alert",
    .args = { { "#0", "alert", ASK_TEXT, NULL }, { "note", "note", ASK_TEXT, NULL } },
};

static const struct column notify_columns[] = {
    { "NAME", "name", COLUMN_TEXT },
    { "SEVERITY", "severity", COLUMN_TEXT },
    { "URL", "url", COLUMN_TEXT },
    { "SENT", "sent", COLUMN_NUMBER },
    { "FAILED", "failed", COLUMN_NUMBER },
    { "LAST", "last_ms", COLUMN_AGE },
    { "ERROR", "error", COLUMN_TEXT | COLUMN_WIDE },
    COLUMNS_END,
};
const struct ask ask_notify_ls = { .verb = "notify-ls",
                                   .items = "items",
                                   .columns = notify_columns };
const struct ask ask_notify_add = {
    .verb = "notify-add",
    .items = "row",
    .args = { { "#0", "name", ASK_TEXT, NULL },
              { "#1", "url", ASK_TEXT, NULL },
              { "severity", "severity", ASK_TEXT, NULL } },
};
const struct ask ask_notify_rm = {
    .verb = "notify-rm",
    .question = "Post no more alerts there?",
    .args = { { "#0", "name", ASK_TEXT, NULL } },
};
const struct ask ask_notify_test = { .verb = "notify-test",
                                     .args = { { "#0", "name", ASK_TEXT, NULL } } };

static const struct column market_columns[] = {
    { "INSTRUMENT", "instrument", COLUMN_TEXT },
    { "VENUE", "venue", COLUMN_TEXT },
    { "BID", "bid", COLUMN_NUMBER },
    { "ASK", "ask", COLUMN_NUMBER },
    { "LAST", "last", COLUMN_NUMBER },
    { "SPREAD bps", "spread_bps", COLUMN_NUMBER },
    { "FEED AGE ms", "age_ms", COLUMN_NUMBER },
    { "BOTS", "bots", COLUMN_NUMBER },
    { "STATUS", "status", COLUMN_TEXT },
    { "NODE", "node", COLUMN_TEXT | COLUMN_WIDE },
    { "TICK", "tick", COLUMN_NUMBER | COLUMN_WIDE },
    { "USED BY", "names", COLUMN_TEXT | COLUMN_WIDE },
    COLUMNS_END,
};
const struct ask ask_market_ls = {
    .verb = "market-ls",
    .items = "items",
    .columns = market_columns,
    .args = { { "venue", "venue", ASK_TEXT, NULL } },
};

static const struct column history_columns[] = {
    { "GENERATION", "generation", COLUMN_NUMBER },
    { "TIME", "ts_ms", COLUMN_TIME },
    { "BY", "by", COLUMN_TEXT },
    { "FROM", "origin", COLUMN_TEXT },
    { "WHAT", "what", COLUMN_TEXT },
    { "RUN", "run", COLUMN_TEXT },
    { "NODE", "node", COLUMN_TEXT },
    { "CHANGES", "changes", COLUMN_TEXT },
    { "EPOCH", "epoch", COLUMN_NUMBER | COLUMN_WIDE },
    COLUMNS_END,
};
const struct ask ask_bot_history = {
    .verb = "bot-history",
    .items = "items",
    .columns = history_columns,
    .limit = 50,
    .args = { { "#0", "bot", ASK_TEXT, NULL } },
};

const struct ask ask_bot_reconcile = {
    .verb = "bot-reconcile",
    .args = { { "#0", "bot", ASK_TEXT, NULL },
              { "accept-venue", "accept_venue", ASK_TRUE, NULL },
              { "reason", "reason", ASK_TEXT, NULL } },
};

static const struct column check_columns[] = {
    { "ACCOUNT", "account", COLUMN_TEXT },
    { "VENUE", "venue", COLUMN_TEXT },
    { "NODE", "node", COLUMN_TEXT },
    { "STATE", "state", COLUMN_STATE },
    { "CHECKED", "checked_ms", COLUMN_AGE },
    { "CHECKS", "checks", COLUMN_NUMBER },
    { "FOREIGN FILLS", "foreign_fills", COLUMN_NUMBER },
    COLUMNS_END,
};
const struct ask ask_account_check = {
    .verb = "account-check",
    .items = "items",
    .columns = check_columns,
    .args = { { "#0", "account", ASK_TEXT, NULL } },
};

const struct ask ask_command_show = { .verb = "command-show",
                                      .args = { { "#0", "id", ASK_TEXT, NULL } } };
const struct ask ask_halt_show = { .verb = "halt-show",
                                   .args = { { "#0", "number", ASK_INT, NULL } } };
const struct ask ask_health = { .verb = "health" };

static const struct column audit_columns[] = {
    { "N", "n", COLUMN_NUMBER },
    { "TIME", "ts_ms", COLUMN_TIME },
    { "USER", "user", COLUMN_TEXT },
    { "VERB", "verb", COLUMN_TEXT },
    { "TARGET", "target", COLUMN_TEXT },
    { "OK", "ok", COLUMN_TEXT },
    { "ERROR", "code|error.code", COLUMN_TEXT },
    { "CHANGES", "changes", COLUMN_TEXT },
    { "FROM", "origin", COLUMN_TEXT | COLUMN_WIDE },
    { "MESSAGE", "message", COLUMN_TEXT | COLUMN_WIDE },
    { "ARGS", "args", COLUMN_TEXT | COLUMN_WIDE },
    { "REQUEST", "id", COLUMN_TEXT | COLUMN_WIDE },
    COLUMNS_END,
};
const struct ask ask_audit_ls = {
    .verb = "audit-ls",
    .items = "items",
    .columns = audit_columns,
    .limit = 100,
    .args = { { "who", "who", ASK_TEXT, NULL },
              { "verb", "verb", ASK_TEXT, NULL },
              { "target", "target", ASK_TEXT, NULL },
              { "failed", "ok", ASK_FALSE, NULL },
              { "since", "since_ms", ASK_AGO, NULL } },
};

static const struct column token_columns[] = {
    { "NAME", "name", COLUMN_TEXT },
    { "ROLE", "role", COLUMN_TEXT },
    { "MADE BY", "made_by", COLUMN_TEXT },
    { "SINCE", "created_ms", COLUMN_TIME },
    { "EXPIRES", "expires_ms", COLUMN_TIME },
    { "LAST USED", "used_ms", COLUMN_AGE },
    { "USER", "user", COLUMN_TEXT | COLUMN_WIDE },
    COLUMNS_END,
};
const struct ask ask_token_ls = { .verb = "token-ls", .items = "items", .columns = token_columns };
const struct ask ask_token_add = {
    .verb = "token-add",
    .note = "it is shown this once",
    .args = { { "#0", "name", ASK_TEXT, NULL },
              { "role", "role", ASK_TEXT, NULL },
              { "ttl", "ttl_s", ASK_SECONDS, NULL } },
};
const struct ask ask_token_rm = {
    .verb = "token-rm",
    .question = "End the token? Programs that use it are refused at once.",
    .args = { { "#0", "name", ASK_TEXT, NULL } },
};
const struct ask ask_user_role = {
    .verb = "user-role",
    .args = { { "#0", "name", ASK_TEXT, NULL }, { "#1", "role", ASK_TEXT, NULL } },
};

/* --- where bots run
 * ----------------------------------------------------------------------------------- */

const struct ask ask_node_drain = {
    .verb = "node-drain",
    .question = "Move all bots off the node, and place none there until undrain?",
    .note = "its bots move one by one: flotilla node show NODE",
    .args = { { "#0", "node", ASK_TEXT, NULL } },
};
const struct ask ask_node_undrain = {
    .verb = "node-drain",
    .args = { { "#0", "node", ASK_TEXT, NULL }, { "=", "undo", ASK_TRUE, NULL } },
};
const struct ask ask_node_rm = {
    .verb = "node-rm",
    .question = "Forget the node? It must be gone and have no bots.",
    .args = { { "#0", "node", ASK_TEXT, NULL } },
};
const struct ask ask_bot_move = {
    .verb = "bot-move",
    .question = "Give the bot to another node? It is released first, then taken over.",
    .args = { { "#0", "bot", ASK_TEXT, NULL },
              { "#1", "node", ASK_TEXT, NULL },
              { "force", "force", ASK_TRUE, NULL },
              { "dry-run", "dry_run", ASK_TRUE, NULL } },
};
const struct ask ask_bot_adopt = {
    .verb = "bot-adopt",
    .args = { { "#0", "bot", ASK_TEXT, NULL },
              { "#1", "node", ASK_TEXT, NULL },
              { "release", "release", ASK_TRUE, NULL } },
};
static const struct column move_columns[] = {
    { "BOT", "bot", COLUMN_TEXT },
    { "FROM", "from", COLUMN_TEXT },
    { "TO", "to", COLUMN_TEXT },
    COLUMNS_END,
};
const struct ask ask_rebalance = {
    .verb = "rebalance",
    .items = "moves",
    .columns = move_columns,
    .question = "Move bots so that the nodes have about the same number?",
    .args = { { "dry-run", "dry_run", ASK_TRUE, NULL }, { "limit", "limit", ASK_INT, NULL } },
};

/* --- what the venues and books say
 * ------------------------------------------------------------------- */

const struct ask ask_whoami = { .verb = "whoami" };

static const struct column instrument_columns[] = {
    { "INSTRUMENT", "name", COLUMN_TEXT },
    { "STATUS", "status", COLUMN_TEXT },
    { "TICK", "tick", COLUMN_NUMBER },
    { "LOT", "lot", COLUMN_NUMBER },
    { "LEAST QTY", "qty_min", COLUMN_NUMBER },
    { "LEAST VALUE", "notional_min", COLUMN_NUMBER },
    { "MAKER FEE", "fee_maker", COLUMN_NUMBER },
    { "TAKER FEE", "fee_taker", COLUMN_NUMBER },
    { "KIND", "kind", COLUMN_TEXT | COLUMN_WIDE },
    { "BASE", "base", COLUMN_TEXT | COLUMN_WIDE },
    { "QUOTE", "quote", COLUMN_TEXT | COLUMN_WIDE },
    { "MOST QTY", "qty_max", COLUMN_NUMBER | COLUMN_WIDE },
    { "SYMBOL", "venue_symbol", COLUMN_TEXT | COLUMN_WIDE },
    COLUMNS_END,
};
const struct ask ask_instrument_ls = {
    .verb = "instrument-ls",
    .items = "items",
    .columns = instrument_columns,
    .limit = 1000,
    .args = { { "#0", "text", ASK_TEXT, NULL }, { "venue", "venue", ASK_TEXT, "binance" } },
};

static const struct column candle_columns[] = {
    { "TIME", "ts_ms", COLUMN_TIME },
    { "OPEN", "open", COLUMN_NUMBER },
    { "HIGH", "high", COLUMN_NUMBER },
    { "LOW", "low", COLUMN_NUMBER },
    { "CLOSE", "close", COLUMN_NUMBER },
    { "VOLUME", "volume", COLUMN_NUMBER },
    COLUMNS_END,
};
const struct ask ask_candles = {
    .verb = "candles",
    .items = "candles",
    .columns = candle_columns,
    .args = { { "#0", "instrument", ASK_TEXT, NULL },
              { "venue", "venue", ASK_TEXT, "binance" },
              { "timeframe", "timeframe", ASK_TEXT, "1m" },
              { "limit", "limit", ASK_INT, "20" },
              { "since", "since_ms", ASK_AGO, NULL } },
};

static const struct column equity_columns[] = {
    { "TIME", "ts_ms", COLUMN_TIME },
    { "EQUITY", "equity", COLUMN_SIGNED },
    { "POSITION", "position", COLUMN_NUMBER },
    { "PRICE", "price", COLUMN_NUMBER },
    COLUMNS_END,
};
const struct ask ask_bot_equity = {
    .verb = "bot-equity",
    .items = "points",
    .columns = equity_columns,
    .args = { { "#0", "bot", ASK_TEXT, NULL },
              { "since", "since_ms", ASK_AGO, NULL },
              { "limit", "limit", ASK_INT, "50" } },
};
