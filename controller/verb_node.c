/* Verbs that only the bot's node can answer: the request waits for the command's result. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/request.h"

#define ASK_TTL_MS 5000

static int ask(struct request *request, const char *name, enum msg_c_cmd_op op, const void *args,
               struct flt_error *error)
{
    struct bot *bot = request_bot(request, name, error);
    const struct node *node =
        bot ? inventory_find_node(&request->controller->inventory, bot->node) : NULL;
    struct request *kept;

    if (!bot)
        return -ENOENT;
    if (!node || !node_is_up(node, controller_mono_ms(request->controller)))
        return flt_error_set(error, FLT_UNAVAILABLE, "bot", "see node-ls",
                             "%s is on node %s, which is not up", name, bot->node);
    kept = request_keep(request);
    if (!kept)
        return -ENOMEM;
    commands_send(request->controller, bot->node, op, bot->name, args, ASK_TTL_MS, false, NULL,
                  request_on_node, kept);
    return REQUEST_LATER;
}

HANDLER(verb_bot_orders)
{
    const struct msg_bot_orders_args *in = args;
    const struct msg_cmd_orders_args none = { 0 };

    (void)result;
    return ask(request, in->bot, MSG_C_CMD_OP_ORDERS, &none, error);
}

HANDLER(verb_bot_logs)
{
    const struct msg_bot_logs_args *in = args;
    const struct msg_cmd_logs_args out = { .has_limit = in->has_limit, .limit = in->limit };

    (void)result;
    return ask(request, in->bot, MSG_C_CMD_OP_LOGS, &out, error);
}

HANDLER(verb_bot_record)
{
    const struct msg_bot_record_args *in = args;
    const struct msg_cmd_record_args out = { .ttl_s = in->has_ttl_s ? in->ttl_s : 60 };

    (void)result;
    return ask(request, in->bot, MSG_C_CMD_OP_RECORD, &out, error);
}

/* Nothing to wait for: who watches sees the topics, or their absence. */
HANDLER(verb_bot_watch)
{
    const struct msg_bot_watch_args *in = args;
    struct msg_bot_watch_result *out = result;
    const struct msg_cmd_watch_args watch = { .ttl_s = in->has_ttl_s ? in->ttl_s : 30 };
    struct bot *bot = request_bot(request, in->bot, error);

    if (!bot)
        return -ENOENT;
    commands_send(request->controller, bot->node, MSG_C_CMD_OP_WATCH, bot->name, &watch, ASK_TTL_MS,
                  false, NULL, NULL, NULL);
    snprintf(out->bot, sizeof out->bot, "%s", bot->name);
    snprintf(out->node, sizeof out->node, "%s", bot->node);
    out->until_ms = controller_now_ms(request->controller) + watch.ttl_s * 1000;
    return 0;
}
