/* Rows of `flotilla account`, `strategy` and `user`. */
#include "controller/cli/ask.h"
#include "controller/cli/commands.h"
#include "controller/cli/tree.h"

static const struct cli_flag yes_flags[] = { CLI_FLAG_YES, CLI_END };

static const struct cli_flag account_flags[] = {
    { .name = "venue", .value = "NAME", .live = "venue", .help = "for example binance" },
    { .name = "key-file",
      .value = "FILE",
      .live = "file",
      .help = "JSON with key and secret (or private_key_pem); without it: asked for" },
    { .name = "sandbox", .help = "play money: bots need no --live" },
    { .name = "test", .help = "try the keys at the venue first; bad ones are not kept" },
    { .name = "node", .value = "NODE", .live = "node", .help = "which node tries them" },
    CLI_END,
};

static const struct cli_flag rotate_flags[] = {
    { .name = "key-file",
      .value = "FILE",
      .live = "file",
      .help = "JSON with key and secret (or private_key_pem); without it: asked for" },
    { .name = "test", .help = "try the keys at the venue first; bad ones are not kept" },
    { .name = "node", .value = "NODE", .live = "node", .help = "which node tries them" },
    CLI_END,
};

static const struct cli_flag test_flags[] = {
    { .name = "node",
      .value = "NODE",
      .live = "node",
      .help = "which node tries them (default: the first that is up)" },
    CLI_END,
};

const struct cli_command cli_account_commands[] = {
    { .name = "add",
      .args = "NAME",
      .help = "a venue account, or a new key for it",
      .run = cmd_account_add,
      .flags = account_flags,
      .details =
          "Keys are read from a file or a prompt, never from arguments, and leave this\n"
          "program only sealed to the controller's key. With --test a node tries them at the\n"
          "venue before they are kept: does it answer, do the clocks agree, does it take the\n"
          "keys, may they trade, may they withdraw (a warning: bots never need that).",
      .examples = "  flotilla account add main --venue binance --key-file key.json --test" },
    { .name = "ls", .help = "accounts", .run = cmd_account_ls },
    { .name = "show",
      .args = "NAME",
      .help = "one account: its balances beside the bots' books, and who trades on it",
      .run = cmd_account_show,
      .live = "account" },
    { .name = "test",
      .args = "NAME",
      .help = "try its keys at the venue, from a node",
      .run = cmd_account_test,
      .flags = test_flags,
      .live = "account",
      .details = "Exit status 0, 12 with a warning (the key can withdraw), 10 when the venue does\n"
                 "not take the keys." },
    { .name = "rotate",
      .args = "NAME",
      .help = "new keys for an account; its bots go over to them",
      .run = cmd_account_rotate,
      .flags = rotate_flags,
      .live = "account" },
    { .name = "check",
      .args = "[NAME]",
      .help = "accounts beside their venues: what is missing, what is not ours",
      .run = cmd_ask,
      .live = "account",
      .data = &ask_account_check },
    { .name = "rm",
      .args = "NAME",
      .help = "remove an account and wipe its keys",
      .run = cmd_account_rm,
      .flags = yes_flags,
      .live = "account" },
    CLI_END,
};

const struct cli_command cli_strategy_commands[] = {
    { .name = "ls", .help = "strategies", .run = cmd_strategy_ls },
    { .name = "show",
      .args = "NAME",
      .help = "a strategy's parameters",
      .run = cmd_strategy_show,
      .live = "strategy" },
    CLI_END,
};

static const struct cli_flag role_flags[] = {
    { .name = "role",
      .value = "ROLE",
      .choices = "viewer|trader|admin",
      .help = "what they may do (default viewer)" },
    CLI_END,
};

const struct cli_command cli_user_commands[] = {
    { .name = "add",
      .args = "NAME",
      .help = "a user; prints the password once",
      .run = cmd_user_add,
      .flags = role_flags },
    { .name = "ls", .help = "users and roles", .run = cmd_user_ls },
    { .name = "role",
      .args = "NAME ROLE",
      .help = "another role; they sign in again",
      .run = cmd_ask,
      .live = "user",
      .data = &ask_user_role },
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
    CLI_END,
};
