/* Commands that are one question to the controller: a row says which verb, where its arguments come
 * from and how the answer is shown. A new verb needs a row in asks.c and one in tree_*.c. */
#pragma once
#include "controller/cli/cli.h"

enum ask_kind {
    ASK_TEXT,
    ASK_INT,     /* a whole number */
    ASK_TRUE,    /* a switch: true when given */
    ASK_FALSE,   /* a switch: false when given */
    ASK_AGO,     /* "2026-01-31", Unix ms, or a time ago ("2h"): Unix ms */
    ASK_SECONDS, /* a duration: seconds */
};

struct ask_arg {
    const char *from; /* a flag's name; "#0": the first word; "=": always; NULL: the end */
    const char *key;  /* of the verb's args */
    enum ask_kind kind;
    const char *missing; /* used when it is not given (ASK_TEXT); NULL: left out */
};

#define ASK_ARGS_MAX 8

struct ask {
    const char *verb;
    const char *items; /* the key of the list in the answer, or of the one object (no columns) */
    const struct column *columns; /* NULL: shown as an object */
    unsigned limit; /* the newest so many unless --limit says otherwise; 0: not a paged list */
    const char *question; /* asked on a terminal before; NULL: nothing is changed, or gently */
    const char *note;     /* said afterwards, unless --wait was given */
    struct ask_arg args[ASK_ARGS_MAX];
};

FLT_MUST_USE int ask_run(struct cli *cli, const struct ask *ask);
/* Its two halves: the caller puts the answer. */
FLT_MUST_USE int ask_answer(struct cli *cli, const struct ask *ask, struct json_object **result);
void ask_show(struct cli *cli, const struct ask *ask, struct json_object *result);
int cmd_ask(struct cli *cli); /* the row's data is a struct ask */
/* --limit, 1 to 1000000. */
FLT_MUST_USE int cli_limit(struct cli *cli, size_t missing, size_t *out);

/* A flag that is a time or so long ago ("2h"), into args as Unix ms. */
FLT_MUST_USE int cli_since(struct cli *cli, const char *flag, struct json_object *args,
                           const char *key);

extern const struct ask ask_account_check, ask_alert_ack, ask_alert_ls, ask_audit_ls, ask_bot_adopt,
    ask_bot_history, ask_bot_move, ask_node_drain, ask_node_rm, ask_node_undrain, ask_rebalance,
    ask_bot_reconcile, ask_command_show, ask_halt_show, ask_health, ask_market_ls, ask_notify_add,
    ask_notify_ls, ask_notify_rm, ask_notify_test, ask_order_ls, ask_pnl_days, ask_portfolio,
    ask_token_add, ask_token_ls, ask_token_rm, ask_user_role, ask_whoami, ask_instrument_ls,
    ask_candles, ask_bot_equity;
