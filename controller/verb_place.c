/* Verbs that say where bots run: drain, move, rebalance, forget a node, adopt what one holds. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/changes.h"
#include "lib/log.h"

#define MOVES_DEFAULT 100
#define ASK_TTL_MS 5000

static size_t bots_at(const struct controller *controller, const char *node)
{
    return inventory_bots_of(&controller->inventory, node);
}

HANDLER(verb_node_drain)
{
    const struct msg_node_drain_args *in = args;
    struct msg_node_drain_result *out = result;
    struct controller *controller = request->controller;
    struct node *node = request_node(request, in->node, "node", error);

    if (!node)
        return -ENOENT;
    request_changed(request, NULL, "draining", node->draining ? "true" : "false",
                    in->has_undo && in->undo ? "false" : "true");
    node->draining = !(in->has_undo && in->undo);
    controller_check(controller,
                     store_save_node(&controller->store, node, controller_now_ms(controller)));
    if (!controller_commit(controller))
        return -EIO;
    FLT_LOG(INFO, "drain", "node=%s draining=%d by=%s", node->name, node->draining, request->user);
    snprintf(out->node, sizeof out->node, "%s", node->name);
    out->draining = node->draining;
    out->bots = (int64_t)bots_at(controller, node->name);
    return 0;
}

/* --- move
 * ----------------------------------------------------------------------------------------- */

static struct node *move_target(struct request *request, const struct msg_bot_move_args *in,
                                const struct bot *bot, struct flt_error *error)
{
    struct controller *controller = request->controller;
    struct node *to;

    if (!in->has_node) {
        to = placement_choose(controller, &bot->spec, bot->venue, bot->node);
        if (!to)
            (void)flt_error_set(error, FLT_UNAVAILABLE, "node", "see node-ls",
                                "no other node is up, fits %s and has room", bot->name);
        return to;
    }
    to = request_node(request, in->node, "node", error);
    if (!to)
        return NULL;
    if (strcmp(to->name, bot->node) == 0) {
        (void)flt_error_set(error, FLT_CONFLICT, "node", "", "%s is on %s", bot->name, to->name);
        return NULL;
    }
    if (!node_is_up(to, controller_mono_ms(controller))) {
        (void)flt_error_set(error, FLT_UNAVAILABLE, "node", "see node-ls", "node %s is not up",
                            to->name);
        return NULL;
    }
    return placement_check(controller, to, &bot->spec, bot->venue, "node", error) ? NULL : to;
}

/* Whether its node can be asked, and if not, whether it may be taken without asking. 0: ask;
 * 1: take it now; negative: neither. */
static int move_way(struct request *request, const struct bot *bot, bool force,
                    struct flt_error *error)
{
    struct controller *controller = request->controller;
    const struct node *from = inventory_find_node(&controller->inventory, bot->node);
    const int64_t now_ms = controller_mono_ms(controller);

    if (!from || (!from->grant.holder.boot[0] && !bot->has_state))
        return 1; /* no process of that name ever held it */
    if (node_is_up(from, now_ms))
        return 0;
    if (!bot_is_sticky(bot) && !bot->held_sticky)
        return grant_may_take_over(&from->grant, &controller->grants, now_ms) ? 1 : 0;
    if (!force)
        return flt_error_set(
            error, FLT_CONFLICT, "bot", "if it is dead for good and will not come back: force",
            "%s is sticky and may still trade on %s, which does not answer", bot->name, bot->node);
    if (!grant_is_over(&from->grant, &controller->grants, now_ms))
        return flt_error_set(error, FLT_CONFLICT, "bot", "try again then",
                             "the lease of %s ends in %" PRId64 " ms", bot->node,
                             grant_ends_ms(&from->grant, &controller->grants) - now_ms);
    return 1;
}

HANDLER(verb_bot_move)
{
    const struct msg_bot_move_args *in = args;
    struct msg_bot_move_result *out = result;
    struct controller *controller = request->controller;
    struct bot *bot = request_bot(request, in->bot, error);
    const struct node *to;
    char by[40];
    int err = 0, way;

    if (!bot)
        return -ENOENT;
    if (bot->release || bot->moving_to[0])
        return flt_error_set(error, FLT_CONFLICT, "bot", "wait until that is done", "%s is %s%s",
                             bot->name, bot->release ? "being removed" : "on its way to ",
                             bot->moving_to);
    to = move_target(request, in, bot, error);
    if (!to)
        return -ENOENT;
    way = move_way(request, bot, in->has_force && in->force, error);
    if (way < 0)
        return way;
    snprintf(out->bot, sizeof out->bot, "%s", bot->name);
    snprintf(out->from, sizeof out->from, "%s", bot->node);
    snprintf(out->to, sizeof out->to, "%s", to->name);
    out->state = in->has_dry_run && in->dry_run ? MSG_BOT_MOVE_RESULT_STATE_PLANNED
                 : way                          ? MSG_BOT_MOVE_RESULT_STATE_MOVED
                                                : MSG_BOT_MOVE_RESULT_STATE_RELEASING;
    if (out->state != MSG_BOT_MOVE_RESULT_STATE_PLANNED)
        request_changed(request, NULL, "node", bot->node, to->name);
    if (out->state != MSG_BOT_MOVE_RESULT_STATE_PLANNED)
        err = way ? takeover_assign(controller, bot, to->name, "an operator's word")
                  : takeover_ask(controller, bot, to->name, request_by(request, by));
    out->epoch = bot->epoch;
    out->generation = bot->generation;
    return err;
}

HANDLER(verb_rebalance)
{
    const struct msg_rebalance_args *in = args;
    struct msg_rebalance_result *out = result;
    struct controller *controller = request->controller;
    const size_t max = in->has_limit ? (size_t)in->limit : MOVES_DEFAULT;
    char by[40];

    (void)error;
    out->moves = calloc(max + 1, sizeof *out->moves);
    if (!out->moves)
        return -ENOMEM;
    out->moves_count = placement_plan(controller, out->moves, max);
    out->started = !(in->has_dry_run && in->dry_run);
    for (size_t i = 0; i < out->moves_count && out->started; i++) {
        struct bot *bot = inventory_find_bot(&controller->inventory, out->moves[i].bot);

        request_changed(request, out->moves[i].bot, "node", out->moves[i].from, out->moves[i].to);
        if (bot && takeover_ask(controller, bot, out->moves[i].to, request_by(request, by)) != 0)
            return -EIO;
    }
    return 0;
}

/* --- nodes that are gone
 * ---------------------------------------------------------------------------- */

HANDLER(verb_node_rm)
{
    const struct msg_node_rm_args *in = args;
    struct msg_node_rm_result *out = result;
    struct controller *controller = request->controller;
    struct node *node = request_node(request, in->node, "node", error);
    const size_t bots = node ? bots_at(controller, node->name) : 0;
    char topic[TOPIC_MAX], alert[TOPIC_LEVEL_MAX];
    sqlite3_stmt *stmt;

    if (!node)
        return -ENOENT;
    if (node_is_up(node, controller_mono_ms(controller)))
        return flt_error_set(error, FLT_CONFLICT, "node", "end its process first", "node %s is up",
                             in->node);
    if (bots)
        return flt_error_set(error, FLT_CONFLICT, "node", "move or remove them first",
                             "node %s still has %zu bots", in->node, bots);
    if (!grant_is_over(&node->grant, &controller->grants, controller_mono_ms(controller)))
        return flt_error_set(error, FLT_CONFLICT, "node", "try again in some seconds",
                             "the lease of %s has not ended yet", in->node);
    stmt = store_write(&controller->store, "DELETE FROM nodes WHERE node = ?");
    flt_db_bind_str(stmt, 1, node->name);
    controller_check(controller, store_run(&controller->store, stmt));
    request_changed(request, NULL, "listed", "true", "false");
    if (!controller_commit(controller))
        return -EIO;
    controller_clear(controller, topic_node_presence(topic, controller->config.tenant, node->name));
    snprintf(alert, sizeof alert, "node-%s", node->name);
    alert_clear(controller, alert);
    inventory_drop_node(&controller->inventory, node);
    snprintf(out->node, sizeof out->node, "%s", in->node);
    out->removed = true;
    return 0;
}

/* --- bots that nobody listed
 * ------------------------------------------------------------------------ */

struct adoption {
    struct request *request;
    char bot[FLT_NAME_MAX], node[FLT_NAME_MAX];
    bool release;
};

static int adopt(struct adoption *adoption, const struct msg_c_desired *held,
                 struct flt_error *error)
{
    struct controller *controller = adoption->request->controller;
    struct bot *bot = inventory_get_bot(&controller->inventory, adoption->bot);
    struct msg_bot spec = { 0 };
    struct json_object *tree;
    char by[40];
    int err;

    if (!bot)
        return -ENOMEM;
    if (bot->spec.name[0] && bot_listed(bot))
        return flt_error_set(error, FLT_CONFLICT, "bot", "see bot-show", "%s is listed on %s",
                             bot->name, bot->node);
    tree = msg_to_tree(&msg_type_bot, &held->spec);
    err = tree ? msg_bot_decode(tree, MSG_PROGRAM, &spec, error) : -ENOMEM;
    json_object_put(tree);
    if (err)
        return err;
    msg_bot_finish(&bot->spec);
    bot->spec = spec;
    snprintf(bot->venue, sizeof bot->venue, "%s", held->venue);
    snprintf(bot->node, sizeof bot->node, "%s", adoption->node);
    bot->sandbox = held->has_sandbox && held->sandbox;
    bot->epoch = held->env.epoch > bot->epoch ? held->env.epoch : bot->epoch + 1;
    bot->generation = (held->generation > bot->generation ? held->generation : bot->generation) + 1;
    bot->run = adoption->release ? MSG_RUN_STOPPED : held->run;
    bot->how = MSG_C_DESIRED_HOW_CANCEL;
    bot->release = adoption->release;
    bot->removed = bot->has_state = false;
    bot->moving_to[0] = '\0';
    bot->held_sticky = bot_is_sticky(bot);
    bot->created_ms = bot->changed_ms = controller_now_ms(controller);
    err = store_save_bot(&controller->store, bot, request_by(adoption->request, by),
                         adoption->release ? "adopted to be released" : "adopted");
    controller_check(controller, err);
    if (err || !controller_commit(controller))
        return -EIO;
    desired_publish(controller, bot);
    return 0;
}

static void on_held(struct controller *controller, void *ctx, const struct msg_n_res *res)
{
    struct adoption *adoption = ctx;
    struct msg_bot_adopt_result result = { 0 };
    struct msg_cmd_held_result held = { 0 };
    struct msg_c_desired doc = { 0 };
    struct flt_error error = { 0 };
    int err = 0;

    if (!res)
        err = flt_error_set(&error, FLT_UNAVAILABLE, "node", "see node-ls",
                            "node %s did not answer", adoption->node);
    else if (res->has_error)
        msg_error_to(&res->error, &error);
    else if (!(err = msg_decode(&msg_type_cmd_held_result, res->result, MSG_PROGRAM, &held,
                                &error)) &&
             !(err = msg_c_desired_decode(held.desired, MSG_PROGRAM, &doc, &error)))
        err = adopt(adoption, &doc, &error);
    if (err && error.code == FLT_OK)
        (void)flt_error_set(&error, FLT_INTERNAL, "", "", "%s cannot be adopted", adoption->bot);
    if (error.code == FLT_OK) {
        const struct bot *bot = inventory_find_bot(&controller->inventory, adoption->bot);

        snprintf(result.bot, sizeof result.bot, "%s", adoption->bot);
        snprintf(result.node, sizeof result.node, "%s", adoption->node);
        result.epoch = bot->epoch;
        result.generation = bot->generation;
        result.run = bot->run;
        result.released = adoption->release;
        request_answer(adoption->request, &result);
    } else {
        request_refuse(adoption->request, &error);
    }
    msg_c_desired_finish(&doc);
    msg_cmd_held_result_finish(&held);
    free(adoption);
}

HANDLER(verb_bot_adopt)
{
    const struct msg_bot_adopt_args *in = args;
    struct controller *controller = request->controller;
    const struct node *node = request_node(request, in->node, "node", error);
    const struct bot *bot = inventory_find_bot(&controller->inventory, in->bot);
    const struct msg_cmd_held_args none = { 0 };
    struct adoption *adoption;

    (void)result;
    if (!node)
        return -ENOENT;
    if (bot && bot_listed(bot))
        return flt_error_set(error, FLT_CONFLICT, "bot", "see bot-show", "%s is listed on %s",
                             bot->name, bot->node);
    request_changed(request, NULL, "node", NULL,
                    in->has_release && in->release ? "released" : in->node);
    adoption = calloc(1, sizeof *adoption);
    if (!adoption)
        return -ENOMEM;
    adoption->request = request_keep(request);
    if (!adoption->request) {
        free(adoption);
        return -ENOMEM;
    }
    snprintf(adoption->bot, sizeof adoption->bot, "%s", in->bot);
    snprintf(adoption->node, sizeof adoption->node, "%s", in->node);
    adoption->release = in->has_release && in->release;
    commands_send(controller, in->node, MSG_C_CMD_OP_HELD, in->bot, &none, ASK_TTL_MS, false, NULL,
                  on_held, adoption);
    return REQUEST_LATER;
}
