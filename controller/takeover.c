/* From one owner of a bot to the next: the release asked for and heard, the failover of a node
 * whose lease is over, what the next owner begins with, and its new epoch, durable before it is
 * said. */
#define FLT_MOD "takeover"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/controller.h"
#include "lib/log.h"

#define EPOCH_MAX INT64_C(0xffffff) /* 24 bits of the client order id */
#define PAUSE_MS 2500               /* without a turn of ours or a heartbeat of anybody */

void takeover_claimed(struct controller *controller, struct bot *bot)
{
    sqlite3_stmt *stmt;
    char alert[TOPIC_LEVEL_MAX];

    if (!bot->state.env.has_epoch || bot->state.env.epoch != bot->epoch)
        return;
    if (bot->held_sticky && !bot_is_sticky(bot) && bot->state.generation >= bot->generation) {
        bot->held_sticky = false;
        controller_check(controller,
                         store_save_bot(&controller->store, bot, "controller", "held as auto"));
    }
    if (bot->state.phase != MSG_PHASE_WAITING && bot->state.phase != MSG_PHASE_RECOVERING &&
        bot->move_ms) {
        FLT_LOG(INFO, "taken_over", "bot=%s node=%s epoch=%" PRId64 " phase=%s gap_ms=%" PRId64,
                bot->name, bot->node, bot->epoch, msg_phase_name(bot->state.phase),
                controller_mono_ms(controller) - bot->move_ms);
        bot->move_ms = 0;
        snprintf(alert, sizeof alert, "takeover-%s", bot->name);
        alert_clear(controller, alert);
        stmt = store_write(&controller->store, "DELETE FROM resumes WHERE bot = ? AND epoch <= ?");
        flt_db_bind_str(stmt, 1, bot->name);
        flt_db_bind_int(stmt, 2, bot->epoch);
        controller_check(controller, store_run(&controller->store, stmt));
    }
}

/* --- snapshots and releases --------------------------------------------------------------------
 */

static int store_snapshot(struct controller *controller, const char *bot, const char *node,
                          const char *stream, int64_t n, int64_t epoch, int64_t ts_ms,
                          struct json_object *state)
{
    sqlite3_stmt *stmt = store_write(
        &controller->store, "INSERT OR REPLACE INTO snapshots (bot, node, stream, n, epoch, ts_ms,"
                            " state) VALUES (?, ?, ?, ?, ?, ?, ?)");

    flt_db_bind_str(stmt, 1, bot);
    flt_db_bind_str(stmt, 2, node);
    flt_db_bind_str(stmt, 3, stream);
    flt_db_bind_int(stmt, 4, n);
    flt_db_bind_int(stmt, 5, epoch);
    flt_db_bind_int(stmt, 6, ts_ms);
    flt_db_bind_str(stmt, 7, json_object_to_json_string_ext(state, JSON_C_TO_STRING_PLAIN));
    return store_run(&controller->store, stmt);
}

/* Only the present owner's, and only when we have every record before it: a state whose fills are
 * not in the books yet would be booked twice by the next owner. */
void takeover_snap(struct controller *controller, const char *node, const struct msg_n_snap *snap)
{
    const struct bot *bot = inventory_find_bot(&controller->inventory, snap->bot);

    if (!bot || !bot_listed(bot) || strcmp(bot->node, node) != 0 || !snap->env.has_epoch ||
        snap->env.epoch != bot->epoch ||
        (snap->n > 0 && store_stream_position(&controller->store, snap->stream) < snap->n))
        return;
    controller_check(controller, store_snapshot(controller, snap->bot, node, snap->stream, snap->n,
                                                snap->env.epoch, snap->env.ts_ms, snap->state));
    late_covered(controller, bot->name);
}

int takeover_record(struct controller *controller, const struct node *node, const char *stream,
                    const struct msg_ev_record *record)
{
    struct bot *bot = inventory_find_bot(&controller->inventory, record->bot);
    int err = 0;

    FLT_LOG(INFO, "release_heard", "bot=%s node=%s epoch=%" PRId64, record->bot, node->name,
            record->epoch);
    if (!bot || !bot_listed(bot) || strcmp(bot->node, node->name) != 0 ||
        record->epoch != bot->epoch)
        return 0; /* of an owner before */
    if (record->state.has_state)
        err = store_snapshot(controller, bot->name, node->name, stream, record->n, record->epoch,
                             record->ts_ms, record->state.state);
    if (record->state.has_state)
        late_covered(controller, bot->name);
    if (!err && (bot->release || bot->moving_to[0]))
        takeover_released(controller, bot);
    return err;
}

void takeover_released(struct controller *controller, struct bot *bot)
{
    char node[FLT_NAME_MAX];

    if (!bot->moving_to[0] || bot->release) {
        desired_removed(controller, bot);
        return;
    }
    snprintf(node, sizeof node, "%s", bot->moving_to);
    controller_check(controller, takeover_assign(controller, bot, node, "released"));
}

/* --- the change
 * ------------------------------------------------------------------------------------ */

/* The keys of its account are there before it. */
static void send_keys(struct controller *controller, const struct bot *bot, const char *name)
{
    struct node *node = inventory_find_node(&controller->inventory, name);

    if (node && bot->spec.has_account && node->word == NODE_UP)
        accounts_send(controller, node, bot->spec.account);
}

static int assign(struct controller *controller, struct bot *bot, const char *node, const char *why)
{
    char topic[TOPIC_MAX], what[96];
    int err;

    if (bot->epoch >= EPOCH_MAX)
        return FLT_FAIL(-EOVERFLOW, "bot=%s", bot->name);
    err = resume_store(controller, bot);
    if (err)
        return err;
    late_handed(controller, bot->name);
    topic_desired(topic, controller->config.tenant, bot->node, bot->name);
    snprintf(what, sizeof what, "moved from %s: %s", bot->node, why);
    FLT_LOG(INFO, "takeover", "bot=%s from=%s to=%s epoch=%" PRId64 " why=\"%s\"", bot->name,
            bot->node, node, bot->epoch + 1, why);
    bot->epoch++;
    bot->generation++;
    if (strcmp(bot->moving_to, node) == 0)
        bot->moving_to[0] = '\0';
    bot->has_state = bot->held_sticky = false;
    bot->heard_ms = -1;
    bot->changed_ms = controller_now_ms(controller);
    if (!bot->move_ms)
        bot->move_ms = controller_mono_ms(controller);
    if (bot->spec.has_placement && bot->spec.placement.has_node)
        snprintf(bot->spec.placement.node, sizeof bot->spec.placement.node, "%s", node);
    snprintf(bot->node, sizeof bot->node, "%s", node);
    err = store_save_bot(&controller->store, bot, "controller", what);
    if (err)
        return err;
    if (!controller_commit(controller))
        return -EIO;
    controller_clear(controller, topic); /* of its node until now */
    send_keys(controller, bot, node);
    desired_publish(controller, bot);
    return 0;
}

int takeover_assign(struct controller *controller, struct bot *bot, const char *node,
                    const char *why)
{
    snprintf(bot->moving_to, sizeof bot->moving_to, "%s", node);
    return assign(controller, bot, node, why);
}

void takeover_renew(struct controller *controller, const char *node)
{
    const struct inventory *inventory = &controller->inventory;

    for (size_t i = 0; i < inventory->bot_count && !controller->stopping; i++)
        if (bot_listed(inventory->bots[i]) && strcmp(inventory->bots[i]->node, node) == 0)
            controller_check(controller, assign(controller, inventory->bots[i], node,
                                                "its node is another journal or machine"));
}

int takeover_ask(struct controller *controller, struct bot *bot, const char *node, const char *by)
{
    char what[96];
    int err;

    snprintf(bot->moving_to, sizeof bot->moving_to, "%s", node);
    snprintf(what, sizeof what, "to move to %s", node);
    bot->generation++;
    bot->changed_ms = controller_now_ms(controller);
    bot->move_ms = controller_mono_ms(controller);
    err = store_save_bot(&controller->store, bot, by, what);
    if (err)
        return err;
    if (!controller_commit(controller))
        return -EIO;
    send_keys(controller, bot, node);
    desired_publish(controller, bot);
    return 0;
}

/* --- failover ------------------------------------------------------------------------------------
 */

static bool may_leave(const struct controller *controller, const struct bot *bot)
{
    const struct node *node = inventory_find_node(&controller->inventory, bot->node);
    const struct grant none = { .granted_ms = -1, .heard_ms = -1, .rival_ms = -1 };

    return bot_listed(bot) && !bot_is_sticky(bot) && !bot->held_sticky &&
           grant_may_take_over(node ? &node->grant : &none, &controller->grants,
                               controller_mono_ms(controller));
}

static void fail_over(struct controller *controller, struct bot *bot)
{
    const struct node *wished =
        bot->moving_to[0] ? inventory_find_node(&controller->inventory, bot->moving_to) : NULL;
    const struct node *to = wished && node_is_up(wished, controller_mono_ms(controller))
                                ? wished
                                : placement_choose(controller, &bot->spec, bot->venue, bot->node);
    char alert[TOPIC_LEVEL_MAX];

    snprintf(alert, sizeof alert, "takeover-%s", bot->name);
    if (to) {
        controller_check(controller, takeover_assign(controller, bot, to->name, "its lease ended"));
        return;
    }
    alert_raise(controller, alert, MSG_SEVERITY_CRITICAL, "no_owner", bot->name,
                "%s trades nowhere: %s has no lease, and no other node is up, fits and has room",
                bot->name, bot->node);
}

void takeover_tick(struct controller *controller)
{
    const int64_t now_ms = controller_mono_ms(controller);
    const int64_t pause_ms = controller_scaled_ms(controller, PAUSE_MS);
    /* Frozen, or cut off from everybody at once: then it is us, or the broker. */
    const bool deaf = now_ms - controller->tick_ms > pause_ms ||
                      now_ms - controller->heard_ms > pause_ms ||
                      !flt_mqtt_is_up(controller->mqtt) || owners_is_behind(controller);

    controller->tick_ms = now_ms;
    if (deaf)
        owners_attentive(controller);
    for (size_t i = 0; i < controller->inventory.bot_count && !controller->stopping; i++)
        if (may_leave(controller, controller->inventory.bots[i]))
            fail_over(controller, controller->inventory.bots[i]);
}
