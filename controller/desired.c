/* What nodes should run, said in three ways that heal each other: a retained document per bot, a
 * sync command with all of them after a birth or when hashes differ, and the hash itself in each
 * lease. */
#define FLT_MOD "desired"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/controller.h"
#include "lib/log.h"

#define SYNC_CHUNK 50
#define SYNC_TTL_MS 10000
#define SYNC_EVERY_MS 3000 /* a node needs a moment to apply what it got */
#define SYNC_BYTES (128 * 1024)

/* The caller finishes out->resume. */
static void fill_desired(struct controller *controller, const struct bot *bot,
                         struct msg_c_desired *out)
{
    memset(out, 0, sizeof *out);
    controller_envelope(controller, &out->env);
    out->env.has_epoch = true;
    out->env.epoch = bot->epoch;
    out->term = controller->term;
    snprintf(out->bot, sizeof out->bot, "%s", bot->name);
    out->generation = bot->generation;
    out->run = bot->run;
    out->has_how = bot->run == MSG_RUN_STOPPED;
    out->how = bot->how;
    if (bot->moving_to[0]) { /* to its node it ends there; what it should be is the next one's */
        out->run = MSG_RUN_STOPPED;
        out->has_how = true;
        out->how = MSG_C_DESIRED_HOW_CANCEL;
    }
    out->has_release = out->release = bot->release || bot->moving_to[0];
    out->spec = bot->spec; /* borrowed */
    snprintf(out->venue, sizeof out->venue, "%s", bot->venue);
    out->has_sandbox = true;
    out->sandbox = bot->sandbox;
    out->has_resume = resume_load(controller, bot, &out->resume);
}

void desired_publish(struct controller *controller, const struct bot *bot)
{
    struct msg_c_desired desired;
    char topic[TOPIC_MAX];

    fill_desired(controller, bot, &desired);
    controller_publish(controller,
                       topic_desired(topic, controller->config.tenant, bot->node, bot->name),
                       &msg_type_c_desired, &desired, 1, true);
    msg_resume_finish(&desired.resume);
}

void desired_clear(struct controller *controller, const struct bot *bot)
{
    char topic[TOPIC_MAX];

    controller_clear(controller,
                     topic_desired(topic, controller->config.tenant, bot->node, bot->name));
}

static void on_synced(struct controller *controller, void *ctx, const struct msg_n_res *res)
{
    if (res && res->state == MSG_N_RES_STATE_DONE && !controller->stopping)
        owners_on_sync(controller, ctx, res);
    free(ctx);
}

static void send_chunk(struct controller *controller, const struct node *node,
                       struct msg_cmd_sync_args *args)
{
    char *name = args->last ? strdup(node->name) : NULL;

    commands_send(controller, node->name, MSG_C_CMD_OP_SYNC, NULL, args, SYNC_TTL_MS, false, NULL,
                  name ? on_synced : NULL, name);
    for (size_t i = 0; i < args->desired_count; i++)
        msg_resume_finish(&args->desired[i].resume);
    args->desired_count = 0;
}

/* Documents with what a new owner begins with are long. */
static bool is_long(const struct msg_c_desired *doc)
{
    return doc->has_resume && doc->resume.has_state &&
           strlen(json_object_to_json_string_ext(doc->resume.state, JSON_C_TO_STRING_PLAIN)) >
               SYNC_BYTES / SYNC_CHUNK;
}

static void sync_grants(const struct controller *controller, const struct node *node,
                        struct msg_cmd_sync_args *args)
{
    args->has_k = args->has_boot = args->has_incarnation = args->has_ttl_ms = true;
    args->k = node->hb.k;
    args->incarnation = node->incarnation;
    args->ttl_ms = controller->grants.ttl_ms;
    snprintf(args->boot, sizeof args->boot, "%s", node->boot);
}

void desired_sync(struct controller *controller, struct node *node, bool grants)
{
    const struct inventory *inventory = &controller->inventory;
    struct msg_cmd_sync_args args = { 0 };

    args.desired = calloc(SYNC_CHUNK, sizeof *args.desired);
    args.bots = calloc(inventory->bot_count + 1, sizeof *args.bots);
    node->synced_ms = controller_mono_ms(controller);
    if (!args.desired || !args.bots)
        goto out;
    size_t listed = 0;
    for (size_t i = 0; i < inventory->bot_count; i++) {
        const struct bot *bot = inventory->bots[i];
        struct msg_c_desired *doc = &args.desired[args.desired_count];

        if (!bot_listed(bot) || strcmp(bot->node, node->name) != 0)
            continue;
        fill_desired(controller, bot, doc);
        args.desired_count++;
        snprintf(args.bots[listed].bot, sizeof args.bots[listed].bot, "%s", bot->name);
        args.bots[listed].epoch = bot->epoch;
        args.bots[listed++].generation = bot->generation;
        if (args.desired_count == SYNC_CHUNK || is_long(doc))
            send_chunk(controller, node, &args);
    }
    args.last = true;
    args.bots_count = listed;
    if (grants)
        sync_grants(controller, node, &args);
    send_chunk(controller, node, &args);
    FLT_LOG(INFO, "sync_sent", "node=%s bots=%zu", node->name, listed);
out:
    free(args.desired);
    free(args.bots);
}

/* A node that holds all but the bots it was to release has released them, or never had them, once
 * that we have its whole stream: the word that said so was lost. False: that is not it. */
static bool take_releases(struct controller *controller, const struct node *node)
{
    const struct inventory *inventory = &controller->inventory;
    char without[MSG_HASH_MAX];
    size_t count = 0;

    if (inventory_hash(inventory, node->name, false, &count, without) != 0 ||
        count == inventory_bots_of(inventory, node->name) ||
        strcmp(without, node->hb.bots_hash) != 0 ||
        (node->hb.head > 0 &&
         store_stream_position(&controller->store, node->stream) < node->hb.head))
        return false;
    for (size_t i = 0; i < inventory->bot_count; i++) {
        struct bot *bot = inventory->bots[i];

        if (bot_listed(bot) && (bot->release || bot->moving_to[0]) &&
            strcmp(bot->node, node->name) == 0)
            takeover_released(controller, bot);
    }
    return true;
}

void desired_on_hb(struct controller *controller, struct node *node)
{
    const int64_t now = controller_mono_ms(controller);
    struct msg_c_lease lease = { .term = controller->term,
                                 .k = node->hb.k,
                                 .incarnation = node->incarnation,
                                 .ttl_ms = controller->grants.ttl_ms,
                                 .has_owned_hash = true,
                                 .halt = controller->halt_number };
    char topic[TOPIC_MAX];
    size_t count = 0;

    if (inventory_hash(&controller->inventory, node->name, true, &count, lease.bots_hash) != 0 ||
        inventory_owned_hash(&controller->inventory, node->name, lease.owned_hash) != 0)
        return;
    controller_envelope(controller, &lease.env);
    snprintf(lease.boot, sizeof lease.boot, "%s", node->boot);
    lease.bots = (int64_t)count;
    controller_publish(controller, topic_lease(topic, controller->config.tenant, node->name),
                       &msg_type_c_lease, &lease, 0, false);
    if (strcmp(lease.bots_hash, node->hb.bots_hash) == 0)
        owners_agree(controller, node);
    if (strcmp(lease.bots_hash, node->hb.bots_hash) != 0 && take_releases(controller, node))
        return; /* the next lease has the new hash */
    if (strcmp(lease.bots_hash, node->hb.bots_hash) != 0 &&
        (node->synced_ms < 0 ||
         now - node->synced_ms >= controller_scaled_ms(controller, SYNC_EVERY_MS)))
        desired_sync(controller, node, true);
    if (node->hb.has_halt && node->hb.halt < controller->halt_number)
        halts_publish(controller);
}

void desired_removed(struct controller *controller, struct bot *bot)
{
    desired_clear(controller, bot);
    bot->removed = true;
    bot->has_state = false;
    bot->changed_ms = controller_now_ms(controller);
    controller_check(controller, store_save_bot(&controller->store, bot, "controller", "removed"));
    FLT_LOG(INFO, "bot_removed", "bot=%s node=%s", bot->name, bot->node);
}

/* --- halts
 * ------------------------------------------------------------------------------------------ */

static void read_halt(sqlite3_stmt *stmt, struct msg_halt *out)
{
    unsigned word = 0;

    memset(out, 0, sizeof *out);
    out->number = flt_db_int(stmt, 0);
    (void)msg_enum_parse(&msg_enum_halt_scope, flt_db_str(stmt, 1), &word);
    out->scope = (enum msg_halt_scope)word;
    flt_db_copy(stmt, 2, out->target, sizeof out->target);
    out->has_target = out->target[0] != '\0';
    word = 0;
    (void)msg_enum_parse(&msg_enum_halt_how, flt_db_str(stmt, 3), &word);
    out->how = (enum msg_halt_how)word;
    flt_db_copy(stmt, 4, out->reason, sizeof out->reason);
    flt_db_copy(stmt, 5, out->by, sizeof out->by);
    out->ts_ms = flt_db_int(stmt, 6);
}

int halts_read(struct controller *controller, struct msg_halt **out, size_t *count)
{
    sqlite3_stmt *stmt =
        store_read(&controller->store, "SELECT number, scope, target, how, reason, by, ts_ms"
                                       " FROM halts ORDER BY number");
    struct msg_halt *list = NULL;
    size_t used = 0;

    while (store_next(&controller->store, stmt)) {
        struct msg_halt *grown = realloc(list, (used + 1) * sizeof *list);

        if (!grown) {
            free(list);
            sqlite3_reset(stmt);
            return -ENOMEM;
        }
        list = grown;
        read_halt(stmt, &list[used++]);
    }
    *out = list;
    *count = used;
    return 0;
}

void halts_publish(struct controller *controller)
{
    struct msg_ctl_halt message = { .term = controller->term, .number = controller->halt_number };
    char topic[TOPIC_MAX];

    controller_envelope(controller, &message.env);
    if (halts_read(controller, &message.halts, &message.halts_count) != 0)
        return;
    controller_publish(controller, topic_ctl_halt(topic, controller->config.tenant),
                       &msg_type_ctl_halt, &message, 1, true);
    free(message.halts);
}
