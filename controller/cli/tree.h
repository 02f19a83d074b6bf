/* The rows of the command table, a file a group: tree.c has the root and whole-fleet commands,
 * tree_<group>.c the groups. A new command is a row there, a prototype in commands.h, a function in
 * a cmd_*.c, and a word in docs/cli.md. */
#pragma once
#include "controller/cli/command.h"

#define CLI_END                                                                                    \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define CLI_FLAG_WAIT                                                                              \
    {                                                                                              \
        .name = "wait", .value = "TIME", .optional = true,                                         \
        .help = "until its node reports it (default 30s)"                                          \
    }
#define CLI_FLAG_YES                                                                               \
    {                                                                                              \
        .name = "yes", .letter = 'y', .help = "do not ask"                                         \
    }
#define CLI_FLAG_SELECTOR                                                                          \
    {                                                                                              \
        .name = "selector", .letter = 'l', .value = "FILTER", .live = "filter",                    \
        .help = "bots that match, as in node=n1,state=error; see: flotilla help filter"            \
    }
#define CLI_FLAG_ALL                                                                               \
    {                                                                                              \
        .name = "all", .help = "every bot"                                                         \
    }
#define CLI_FLAG_DRY_RUN                                                                           \
    {                                                                                              \
        .name = "dry-run", .help = "only say what would happen"                                    \
    }
#define CLI_FLAG_LIMIT                                                                             \
    {                                                                                              \
        .name = "limit", .letter = 'n', .value = "N", .help = "the newest N"                       \
    }

/* Each ends with CLI_END; tree.c hangs them under the root. */
extern const struct cli_command cli_alert_commands[];
extern const struct cli_command cli_broker_commands[];
extern const struct cli_command cli_config_commands[];
extern const struct cli_command cli_context_commands[];
extern const struct cli_command cli_market_commands[];
extern const struct cli_command cli_node_commands[];
extern const struct cli_command cli_backup_commands[];
extern const struct cli_command cli_notify_commands[];
extern const struct cli_command cli_token_commands[];
extern const struct cli_flag cli_apply_flags[], cli_audit_flags[], cli_fills_flags[],
    cli_halt_flags[], cli_log_flags[], cli_orders_flags[], cli_pnl_flags[], cli_portfolio_flags[],
    cli_resume_flags[];
extern const struct cli_command cli_bot_commands[];
extern const struct cli_command cli_account_commands[];
extern const struct cli_command cli_strategy_commands[];
extern const struct cli_command cli_user_commands[];
extern const struct cli_command cli_data_commands[];
