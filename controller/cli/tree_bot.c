/* Rows of `flotilla bot`. */
#include "controller/cli/ask.h"
#include "controller/cli/commands.h"
#include "controller/cli/tree.h"

static const struct cli_flag bot_ls_flags[] = {
    CLI_FLAG_SELECTOR,
    { .name = "node", .value = "NODE", .live = "node", .help = "on this node only" },
    { .name = "strategy", .value = "NAME", .live = "strategy", .help = "of this strategy only" },
    { .name = "phase",
      .value = "PHASE",
      .choices = "waiting|recovering|running|paused|stopping|stopped|flattening|flat|error",
      .help = "in this phase only" },
    CLI_END,
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
    CLI_FLAG_WAIT,
    CLI_END,
};

const struct cli_flag cli_apply_flags[] = {
    { .name = "file",
      .letter = 'f',
      .value = "FILE",
      .live = "file",
      .help = "a manifest, YAML or JSON; - is standard input" },
    { .name = "live", .help = "yes, with real money" },
    { .name = "stopped", .help = "record them, but do not start them" },
    { .name = "dry-run", .help = "check only" },
    { .name = "prune", .help = "also remove the bots that the manifest does not have" },
    { .name = "force", .help = "with --prune: also those that run or hold a position" },
    CLI_FLAG_YES,
    CLI_FLAG_WAIT,
    CLI_END,
};

static const struct cli_flag act_flags[] = {
    CLI_FLAG_SELECTOR, CLI_FLAG_ALL, CLI_FLAG_YES, CLI_FLAG_DRY_RUN, CLI_FLAG_WAIT, CLI_END,
};

static const struct cli_flag stop_flags[] = {
    { .name = "flatten", .help = "sell or buy back its position too" },
    { .name = "detach", .help = "leave its orders at the venue" },
    CLI_FLAG_SELECTOR,
    CLI_FLAG_ALL,
    CLI_FLAG_DRY_RUN,
    CLI_FLAG_YES,
    CLI_FLAG_WAIT,
    CLI_END,
};

static const struct cli_flag bot_rm_flags[] = {
    { .name = "force",
      .help = "also when it runs or holds a position: stopped first, position left" },
    { .name = "wait",
      .value = "TIME",
      .optional = true,
      .help = "for bots that were told to stop and are about to (default 30s)" },
    CLI_FLAG_SELECTOR,
    CLI_FLAG_ALL,
    CLI_FLAG_DRY_RUN,
    CLI_FLAG_YES,
    CLI_END,
};

static const struct cli_flag logs_flags[] = {
    { .name = "follow", .letter = 'f', .help = "go on until Ctrl-C" },
    CLI_FLAG_LIMIT,
    CLI_END,
};

static const struct cli_flag parity_flags[] = {
    { .name = "for", .value = "TIME", .help = "how long to record (default 60s)" },
    { .name = "file",
      .value = "FILE",
      .live = "file",
      .help = "a recording that is there already; nothing is asked of the fleet" },
    CLI_END,
};

static const struct cli_flag history_flags[] = { CLI_FLAG_LIMIT, CLI_END };

static const struct cli_flag reconcile_flags[] = {
    { .name = "accept-venue", .help = "what the venue says is right: book the difference" },
    { .name = "reason", .letter = 'r', .value = "TEXT", .help = "why; stays in the audit log" },
    CLI_END,
};

static const struct cli_flag move_flags[] = {
    { .name = "force", .help = "also when the old node does not answer: its lease must be over" },
    CLI_FLAG_YES,
    CLI_FLAG_DRY_RUN,
    { .name = "wait",
      .value = "TIME",
      .optional = true,
      .help = "until it lives on its new node (default 30s)" },
    CLI_END,
};

static const struct cli_flag adopt_flags[] = {
    { .name = "release", .help = "the node lets go of it instead" },
    CLI_END,
};

static const struct cli_flag config_flags[] = {
    CLI_FLAG_DRY_RUN,
    { .name = "live", .help = "yes, with real money: needed unless the account is a sandbox" },
    CLI_FLAG_YES,
    CLI_FLAG_WAIT,
    CLI_END,
};

static const struct cli_flag clone_flags[] = {
    { .name = "set",
      .letter = 's',
      .value = "K=V",
      .repeated = true,
      .help = "what is different: a parameter, or a key of the manifest" },
    { .name = "node", .value = "NODE", .live = "node", .help = "on this node" },
    { .name = "stopped", .help = "record it, but do not start it" },
    { .name = "live", .help = "yes, with real money: needed unless the account is a sandbox" },
    CLI_FLAG_DRY_RUN,
    CLI_FLAG_YES,
    CLI_FLAG_WAIT,
    CLI_END,
};

const struct cli_command cli_bot_commands[] = {
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
      .run = cmd_apply,
      .flags = cli_apply_flags,
      .examples = "  flotilla bot apply -f fleet.yml --dry-run" },
    { .name = "config",
      .args = "BOT [set|edit] [KEY=VALUE...]",
      .help = "its manifest: shown, changed key by key, or in your editor",
      .run = cmd_bot_config,
      .flags = config_flags,
      .live = "bot",
      .details =
          "KEY is a parameter (levels), or a key of the manifest (note, risk.max_position);\n"
          "KEY= takes it away, so that the default holds. What differs is shown, checked by the\n"
          "controller and asked about on a terminal; the bot goes on as it is, running or not,\n"
          "under its next generation. edit opens $VISUAL or $EDITOR; what is refused is said with\n"
          "its line, and the text is kept.",
      .examples = "  flotilla bot config btc-grid-1\n"
                  "  flotilla bot config btc-grid-1 levels\n"
                  "  flotilla bot config btc-grid-1 set levels=40 risk.max_position=0.5 --wait\n"
                  "  flotilla bot config btc-grid-1 edit" },
    { .name = "clone",
      .args = "BOT NEW",
      .help = "another bot like this one",
      .run = cmd_bot_clone,
      .flags = clone_flags,
      .live = "bot",
      .examples = "  flotilla bot clone btc-grid-1 eth-grid-9 --set instrument=ETH-USDT \\\n"
                  "      --set lower=1500 --set upper=1900 --dry-run" },
    { .name = "start",
      .args = "[BOT...]",
      .help = "start stopped bots",
      .run = cmd_bot_start,
      .flags = act_flags,
      .live = "bot" },
    { .name = "stop",
      .args = "[BOT...]",
      .help = "cancel their orders and stop",
      .run = cmd_bot_stop,
      .flags = stop_flags,
      .live = "bot" },
    { .name = "pause",
      .args = "[BOT...]",
      .help = "no new orders until resume",
      .run = cmd_bot_pause,
      .flags = act_flags,
      .live = "bot" },
    { .name = "resume",
      .args = "[BOT...]",
      .help = "go on after pause",
      .run = cmd_bot_resume,
      .flags = act_flags,
      .live = "bot" },
    { .name = "rm",
      .args = "[BOT...]",
      .help = "remove stopped bots; their fills stay",
      .run = cmd_bot_rm,
      .flags = bot_rm_flags,
      .live = "bot",
      .details =
          "A bot that was told to stop goes once its node says that the venue has no order of it;\n"
          "that is waited for.",
      .examples = "  flotilla bot stop btc-grid-1 --flatten && flotilla bot rm btc-grid-1" },
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
      .flags = cli_fills_flags,
      .live = "bot" },
    { .name = "equity",
      .args = "BOT",
      .help = "what it was worth, from the books",
      .run = cmd_ask,
      .flags = cli_fills_flags,
      .live = "bot",
      .data = &ask_bot_equity },
    { .name = "history",
      .args = "BOT",
      .help = "its generations: who changed what, and when",
      .run = cmd_ask,
      .flags = history_flags,
      .live = "bot",
      .data = &ask_bot_history },
    { .name = "reconcile",
      .args = "BOT",
      .help = "its books beside the venue; --accept-venue books the difference",
      .run = cmd_ask,
      .flags = reconcile_flags,
      .live = "bot",
      .data = &ask_bot_reconcile },
    { .name = "move",
      .args = "BOT [NODE]",
      .help = "to another node (none: the controller chooses)",
      .run = cmd_bot_move,
      .flags = move_flags,
      .live = "bot" },
    { .name = "adopt",
      .args = "BOT NODE",
      .help = "take a bot that a node holds unclaimed into the list",
      .run = cmd_ask,
      .flags = adopt_flags,
      .live = "bot",
      .data = &ask_bot_adopt },
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
    CLI_END,
};
