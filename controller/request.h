/* One request of a user: what a verb's handler gets and how its answer goes out.
 *
 * A handler fills `result` (the verb's own struct, zeroed; arrays and trees in it are freed after
 * it was sent) and returns 0, or a negative errno with `error` filled, or REQUEST_LATER after
 * request_keep(): then request_answer() or request_refuse() comes once, later. Handlers that change
 * anything check everything first: on refusal nothing has changed. */
#pragma once
#include "controller/controller.h"

enum { REQUEST_LATER = 1 };

struct request {
    struct controller *controller;
    const struct msg_verb *verb; /* NULL: unknown */
    char user[FLT_NAME_MAX];
    char id[TOPIC_LEVEL_MAX];
    char topic[FLT_MQTT_TOPIC_MAX]; /* where the answer goes */
    uint8_t correlation[128];
    size_t correlation_size;
    char origin[49]; /* the program it came from: cli, web, api; "": not said */
    char target[65]; /* bot, node, account: for the audit */
    char args[256];  /* their start as text, without secrets */
    char digest[65];
    char changes[1001]; /* what it changed, in words: changes.h */
    bool changes_cut;
    bool once;       /* its answer is kept for a repeat */
    int64_t audited; /* its row in the audit; 0: none yet */
};

struct handler {
    const char *verb;
    int (*run)(struct request *request, const void *args, void *result, struct flt_error *error);
};

/* Every verb of schemas/req has its row; a test compares. */
extern const struct handler handlers[];
extern const size_t handler_count;

void request_take(struct controller *controller, const struct topic_ref *topic,
                  const struct flt_mqtt_message *message);
struct request *request_keep(struct request *request); /* a copy for later; NULL: no memory */
/* What a request changes and its row in the audit are one transaction: called before each commit.
 */
void request_committing(struct controller *controller);
/* Both end a kept request and free it. `result` is the verb's struct. */
void request_answer(struct request *request, const void *result);
void request_refuse(struct request *request, const struct flt_error *error);
/* The same with a node's own result, which has the verb's form: written on as it came. */
void request_pass(struct request *request, struct json_object *result);
/* A command_done_fn of a kept request: the node's answer is passed on, or why there is none. */
void request_on_node(struct controller *controller, void *request, const struct msg_n_res *res);

/* For handlers: the bot of this name (not a removed one), or an error with the nearest name. */
struct bot *request_bot(struct request *request, const char *name, struct flt_error *error);
struct node *request_node(struct request *request, const char *name, const char *field,
                          struct flt_error *error);
/* "user/<name>", for records. */
const char *request_by(const struct request *request, char out[40]);

/* The handlers, by file. */
#define HANDLER(name)                                                                              \
    int name(struct request *request, const void *args, void *result, struct flt_error *error)

/* verb_bot.c */
HANDLER(verb_bot_deploy);
HANDLER(verb_apply);
HANDLER(verb_bot_start);
HANDLER(verb_bot_stop);
HANDLER(verb_bot_pause);
HANDLER(verb_bot_resume);
HANDLER(verb_bot_rm);
/* verb_read.c */
HANDLER(verb_status);
HANDLER(verb_whoami);
HANDLER(verb_node_ls);
HANDLER(verb_node_show);
HANDLER(verb_bot_ls);
HANDLER(verb_bot_show);
HANDLER(verb_halt_ls);
HANDLER(verb_command_show);
/* verb_history.c */
HANDLER(verb_audit_ls);
HANDLER(verb_bot_history);
/* health.c */
HANDLER(verb_health);
/* verb_alert.c, notify.c */
HANDLER(verb_alert_ls);
HANDLER(verb_alert_ack);
HANDLER(verb_notify_add);
HANDLER(verb_notify_ls);
HANDLER(verb_notify_rm);
HANDLER(verb_notify_test);
/* verb_feeds.c, verb_log.c */
HANDLER(verb_market_ls);
HANDLER(verb_log_ls);
/* verb_orders.c */
HANDLER(verb_order_ls);
/* verb_portfolio.c */
HANDLER(verb_portfolio);
HANDLER(verb_pnl_days);
/* verb_books.c */
HANDLER(verb_bot_fills);
HANDLER(verb_bot_equity);
HANDLER(verb_pnl);
HANDLER(verb_reconcile);
/* verb_node.c: asked of the node */
HANDLER(verb_bot_orders);
HANDLER(verb_bot_logs);
HANDLER(verb_bot_record);
HANDLER(verb_bot_watch);
/* backup.c */
HANDLER(verb_backup_create);
HANDLER(verb_backup_ls);
/* verb_place.c */
HANDLER(verb_node_drain);
HANDLER(verb_bot_move);
HANDLER(verb_rebalance);
HANDLER(verb_node_rm);
HANDLER(verb_bot_adopt);
/* verb_halt.c */
HANDLER(verb_halt);
HANDLER(verb_resume);
/* verb_progress.c */
HANDLER(verb_halt_show);
/* verb_truth.c: the books beside the venue */
HANDLER(verb_account_check);
HANDLER(verb_bot_reconcile);
/* accounts.c */
HANDLER(verb_account_add);
HANDLER(verb_account_ls);
HANDLER(verb_account_rm);
HANDLER(verb_account_key);
HANDLER(verb_account_test);
/* verb_market.c */
HANDLER(verb_candles);
HANDLER(verb_instrument_ls);
HANDLER(verb_strategy_ls);
HANDLER(verb_strategy_show);
/* users.c */
HANDLER(verb_user_add);
HANDLER(verb_user_ls);
HANDLER(verb_user_passwd);
HANDLER(verb_user_rm);
HANDLER(verb_user_role);
/* tokens.c */
HANDLER(verb_token_add);
HANDLER(verb_token_ls);
HANDLER(verb_token_rm);
HANDLER(verb_login_add);
HANDLER(verb_login_rm);
