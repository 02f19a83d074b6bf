/* Commands to nodes: at least once on the wire, at most once executed (the node remembers ids). The
 * same id is sent again after 250 ms, 500 ms, ... until accepted or its deadline; then, and when we
 * were started anew in between, its node is asked what became of it. */
#define FLT_MOD "commands"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/controller.h"
#include "lib/crypto.h"
#include "lib/ids.h"
#include "lib/log.h"

#define RESEND_FIRST_MS 250
#define KEPT_MS (INT64_C(24) * 3600 * 1000) /* by the nodes */
#define QUERY_MS 5000

struct pending_command {
    struct pending_command *next;
    char id[FLT_ULID_MAX], node[FLT_NAME_MAX];
    char topic[TOPIC_MAX];
    char *payload;
    size_t size;
    int64_t due_ms, wait_ms, deadline_ms; /* monotonic */
    char bot[FLT_NAME_MAX];
    bool accepted, record, in_order;
    bool asking; /* it is not sent any more; its node is asked about it */
    command_done_fn *done;
    void *ctx;
};

static void command_free(struct pending_command *command)
{
    if (command->payload)
        flt_wipe(command->payload, command->size); /* it may carry sealed keys */
    free(command->payload);
    free(command);
}

/* One at a time for each bot, in the order they were asked: the next waits until the one before it
 * is accepted or given up. */
static bool must_wait(const struct pending_command *command)
{
    if (!command->in_order)
        return false;
    for (const struct pending_command *other = command->next; other; other = other->next)
        if (other->in_order && !other->accepted && strcmp(other->bot, command->bot) == 0 &&
            strcmp(other->node, command->node) == 0)
            return true; /* the list is newest first */
    return false;
}

static void send_once(struct controller *controller, struct pending_command *command)
{
    if (must_wait(command))
        return;
    const struct flt_mqtt_publish publish = { .topic = command->topic,
                                              .payload = command->payload,
                                              .payload_size = command->size,
                                              .qos = 1 };

    (void)!flt_mqtt_publish(controller->mqtt, &publish); /* down: the next turn sends it */
    command->due_ms = controller_mono_ms(controller) + command->wait_ms;
    command->wait_ms *= 2;
}

static int record_new(struct controller *controller, const struct pending_command *command,
                      enum msg_c_cmd_op op, const char *bot)
{
    sqlite3_stmt *stmt = store_write(&controller->store,
                                     "INSERT INTO commands (id, node, op, bot, state, created_ms,"
                                     " changed_ms, request) VALUES (?, ?, ?, ?, 'sent', ?, ?, ?)");

    flt_db_bind_str(stmt, 1, command->id);
    flt_db_bind_str(stmt, 2, command->node);
    flt_db_bind_str(stmt, 3, msg_c_cmd_op_name(op));
    flt_db_bind_str(stmt, 4, bot);
    flt_db_bind_int(stmt, 5, controller_now_ms(controller));
    flt_db_bind_int(stmt, 6, controller_now_ms(controller));
    flt_db_bind_str(stmt, 7, controller->store.request);
    return store_run(&controller->store, stmt);
}

static void record_state(struct controller *controller, const char *id, const char *state,
                         const struct msg_n_res *res)
{
    const bool accepted = strcmp(state, "accepted") == 0;
    const bool ended = res && !accepted && strcmp(state, "running") != 0;
    sqlite3_stmt *stmt = store_write(
        &controller->store,
        "UPDATE commands SET state = ?1, changed_ms = ?2, result = ?3, error = ?4,"
        " accepted_ms = CASE WHEN ?6 THEN coalesce(accepted_ms, ?2) ELSE accepted_ms END,"
        " ended_ms = CASE WHEN ?7 THEN ?2 END WHERE id = ?5");
    struct flt_buf error = FLT_BUF_INIT;

    if (res && res->has_error)
        msg_error_encode(&error, &res->error);
    flt_db_bind_str(stmt, 1, state);
    flt_db_bind_int(stmt, 2, controller_now_ms(controller));
    flt_db_bind_str(stmt, 3,
                    res && res->has_result ? json_object_to_json_string(res->result) : NULL);
    flt_db_bind_str(stmt, 4, error.data);
    flt_db_bind_str(stmt, 5, id);
    flt_db_bind_int(stmt, 6, accepted);
    flt_db_bind_int(stmt, 7, ended);
    controller_check(controller, store_run(&controller->store, stmt));
    flt_buf_finish(&error);
}

/* The whole message as text; NULL: no memory. */
static char *compose(struct controller *controller, struct pending_command *command,
                     enum msg_c_cmd_op op, const char *bot, const void *args, int64_t ttl_ms)
{
    const struct msg_op *row = msg_op_find(msg_c_cmd_op_name(op));
    struct msg_c_cmd cmd = { .term = controller->term, .op = op };
    const struct bot *about = bot ? inventory_find_bot(&controller->inventory, bot) : NULL;
    struct flt_buf buf = FLT_BUF_INIT;

    controller_envelope(controller, &cmd.env);
    snprintf(command->id, sizeof command->id, "%s", cmd.env.id);
    cmd.expires_ms = cmd.env.ts_ms + ttl_ms;
    cmd.has_bot = bot != NULL; /* also one that is not listed: bot-adopt asks for it */
    snprintf(cmd.bot, sizeof cmd.bot, "%s", bot ? bot : "");
    if (about) {
        cmd.env.has_epoch = true;
        cmd.env.epoch = about->epoch;
    }
    cmd.has_args = args != NULL;
    cmd.args = args ? msg_to_tree(row->args, args) : NULL;
    msg_c_cmd_encode(&buf, &cmd);
    json_object_put(cmd.args);
    command->size = buf.length;
    if (buf.failed)
        flt_buf_finish(&buf);
    return buf.data;
}

void commands_send(struct controller *controller, const char *node, enum msg_c_cmd_op op,
                   const char *bot, const void *args, int64_t ttl_ms, bool record, char *id,
                   command_done_fn *done, void *ctx)
{
    struct pending_command *command = calloc(1, sizeof *command);

    if (command)
        command->payload = compose(controller, command, op, bot, args, ttl_ms);
    if (!command || !command->payload) {
        free(command);
        if (done)
            done(controller, ctx, NULL);
        return;
    }
    snprintf(command->node, sizeof command->node, "%s", node);
    topic_cmd(command->topic, controller->config.tenant, node);
    command->wait_ms = RESEND_FIRST_MS;
    command->deadline_ms = controller_mono_ms(controller) + ttl_ms;
    /* All that a request sends to change something is kept: command-show lists them with it. */
    command->record = record || controller->store.request[0];
    command->in_order = record && bot;
    snprintf(command->bot, sizeof command->bot, "%s", bot ? bot : "");
    command->done = done;
    command->ctx = ctx;
    if (id)
        snprintf(id, FLT_ULID_MAX, "%s", command->id);
    if (command->record)
        controller_check(controller, record_new(controller, command, op, bot));
    command->next = controller->commands;
    controller->commands = command;
    send_once(controller, command);
}

static struct pending_command **find_place(struct controller *controller, const char *id)
{
    struct pending_command **place = &controller->commands;

    while (*place && strcmp((*place)->id, id) != 0)
        place = &(*place)->next;
    return place;
}

void commands_on_res(struct controller *controller, const char *node, const struct msg_n_res *res)
{
    struct pending_command **place = find_place(controller, res->re), *command = *place;
    const bool going =
        res->state == MSG_N_RES_STATE_ACCEPTED || res->state == MSG_N_RES_STATE_RUNNING;

    if (!command || strcmp(command->node, node) != 0)
        return; /* answered before, or not ours */
    if (command->record)
        record_state(controller, command->id, msg_n_res_state_name(res->state), res);
    if (going) {
        command->accepted = true;
        return;
    }
    if (res->has_error)
        FLT_LOG(WARN, "command_refused", "id=%s node=%s op=%s code=%s", res->re, node, res->op,
                res->error.code);
    *place = command->next;
    if (command->done)
        command->done(controller, command->ctx, res);
    command_free(command);
}

/* --- those without an answer
 * ------------------------------------------------------------------------------ */

static void start_asking(struct controller *controller, struct pending_command *command,
                         int64_t kept_ms)
{
    const int64_t now = controller_mono_ms(controller);

    if (command->payload)
        flt_wipe(command->payload, command->size);
    free(command->payload);
    command->payload = NULL;
    command->size = 0;
    command->asking = true;
    command->in_order = false;
    command->done = NULL;
    command->due_ms = now;
    command->deadline_ms = now + kept_ms;
    command->next = controller->commands;
    controller->commands = command;
}

int commands_load(struct controller *controller)
{
    const int64_t now = controller_now_ms(controller);
    sqlite3_stmt *stmt =
        store_read(&controller->store, "SELECT id, node, bot, state, created_ms FROM commands"
                                       " WHERE ended_ms IS NULL AND state IN"
                                       " ('sent', 'accepted', 'running', 'unknown')");
    int err = stmt ? 0 : -EIO;

    while (!err && store_next(&controller->store, stmt)) {
        struct pending_command *command = calloc(1, sizeof *command);
        const int64_t left = flt_db_int(stmt, 4) + KEPT_MS - now;

        if (!command) {
            err = -ENOMEM;
            break;
        }
        flt_db_copy(stmt, 0, command->id, sizeof command->id);
        flt_db_copy(stmt, 1, command->node, sizeof command->node);
        flt_db_copy(stmt, 2, command->bot, sizeof command->bot);
        command->accepted = strcmp(flt_db_str(stmt, 3), "accepted") == 0;
        command->record = true;
        start_asking(controller, command, left < 0 ? 0 : left > KEPT_MS ? KEPT_MS : left);
    }
    sqlite3_reset(stmt);
    return err;
}

/* Its end, as the node told it, or as follows from what it does not know. */
static void end_asked(struct controller *controller, struct pending_command **place,
                      enum msg_n_res_state state, const struct msg_cmd_query_result *told,
                      const char *why)
{
    struct pending_command *command = *place;
    struct msg_n_res res = { .state = state };
    struct flt_error error = { 0 };

    if (told) {
        res.has_result = told->has_result;
        res.result = told->result;
        res.has_error = told->has_error;
        res.error = told->error;
    }
    if (why) {
        (void)flt_error_set(&error, FLT_EXPIRED, "", "look at what is, then ask anew", "%s: %s",
                            command->node, why);
        res.has_error = true;
        msg_error_from(&res.error, &error);
    }
    FLT_LOG(INFO, "command_resolved", "id=%s node=%s state=%s", command->id, command->node,
            msg_n_res_state_name(state));
    record_state(controller, command->id, msg_n_res_state_name(state), &res);
    *place = command->next;
    command_free(command);
}

static void on_told(struct controller *controller, struct pending_command **place,
                    const struct msg_cmd_query_result *told)
{
    switch (told->state) {
    case MSG_CMD_QUERY_RESULT_STATE_DONE:
        end_asked(controller, place, MSG_N_RES_STATE_DONE, told, NULL);
        break;
    case MSG_CMD_QUERY_RESULT_STATE_FAILED:
        end_asked(controller, place, MSG_N_RES_STATE_FAILED, told, NULL);
        break;
    case MSG_CMD_QUERY_RESULT_STATE_REJECTED:
        end_asked(controller, place, MSG_N_RES_STATE_REJECTED, told, NULL);
        break;
    case MSG_CMD_QUERY_RESULT_STATE_EXPIRED:
        end_asked(controller, place, MSG_N_RES_STATE_EXPIRED, told, NULL);
        break;
    case MSG_CMD_QUERY_RESULT_STATE_UNKNOWN: /* what was sent before the question came before it */
        end_asked(controller, place, MSG_N_RES_STATE_EXPIRED, NULL,
                  "it did not come in time, and was not carried out");
        break;
    case MSG_CMD_QUERY_RESULT_STATE_ACCEPTED:
    case MSG_CMD_QUERY_RESULT_STATE_RUNNING:
        break; /* its answer is to come; we ask again */
    }
}

static void on_query(struct controller *controller, void *ctx, const struct msg_n_res *res)
{
    char *id = ctx;
    struct pending_command **place = find_place(controller, id);
    struct msg_cmd_query_result told = { 0 };

    if (*place && (*place)->asking && res && res->state == MSG_N_RES_STATE_DONE &&
        res->has_result && !controller->stopping &&
        msg_decode(&msg_type_cmd_query_result, res->result, MSG_PROGRAM, &told, NULL) == 0)
        on_told(controller, place, &told);
    msg_cmd_query_result_finish(&told);
    free(id);
}

static void ask(struct controller *controller, struct pending_command *command)
{
    const int64_t ttl_ms = controller_scaled_ms(controller, QUERY_MS);
    const struct node *node = inventory_find_node(&controller->inventory, command->node);
    struct msg_cmd_query_args args = { 0 };
    char *id = NULL;

    command->due_ms = controller_mono_ms(controller) + ttl_ms;
    if (node && node_is_up(node, controller_mono_ms(controller)))
        id = strdup(command->id);
    if (!id) {
        command->due_ms = controller_mono_ms(controller) + RESEND_FIRST_MS;
        return;
    }
    snprintf(args.id, sizeof args.id, "%s", id);
    commands_send(controller, command->node, MSG_C_CMD_OP_QUERY, NULL, &args, ttl_ms, false, NULL,
                  on_query, id);
}

static void expire(struct controller *controller, struct pending_command *command)
{
    if (command->record)
        record_state(controller, command->id, command->accepted ? "accepted" : "unknown", NULL);
    if (command->done)
        command->done(controller, command->ctx, NULL);
    if (command->record && !controller->stopping)
        start_asking(controller, command, KEPT_MS);
    else
        command_free(command);
}

void commands_on_tick(struct controller *controller)
{
    const int64_t now = controller_mono_ms(controller);
    struct pending_command **place = &controller->commands;

    while (*place) {
        struct pending_command *command = *place;

        if (command->asking && now >= command->deadline_ms) {
            end_asked(controller, place, MSG_N_RES_STATE_EXPIRED, NULL,
                      "not heard of for a day; nobody can tell whether it was carried out");
            continue;
        }
        if (now >= command->deadline_ms) {
            *place = command->next;
            expire(controller, command);
            place = &controller->commands; /* `done` may have sent others */
            continue;
        }
        if (command->asking && now >= command->due_ms)
            ask(controller, command); /* puts the question at the head of the list */
        else if (!command->asking && !command->accepted && now >= command->due_ms)
            send_once(controller, command);
        place = &command->next;
    }
}

void commands_finish(struct controller *controller)
{
    while (controller->commands) {
        struct pending_command *command = controller->commands;

        controller->commands = command->next;
        if (command->done)
            command->done(controller, command->ctx, NULL);
        command_free(command);
    }
}

size_t commands_open(const struct controller *controller)
{
    size_t count = 0;

    for (const struct pending_command *command = controller->commands; command;
         command = command->next)
        count++;
    return count;
}
