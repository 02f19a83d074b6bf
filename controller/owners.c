/* Who holds what: grants for the process that is a node, and what nodes hold that is not theirs.
 * The rules are in grant.h and docs/ARCHITECTURE.md, "Who may trade". */
#define FLT_MOD "owners"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/controller.h"
#include "lib/log.h"

int owners_start(struct controller *controller)
{
    struct grant_policy *grants = &controller->grants;
    const int64_t slack_ms = controller_scaled_ms(controller, GRANT_SLACK_MS);
    const int64_t now_ms = controller_mono_ms(controller);
    int64_t before_ms;
    int err;

    grants->ttl_ms = controller_scaled_ms(controller, GRANT_TTL_MS);
    grants->guard_ms = grant_guard_ms(grants->ttl_ms, slack_ms);
    /* An earlier process of ours may have granted for longer than we do. */
    before_ms = store_meta_int(&controller->store, "lease_ttl_ms", grants->ttl_ms);
    if (before_ms < grants->ttl_ms)
        before_ms = grants->ttl_ms;
    grants->foreign_until_ms =
        controller->fresh ? now_ms : now_ms + grant_guard_ms(before_ms, slack_ms);
    grants->attentive_ms = now_ms;
    controller->tick_ms = now_ms;
    err = store_set_meta_int(&controller->store, "lease_ttl_ms", grants->ttl_ms);
    return err ? err : store_commit(&controller->store); /* before the first grant */
}

void owners_attentive(struct controller *controller)
{
    controller->grants.attentive_ms = controller_mono_ms(controller);
}

/* --- whose voice is the node's ---------------------------------------------------------------- */

bool owners_hear_presence(struct controller *controller, struct node *node,
                          struct msg_n_presence *presence)
{
    const struct grant_process *holder = &node->grant.holder;
    const bool same_place =
        presence->has_place && holder->place[0] && strcmp(presence->place, holder->place) == 0;

    (void)controller;
    if (grant_is_holder(&node->grant, presence->boot) || same_place)
        return true;
    if (presence->state != MSG_N_PRESENCE_STATE_UP)
        return false;
    msg_n_presence_finish(&node->rival);
    node->rival = *presence;
    node->has_rival = true;
    *presence = (struct msg_n_presence){ 0 };
    return false;
}

static void refuse(struct controller *controller, struct node *node, const struct msg_n_hb *hb,
                   bool cloned)
{
    struct msg_c_lease lease = { .term = controller->term,
                                 .k = hb->k,
                                 .incarnation = hb->incarnation,
                                 .halt = controller->halt_number,
                                 .has_refused = true,
                                 .has_why = true };
    char topic[TOPIC_MAX];

    controller_envelope(controller, &lease.env);
    snprintf(lease.boot, sizeof lease.boot, "%s", hb->boot);
    lease.refused = cloned ? MSG_C_LEASE_REFUSED_CLONED : MSG_C_LEASE_REFUSED_WAIT;
    if (cloned)
        snprintf(
            lease.why, sizeof lease.why,
            "another process is %s (host %.30s, pid %d) and has its lease; this one trades nothing",
            node->name, node->presence.has_host ? node->presence.host : "?",
            node->presence.has_pid ? (int)node->presence.pid : 0);
    else
        snprintf(lease.why, sizeof lease.why,
                 "the lease of the process that was %s has to end first, in %" PRId64 " ms",
                 node->name,
                 grant_ends_ms(&node->grant, &controller->grants) - controller_mono_ms(controller));
    controller_publish(controller, topic_lease(topic, controller->config.tenant, node->name),
                       &msg_type_c_lease, &lease, 0, false);
}

static void say_cloned(struct controller *controller, const struct node *node)
{
    char alert[TOPIC_LEVEL_MAX];

    snprintf(alert, sizeof alert, "cloned-%s", node->name);
    alert_raise(controller, alert, MSG_SEVERITY_CRITICAL, "node_cloned", node->name,
                "two processes say that they are %s: the one on host %s (pid %" PRId64
                ") has the lease, the one on host %s (pid %" PRId64 ") gets none and ends",
                node->name, node->presence.has_host ? node->presence.host : "?",
                node->presence.has_pid ? node->presence.pid : 0,
                node->has_rival && node->rival.has_host ? node->rival.host : "?",
                node->has_rival && node->rival.has_pid ? node->rival.pid : 0);
}

/* The holder is on disk before the first grant to it. */
static bool take_holder(struct controller *controller, struct node *node,
                        const struct grant_process *process)
{
    FLT_LOG(INFO, "lease_holder", "node=%s boot=%s place=%s", node->name, process->boot,
            process->place);
    const bool moved = grant_changes_place(&node->grant, process);

    if (moved)
        node_change_voice(node);
    grant_take(&node->grant, process, controller_mono_ms(controller));
    controller_check(controller,
                     store_save_node(&controller->store, node, controller_now_ms(controller)));
    if (moved)
        takeover_renew(controller, node->name);
    return controller_commit(controller);
}

#define LATE_MS 1000           /* however fast the times are: machines are not */
#define BEHIND_MS 1500         /* none in time for so long, */
#define BEHIND_MEMORY_MS 30000 /* and some that came late since then */
#define BEHIND_AFTER_MS 5000   /* until all have been heard again */

static void take_delay(struct controller *controller, struct node *node, const struct msg_n_hb *hb)
{
    const int64_t now_ms = controller_mono_ms(controller);

    node_measure(node, hb, now_ms);
    if (node->late_ms < LATE_MS)
        controller->prompt_ms = now_ms;
    else
        controller->late_ms = now_ms;
    if (controller->late_ms > controller->prompt_ms && now_ms - controller->prompt_ms > BEHIND_MS)
        controller->behind_ms = now_ms;
}

bool owners_is_behind(const struct controller *controller)
{
    const int64_t now_ms = controller_mono_ms(controller);
    const bool is_late = controller->late_ms > controller->prompt_ms;

    return controller->behind_ms &&
           now_ms - controller->behind_ms <
               controller_scaled_ms(controller, is_late ? BEHIND_MEMORY_MS : BEHIND_AFTER_MS);
}

bool owners_hear_hb(struct controller *controller, struct node *node, const struct msg_n_hb *hb)
{
    struct grant_process process = { .incarnation = hb->incarnation, .k = hb->k };
    enum grant_answer answer;

    controller->heard_ms = controller_mono_ms(controller);
    take_delay(controller, node, hb);
    snprintf(process.boot, sizeof process.boot, "%s", hb->boot);
    snprintf(process.place, sizeof process.place, "%s", hb->has_place ? hb->place : "");
    answer = grant_ask(&node->grant, &controller->grants, &process, controller_mono_ms(controller));
    switch (answer) {
    case GRANT_GIVEN:
        return true;
    case GRANT_NEW_HOLDER:
        return take_holder(controller, node, &process);
    case GRANT_CLONED:
        say_cloned(controller, node);
        refuse(controller, node, hb, true);
        return false;
    case GRANT_WAIT:
        refuse(controller, node, hb, false);
        return false;
    case GRANT_REPEATED:
        break;
    }
    return false;
}

void owners_fill_lease(const struct controller *controller, const struct node *node,
                       struct msg_lease_state *out)
{
    const struct grant *grant = &node->grant;
    const int64_t now_ms = controller_mono_ms(controller);
    const int64_t ends_ms = grant_ends_ms(grant, &controller->grants);

    *out = (struct msg_lease_state){ .state = MSG_LEASE_STATE_STATE_NONE };
    if (!grant->holder.boot[0])
        return;
    out->state = grant_is_over(grant, &controller->grants, now_ms) ? MSG_LEASE_STATE_STATE_OVER
                 : grant->granted_ms >= 0 && now_ms - grant->granted_ms <= controller->grants.ttl_ms
                     ? MSG_LEASE_STATE_STATE_HELD
                     : MSG_LEASE_STATE_STATE_WAITS;
    out->has_age_ms = grant->granted_ms >= 0;
    out->age_ms = out->has_age_ms ? now_ms - grant->granted_ms : 0;
    out->has_ends_ms = true;
    out->ends_ms = ends_ms > now_ms ? ends_ms - now_ms : 0;
    out->has_host = node->has_presence && node->presence.has_host;
    snprintf(out->host, sizeof out->host, "%s", node->presence.host);
    out->has_pid = node->has_presence && node->presence.has_pid;
    out->pid = node->presence.pid;
}

/* --- what a node holds that is not its
 * ------------------------------------------------------------ */

static void alert_name(const char *node, const char *bot, char out[TOPIC_LEVEL_MAX])
{
    snprintf(out, TOPIC_LEVEL_MAX, "unclaimed-%.18s-%.18s", node, bot);
}

/* It came back with what another node has now: it is told so, and gives it up without a word to the
 * venue. It could not trade it, as no grant lists it. */
static void tell_superseded(struct controller *controller, const char *node, const struct bot *bot,
                            const struct msg_bot_ref *held)
{
    struct msg_c_desired doc = { .term = controller->term,
                                 .generation = bot->generation + 1,
                                 .run = MSG_RUN_STOPPED,
                                 .has_how = true,
                                 .how = MSG_C_DESIRED_HOW_DETACH,
                                 .has_release = true,
                                 .release = true,
                                 .has_owner = true,
                                 .spec = bot->spec };
    struct msg_cmd_sync_args args = { .desired = &doc, .desired_count = 1 };

    controller_envelope(controller, &doc.env);
    doc.env.has_epoch = true;
    doc.env.epoch = bot->epoch;
    snprintf(doc.bot, sizeof doc.bot, "%s", bot->name);
    snprintf(doc.venue, sizeof doc.venue, "%s", bot->venue);
    snprintf(doc.owner, sizeof doc.owner, "%s", bot->node);
    FLT_LOG(INFO, "superseded", "bot=%s node=%s epoch=%" PRId64 " owner=%s", bot->name, node,
            held->epoch, bot->node);
    commands_send(controller, node, MSG_C_CMD_OP_SYNC, NULL, &args,
                  controller_scaled_ms(controller, 10000), false, NULL, NULL, NULL);
}

static bool is_known(const struct node *node, const char *bot)
{
    for (size_t i = 0; i < node->unclaimed_count; i++)
        if (strcmp(node->unclaimed[i], bot) == 0)
            return true;
    return false;
}

static void clear_gone(struct controller *controller, struct node *node,
                       const struct msg_bot_ref *held, size_t count)
{
    char alert[TOPIC_LEVEL_MAX];

    for (size_t i = 0; i < node->unclaimed_count; i++) {
        bool still = false;

        for (size_t k = 0; k < count; k++)
            still = still || strcmp(held[k].bot, node->unclaimed[i]) == 0;
        alert_name(node->name, node->unclaimed[i], alert);
        if (!still)
            alert_clear(controller, alert);
    }
}

static void take_unclaimed(struct controller *controller, struct node *node,
                           const struct msg_bot_ref *held, size_t count)
{
    char(*names)[FLT_NAME_MAX] = calloc(count + 1, sizeof *names);
    char alert[TOPIC_LEVEL_MAX];
    size_t used = 0;

    if (!names)
        return;
    clear_gone(controller, node, held, count);
    for (size_t i = 0; i < count; i++) {
        const struct bot *bot = inventory_find_bot(&controller->inventory, held[i].bot);

        if (bot && bot_listed(bot) && held[i].epoch < bot->epoch &&
            strcmp(bot->node, node->name) != 0) {
            tell_superseded(controller, node->name, bot, &held[i]);
            continue;
        }
        if (bot && bot_listed(bot) && strcmp(bot->node, node->name) == 0)
            continue; /* an older version of its own: the document is on its way */
        snprintf(names[used++], FLT_NAME_MAX, "%s", held[i].bot);
        if (is_known(node, held[i].bot))
            continue;
        alert_name(node->name, held[i].bot, alert);
        alert_raise(controller, alert, MSG_SEVERITY_CRITICAL, "unclaimed", held[i].bot,
                    "%s holds %s (epoch %" PRId64 "), which is not listed there: see bot-adopt",
                    node->name, held[i].bot, held[i].epoch);
    }
    free(node->unclaimed);
    node->unclaimed = names;
    node->unclaimed_count = used;
}

void owners_agree(struct controller *controller, struct node *node)
{
    if (node->unclaimed_count)
        take_unclaimed(controller, node, NULL, 0);
}

void owners_on_sync(struct controller *controller, const char *name, const struct msg_n_res *res)
{
    struct node *node = inventory_find_node(&controller->inventory, name);
    struct msg_cmd_sync_result result = { 0 };
    struct flt_error error = { 0 };

    if (!node || !res->has_result)
        return;
    if (msg_decode(&msg_type_cmd_sync_result, res->result, MSG_PROGRAM, &result, &error) == 0 &&
        result.has_held)
        take_unclaimed(controller, node, result.held, result.held_count);
    msg_cmd_sync_result_finish(&result);
}
