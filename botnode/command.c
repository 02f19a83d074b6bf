#define FLT_MOD "command"
#include "botnode/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/accounts.h"
#include "botnode/bus.h"
#include "botnode/handover.h"
#include "botnode/hosts.h"
#include "botnode/keytest.h"
#include "botnode/owner.h"
#include "botnode/recorder.h"
#include "botnode/report.h"
#include "botnode/truth.h"
#include "lib/fail.h"

#define AHEAD_MS 60000                     /* how far a controller's clock may be ahead */
#define LIFE_MAX_MS (INT64_C(3600) * 1000) /* no command waits longer for its node */
#define UNCLAIMED_MAX 256                  /* named in one answer */

struct call {                /* one command on its way through this file */
    struct call *next, **at; /* in the node's list */
    struct botnode *node;
    struct msg_c_cmd message; /* owned */
    int64_t received_ns;
    struct json_object *result;
    struct flt_error error;
};

enum { COMMAND_LATER = 1 }; /* its answer comes, with the end of the call */

struct command {
    enum msg_c_cmd_op op;
    /* 0, COMMAND_LATER, or negative with call->error filled. `args` is the decoded schema of the
     * row. */
    int (*run)(struct call *call, const void *args, struct host *host);
    const struct msg_type *args;
    bool needs_bot;
    bool mutates; /* journaled before it is accepted; a repeat is answered from the journal */
};

static const struct command *command_find(enum msg_c_cmd_op op);

/* --- answers
 * -------------------------------------------------------------------------------------------- */

static void answer_of(struct call *call, enum msg_n_res_state state, struct msg_n_res *out)
{
    bus_envelope(call->node->bus, &out->env);
    snprintf(out->re, sizeof out->re, "%s", call->message.env.id);
    snprintf(out->op, sizeof out->op, "%s", msg_c_cmd_op_name(call->message.op));
    out->state = state;
    out->has_bot = call->message.has_bot;
    snprintf(out->bot, sizeof out->bot, "%s", call->message.bot);
    out->has_result = call->result && state == MSG_N_RES_STATE_DONE;
    out->result = call->result;
    out->has_error = call->error.code != FLT_OK;
    if (out->has_error)
        msg_error_from(&out->error, &call->error);
    out->has_t_us = true;
    out->t_us = (flt_mono_ns(call->node->clock) - call->received_ns) / 1000;
}

static void send_text(struct botnode *node, const char *text, size_t length)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char topic[TOPIC_MAX];

    flt_buf_append(&buf, text, length);
    bus_publish(node->bus, topic_node_res(topic, node->config.tenant, node->config.node), &buf, 1,
                false);
    flt_buf_finish(&buf);
}

static void answer(struct call *call, enum msg_n_res_state state, bool keep)
{
    struct msg_n_res message = { 0 };
    struct flt_buf buf = FLT_BUF_INIT;

    answer_of(call, state, &message);
    msg_n_res_encode(&buf, &message);
    if (keep && !buf.failed) {
        const struct journal_command row = {
            .id = call->message.env.id,
            .op = msg_c_cmd_op_name(call->message.op),
            .state = msg_n_res_state_name(state),
            .result = buf.data,
            .ts_ms = flt_wall_ms(call->node->clock),
        };

        if (journal_command_put(call->node->journal, &row))
            FLT_LOG(ERROR, "command_not_stored", "id=%s", row.id);
    }
    if (!buf.failed)
        send_text(call->node, buf.data, buf.length);
    flt_buf_finish(&buf);
}

static struct call *call_create(struct botnode *node)
{
    struct call *call = calloc(1, sizeof *call);

    if (!call)
        return NULL;
    call->node = node;
    call->received_ns = flt_mono_ns(node->clock);
    call->next = node->calls;
    call->at = &node->calls;
    if (call->next)
        call->next->at = &call->next;
    return node->calls = call;
}

static void call_free(struct call *call)
{
    *call->at = call->next;
    if (call->next)
        call->next->at = call->at;
    json_object_put(call->result);
    msg_c_cmd_finish(&call->message);
    free(call);
}

/* --- the commands
 * ------------------------------------------------------------------------------------------ */

static int run_account(struct call *call, const void *args, struct host *host)
{
    (void)host;
    return accounts_put(call->node->accounts, args, &call->error);
}

static int run_account_forget(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_account_forget_args *forget = args;

    (void)host;
    return accounts_forget(call->node->accounts, forget->account, &call->error);
}

static int run_flatten(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_flatten_args *flatten = args;

    (void)call;
    host_log(host, FLT_LOG_WARN, "flatten", flatten->has_reason ? flatten->reason : "asked for");
    host_set_run(host, BOT_RUN_FLAT, BOT_STOP_FLATTEN);
    return 0;
}

static int run_cancel_order(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_cancel_order_args *cancel = args;

    if (!host->bot)
        return flt_error_set(&call->error, FLT_CONFLICT, "bot", "", "%s has no orders yet",
                             host->name);
    bot_cancel_order(host->bot, cancel->client_order_id);
    return 0;
}

static int run_watch(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_watch_args *watch = args;

    host->watch_until_ns = flt_mono_ns(call->node->clock) + watch->ttl_s * INT64_C(1000000000);
    host->live_sent_ns = 0;
    if (watch->ttl_s)
        report_live(host);
    return 0;
}

static int run_replay(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_replay_args *replay = args;

    (void)host;
    bus_replay(call->node->bus, replay->stream, replay->req, replay->from, replay->to);
    return 0;
}

static int run_sync(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_sync_args *sync = args;
    struct msg_cmd_sync_result result = { 0 };
    struct json_object *list = flt_json_get(call->message.args, "desired");

    (void)host;
    for (size_t i = 0; i < sync->desired_count; i++)
        result.applied += hosts_apply(call->node->hosts, &sync->desired[i],
                                      json_object_array_get_idx(list, i)) == 0;
    if (sync->last) {
        owner_take_list(call->node->owner, sync);
        result.held = calloc(UNCLAIMED_MAX, sizeof *result.held);
        result.has_held = result.held != NULL;
        result.held_count = hosts_unclaimed(call->node->hosts, sync->bots, sync->bots_count,
                                            result.held, result.held ? UNCLAIMED_MAX : 0);
        if (result.held_count > UNCLAIMED_MAX)
            result.held_count = UNCLAIMED_MAX;
    }
    call->result = msg_to_tree(&msg_type_cmd_sync_result, &result);
    free(result.held);
    return 0;
}

static int run_held(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_held_result result = { .desired = host->tree };

    (void)args;
    call->result = msg_to_tree(&msg_type_cmd_held_result, &result);
    return 0;
}

/* Accepted by an earlier process, which did not live to end it; nobody ends it any more. */
static void is_cut_short(struct call *call, const char *id, const char *op,
                         struct msg_cmd_query_result *result)
{
    const struct journal_command row = {
        .id = id, .op = op, .state = "failed", .ts_ms = flt_wall_ms(call->node->clock)
    };
    struct flt_error error = { 0 };

    if (journal_command_put(call->node->journal, &row))
        FLT_LOG(ERROR, "command_not_stored", "id=%s", id);
    flt_error_set(&error, FLT_UNAVAILABLE, "", "look at what is, then ask anew",
                  "the node ended while it carried this out");
    result->state = MSG_CMD_QUERY_RESULT_STATE_FAILED;
    result->has_error = true;
    msg_error_from(&result->error, &error);
}

static int run_query(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_query_args *query = args;
    struct msg_cmd_query_result result = { .state = MSG_CMD_QUERY_RESULT_STATE_UNKNOWN };
    struct msg_n_res told = { 0 };
    struct journal_command row;
    unsigned state;

    (void)host;
    snprintf(result.id, sizeof result.id, "%s", query->id);
    if (journal_command_find(call->node->journal, query->id, &row) == 1 &&
        msg_enum_parse(&msg_enum_cmd_query_result_state, row.state, &state)) {
        result.state = (enum msg_cmd_query_result_state)state;
        if (row.result && msg_parse(&msg_type_n_res, row.result, strlen(row.result), MSG_PROGRAM,
                                    &told, NULL) == 0) {
            result.has_result = told.has_result;
            result.result = told.result;
            result.has_error = told.has_error;
            result.error = told.error;
        } else if (!row.result && result.state == MSG_CMD_QUERY_RESULT_STATE_ACCEPTED &&
                   row.ts_ms < call->node->started_ms) {
            char op[48];

            snprintf(op, sizeof op, "%s", row.op); /* the row is borrowed */
            is_cut_short(call, query->id, op, &result);
        }
    }
    call->result = msg_to_tree(&msg_type_cmd_query_result, &result);
    msg_n_res_finish(&told);
    return 0;
}

static int run_status(struct call *call, const void *args, struct host *host)
{
    struct msg_cmd_status_result result = { 0 };
    struct venue_stats stats;

    (void)args;
    (void)host;
    venues_get_stats(call->node->venues, &stats);
    snprintf(result.node.node, sizeof result.node.node, "%s", call->node->config.node);
    result.node.state = MSG_NODE_ROW_STATE_UP;
    result.node.incarnation = bus_incarnation(call->node->bus);
    result.node.bots = (int64_t)hosts_count(call->node->hosts);
    result.node.has_running = result.node.has_head = result.node.has_started_ms = true;
    result.node.running = (int64_t)hosts_running(call->node->hosts);
    result.node.head = journal_committed(call->node->journal);
    result.node.started_ms = call->node->started_ms;
    result.counters = json_object_new_object();
    result.has_counters = result.counters != NULL;
    json_object_object_add(result.counters, "market_events",
                           json_object_new_int64((int64_t)stats.events));
    json_object_object_add(result.counters, "instruments",
                           json_object_new_int64((int64_t)stats.instruments));
    call->result = msg_to_tree(&msg_type_cmd_status_result, &result);
    json_object_put(result.counters);
    return 0;
}

static int run_logs(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_logs_args *logs = args;

    call->result = report_logs(host, logs->has_limit ? (size_t)logs->limit : HOST_LOG_ROWS);
    return 0;
}

static int run_orders(struct call *call, const void *args, struct host *host)
{
    (void)args;
    call->result = report_orders(host);
    return 0;
}

static int run_record(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_record_args *record = args;
    struct msg_cmd_record_result result = { 0 };
    const int err = host_record(host, record->ttl_s);
    const struct recorder *recorder = host->recorder;

    if (err)
        return flt_error_set(&call->error, FLT_UNAVAILABLE, "bot", "look at the node's disk",
                             "no recording can be made: %s", strerror(-err));
    if (!recorder)
        return flt_error_set(&call->error, FLT_NOT_FOUND, "bot", "", "%s was not recorded",
                             host->name);
    snprintf(result.bot, sizeof result.bot, "%s", host->name);
    snprintf(result.node, sizeof result.node, "%s", call->node->config.node);
    snprintf(result.file, sizeof result.file, "%s", recorder->file);
    snprintf(result.ended, sizeof result.ended, "%s", recorder->ended);
    result.recording = recorder_is_on(recorder);
    result.has_ended = !result.recording;
    result.bytes = (int64_t)recorder->bytes;
    result.inputs = (int64_t)recorder->tape.inputs;
    result.outputs = (int64_t)recorder->tape.outputs;
    call->result = msg_to_tree(&msg_type_cmd_record_result, &result);
    return 0;
}

/* --- those that take their time
 * ---------------------------------------------------------------------------- */

static void on_later(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct call *call = ctx;
    const struct command *command = command_find(call->message.op);

    call->result = result;
    call->error = *error;
    if (!call->node->stopping)
        answer(call, result ? MSG_N_RES_STATE_DONE : MSG_N_RES_STATE_FAILED, command->mutates);
    call_free(call);
}

static void on_late_fill_kept(void *ctx)
{
    struct call *call = ctx;
    struct json_object *result = call->result;
    const struct flt_error none = { 0 };

    call->result = NULL;
    on_later(call, result, &none);
}

/* Done is said when it is on disk, and after every snapshot that was written before it. */
static int run_late_fill(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_late_fill_args *late = args;
    struct msg_cmd_late_fill_result result = { 0 };
    int booked;

    if (!host->bot)
        return flt_error_set(&call->error, FLT_CONFLICT, "bot", "send it again later",
                             "%s has not begun yet", host->name);
    booked = handover_late_fill(host, &late->fill);
    if (booked < 0)
        return booked;
    result.booked = booked;
    call->result = msg_to_tree(&msg_type_cmd_late_fill_result, &result);
    journal_after(call->node->journal, on_late_fill_kept, call);
    return COMMAND_LATER;
}

static int run_account_check(struct call *call, const void *args, struct host *host)
{
    const struct msg_cmd_account_check_args *check = args;
    const int err = truth_check(call->node->truth, check, on_later, call, &call->error);

    (void)host;
    return err ? err : COMMAND_LATER;
}

static int run_account_test(struct call *call, const void *args, struct host *host)
{
    const int err = keytest_start(call->node, args, on_later, call, &call->error);

    (void)host;
    return err ? err : COMMAND_LATER;
}

static int run_reconcile(struct call *call, const void *args, struct host *host)
{
    const int err = truth_reconcile(call->node->truth, host, args, on_later, call, &call->error);

    return err ? err : COMMAND_LATER;
}

static const struct command commands[] = {
    { MSG_C_CMD_OP_ACCOUNT, run_account, &msg_type_cmd_account_args, false, true },
    { MSG_C_CMD_OP_ACCOUNT_FORGET, run_account_forget, &msg_type_cmd_account_forget_args, false,
      true },
    { MSG_C_CMD_OP_FLATTEN, run_flatten, &msg_type_cmd_flatten_args, true, true },
    { MSG_C_CMD_OP_CANCEL_ORDER, run_cancel_order, &msg_type_cmd_cancel_order_args, true, true },
    { MSG_C_CMD_OP_WATCH, run_watch, &msg_type_cmd_watch_args, true, false },
    { MSG_C_CMD_OP_REPLAY, run_replay, &msg_type_cmd_replay_args, false, false },
    { MSG_C_CMD_OP_SYNC, run_sync, &msg_type_cmd_sync_args, false, false },
    { MSG_C_CMD_OP_QUERY, run_query, &msg_type_cmd_query_args, false, false },
    { MSG_C_CMD_OP_STATUS, run_status, &msg_type_cmd_status_args, false, false },
    { MSG_C_CMD_OP_LOGS, run_logs, &msg_type_cmd_logs_args, true, false },
    { MSG_C_CMD_OP_ORDERS, run_orders, &msg_type_cmd_orders_args, true, false },
    { MSG_C_CMD_OP_ACCOUNT_CHECK, run_account_check, &msg_type_cmd_account_check_args, false,
      false },
    { MSG_C_CMD_OP_ACCOUNT_TEST, run_account_test, &msg_type_cmd_account_test_args, false, false },
    { MSG_C_CMD_OP_RECONCILE, run_reconcile, &msg_type_cmd_reconcile_args, true, true },
    { MSG_C_CMD_OP_HELD, run_held, &msg_type_cmd_held_args, true, false },
    { MSG_C_CMD_OP_LATE_FILL, run_late_fill, &msg_type_cmd_late_fill_args, true, true },
    { MSG_C_CMD_OP_RECORD, run_record, &msg_type_cmd_record_args, true, true },
};

/* --- the way through
 * ------------------------------------------------------------------------------------------ */

static const struct command *command_find(enum msg_c_cmd_op op)
{
    for (size_t i = 0; i < FLT_COUNT(commands); i++) {
        if (commands[i].op == op)
            return &commands[i];
    }
    return NULL;
}

/* Arguments, bot, then the command itself. */
static int command_run(struct call *call, const struct command *command)
{
    struct host *host =
        call->message.has_bot ? hosts_find(call->node->hosts, call->message.bot) : NULL;
    struct json_object *none = call->message.args ? NULL : json_object_new_object();
    void *args = calloc(1, command->args->size);
    int err = args ? msg_decode(command->args, none ? none : call->message.args, MSG_PROGRAM, args,
                                &call->error)
                   : -ENOMEM;

    if (!err && command->needs_bot && !host)
        err = flt_error_set(&call->error, FLT_NOT_FOUND, "bot", "", "no bot %s on this node",
                            call->message.bot);
    if (!err)
        err = command->run(call, args, host);
    if (args)
        msg_finish(command->args, args);
    free(args);
    json_object_put(none);
    return err;
}

static void run_and_answer(struct call *call, const struct command *command)
{
    const int err = command_run(call, command);

    if (err == COMMAND_LATER)
        return;
    if (err && call->error.code == FLT_OK)
        flt_error_set(&call->error, flt_error_from_errno(err), "", "", "the command failed");
    answer(call, err ? MSG_N_RES_STATE_FAILED : MSG_N_RES_STATE_DONE, command->mutates);
    call_free(call);
}

/* The id is on disk now: from here on a repeat is answered, never run again. */
static void on_accepted(void *ctx)
{
    struct call *call = ctx;

    answer(call, MSG_N_RES_STATE_ACCEPTED, false);
    run_and_answer(call, command_find(call->message.op));
}

static void accept_first(struct call *call)
{
    const struct journal_command row = {
        .id = call->message.env.id,
        .op = msg_c_cmd_op_name(call->message.op),
        .state = "accepted",
        .ts_ms = flt_wall_ms(call->node->clock),
    };

    if (journal_command_put(call->node->journal, &row)) {
        flt_error_set(&call->error, FLT_UNAVAILABLE, "", "look at the node's disk",
                      "the node's journal takes no commands now");
        answer(call, MSG_N_RES_STATE_REJECTED, false);
        call_free(call);
        return;
    }
    journal_after(call->node->journal, on_accepted, call);
}

/* True: it was answered from the table of earlier commands. One that an earlier process accepted
 * and did not live to run is run now: each of them may be run twice without harm. */
static bool answer_repeat(struct call *call)
{
    struct journal_command row;

    if (journal_command_find(call->node->journal, call->message.env.id, &row) != 1)
        return false;
    if (row.result || row.ts_ms >= call->node->started_ms)
        flt_refuse(&call->node->refused, FLT_REFUSED_REPEATED);
    if (row.result)
        send_text(call->node, row.result, strlen(row.result));
    else if (row.ts_ms < call->node->started_ms)
        return false;
    else
        answer(call, MSG_N_RES_STATE_ACCEPTED, false);
    return true;
}

static void reject(struct call *call, enum flt_refusal kind, enum msg_n_res_state state)
{
    flt_refuse(&call->node->refused, kind);
    answer(call, state, false);
}

/* Waited too long somewhere, or comes from a clock that is ahead: with it, its deadline says
 * nothing. */
static bool is_out_of_time(struct call *call)
{
    const int64_t now = flt_wall_ms(call->node->clock);
    const struct msg_c_cmd *message = &call->message;

    if (message->expires_ms < now) {
        flt_error_set(&call->error, FLT_EXPIRED, "expires_ms", "send it again if it still holds",
                      "the command came %lld ms after its deadline",
                      (long long)(now - message->expires_ms));
        reject(call, FLT_REFUSED_EXPIRED, MSG_N_RES_STATE_EXPIRED);
        return true;
    }
    if (message->env.ts_ms <= now + AHEAD_MS && message->expires_ms <= now + LIFE_MAX_MS)
        return false;
    flt_error_set(&call->error, FLT_INVALID_ARGUMENT, "ts_ms", "compare the clocks",
                  "the command is from a clock that is %lld ms ahead",
                  (long long)(message->env.ts_ms - now));
    reject(call, FLT_REFUSED_FUTURE, MSG_N_RES_STATE_REJECTED);
    return true;
}

/* What was asked of a bot before what is done already, or of an owner before this one. */
static bool is_overtaken(struct call *call, const struct command *command)
{
    const struct msg_c_cmd *message = &call->message;
    struct host *host = message->has_bot ? hosts_find(call->node->hosts, message->bot) : NULL;

    if (!host)
        return false;
    if (message->env.has_epoch && message->env.epoch < host->desired.env.epoch) {
        flt_error_set(&call->error, FLT_STALE, "epoch", "look at what is",
                      "epoch %lld of %s is over, it is %lld", (long long)message->env.epoch,
                      host->name, (long long)host->desired.env.epoch);
        reject(call, FLT_REFUSED_OLD_EPOCH, MSG_N_RES_STATE_REJECTED);
        return true;
    }
    if (!command->mutates || !message->env.has_seq)
        return false;
    if (message->term == host->command_term && message->env.seq < host->command_seq) {
        flt_error_set(&call->error, FLT_STALE, "seq", "look at what is, then ask anew",
                      "a later command for %s was carried out before this one came", host->name);
        reject(call, FLT_REFUSED_OUT_OF_ORDER, MSG_N_RES_STATE_REJECTED);
        return true;
    }
    host->command_term = message->term;
    host->command_seq = message->env.seq;
    return false;
}

static bool refused(struct call *call, const struct command *command, bool retained)
{
    if (retained) {
        flt_error_set(&call->error, FLT_INVALID_ARGUMENT, "", "publish it without retain",
                      "a command is never retained");
        reject(call, FLT_REFUSED_RETAINED, MSG_N_RES_STATE_REJECTED);
        return true;
    }
    if (!bus_take_term(call->node->bus, call->message.term)) {
        flt_error_set(&call->error, FLT_STALE, "term", "a newer controller leads this fleet",
                      "term %lld is older than %lld", (long long)call->message.term,
                      (long long)bus_term(call->node->bus));
        answer(call, MSG_N_RES_STATE_REJECTED, false);
        return true;
    }
    if (is_out_of_time(call))
        return true;
    if (command->mutates && answer_repeat(call)) /* a question is answered anew, as things are */
        return true;
    return is_overtaken(call, command);
}

void command_take(struct botnode *node, struct json_object *tree, bool retained)
{
    struct call *call = call_create(node);
    const struct command *command;

    if (!call)
        return;
    if (msg_c_cmd_decode(tree, MSG_PROGRAM, &call->message, &call->error)) {
        flt_refuse(&node->refused, FLT_REFUSED_MALFORMED);
        if (msg_envelope_decode(tree, MSG_PROGRAM, &call->message.env, NULL) == 0)
            answer(call, MSG_N_RES_STATE_REJECTED, false);
        else
            FLT_LOG(WARN, "malformed", "why=\"%s\"", call->error.message);
        call_free(call);
        return;
    }
    command = command_find(call->message.op);
    if (!command || refused(call, command, retained))
        call_free(call);
    else if (command->mutates)
        accept_first(call);
    else
        run_and_answer(call, command);
}

void commands_destroy(struct botnode *node)
{
    while (node->calls)
        call_free(node->calls);
}
