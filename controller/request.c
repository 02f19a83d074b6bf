/* Requests of users: decode, check the role, run the verb's row, answer, and write the audit. */
#define FLT_MOD "request"
#include "controller/request.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/once.h"
#include "controller/users.h"
#include "lib/crypto.h"
#include "lib/log.h"

#define REQUEST_BYTES_MAX (256 * 1024)
#define UNIQUE_ID_MIN 20 /* shorter ids are typed by hand, again and again: not remembered */
#define AHEAD_MS 60000   /* clocks of people are not better */

const struct handler handlers[] = {
    { "account-add", verb_account_add },
    { "account-check", verb_account_check },
    { "account-key", verb_account_key },
    { "account-ls", verb_account_ls },
    { "account-rm", verb_account_rm },
    { "account-test", verb_account_test },
    { "apply", verb_apply },
    { "audit-ls", verb_audit_ls },
    { "backup-create", verb_backup_create },
    { "backup-ls", verb_backup_ls },
    { "bot-deploy", verb_bot_deploy },
    { "bot-equity", verb_bot_equity },
    { "bot-fills", verb_bot_fills },
    { "bot-logs", verb_bot_logs },
    { "bot-ls", verb_bot_ls },
    { "bot-orders", verb_bot_orders },
    { "bot-pause", verb_bot_pause },
    { "bot-resume", verb_bot_resume },
    { "bot-rm", verb_bot_rm },
    { "bot-show", verb_bot_show },
    { "bot-start", verb_bot_start },
    { "bot-stop", verb_bot_stop },
    { "bot-reconcile", verb_bot_reconcile },
    { "bot-record", verb_bot_record },
    { "bot-watch", verb_bot_watch },
    { "candles", verb_candles },
    { "command-show", verb_command_show },
    { "halt", verb_halt },
    { "halt-ls", verb_halt_ls },
    { "halt-show", verb_halt_show },
    { "instrument-ls", verb_instrument_ls },
    { "login-add", verb_login_add },
    { "login-rm", verb_login_rm },
    { "node-ls", verb_node_ls },
    { "node-show", verb_node_show },
    { "pnl", verb_pnl },
    { "reconcile", verb_reconcile },
    { "resume", verb_resume },
    { "status", verb_status },
    { "strategy-ls", verb_strategy_ls },
    { "strategy-show", verb_strategy_show },
    { "user-add", verb_user_add },
    { "user-ls", verb_user_ls },
    { "user-passwd", verb_user_passwd },
    { "user-rm", verb_user_rm },
    { "order-ls", verb_order_ls },
    { "portfolio", verb_portfolio },
    { "pnl-days", verb_pnl_days },
    { "alert-ls", verb_alert_ls },
    { "alert-ack", verb_alert_ack },
    { "market-ls", verb_market_ls },
    { "bot-history", verb_bot_history },
    { "log-ls", verb_log_ls },
    { "token-add", verb_token_add },
    { "token-ls", verb_token_ls },
    { "token-rm", verb_token_rm },
    { "user-role", verb_user_role },
    { "notify-add", verb_notify_add },
    { "notify-ls", verb_notify_ls },
    { "notify-rm", verb_notify_rm },
    { "notify-test", verb_notify_test },
    { "node-drain", verb_node_drain },
    { "bot-move", verb_bot_move },
    { "rebalance", verb_rebalance },
    { "node-rm", verb_node_rm },
    { "bot-adopt", verb_bot_adopt },
    { "health", verb_health },
    { "whoami", verb_whoami },
};
const size_t handler_count = FLT_COUNT(handlers);

static const struct handler *find_handler(const char *verb)
{
    for (size_t i = 0; i < handler_count; i++)
        if (strcmp(handlers[i].verb, verb) == 0)
            return &handlers[i];
    return NULL;
}

/* --- answers
 * ---------------------------------------------------------------------------------------- */

static void audit_outcome(const struct request *request, sqlite3_stmt *stmt, int first,
                          const struct flt_error *error)
{
    flt_db_bind_int(stmt, first, error == NULL);
    flt_db_bind_str(stmt, first + 1, error ? flt_error_name(error->code) : NULL);
    flt_db_bind_str(stmt, first + 2, error ? error->message : NULL);
    flt_db_bind_str(stmt, first + 3, error ? "" : request->changes);
}

/* The row of a change that a handler has committed is there already; its end may be another. */
static void end_audit(const struct request *request, const struct flt_error *error)
{
    struct store *store = &request->controller->store;
    sqlite3_stmt *stmt = store_write(
        store, "UPDATE audit SET ok = ?, code = ?, message = ?, changes = ? WHERE n = ?");

    audit_outcome(request, stmt, 1, error);
    flt_db_bind_int(stmt, 5, request->audited);
    controller_check(request->controller, store_run(store, stmt));
}

static void write_audit(struct request *request, const struct flt_error *error)
{
    struct store *store = &request->controller->store;
    sqlite3_stmt *stmt;

    if (!request->verb || !request->verb->mutates)
        return;
    if (request->audited) {
        end_audit(request, error);
        return;
    }
    stmt = store_write(store, "INSERT INTO audit (ts_ms, user, verb, target, args, digest, origin,"
                              " request, ok, code, message, changes)"
                              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    flt_db_bind_int(stmt, 1, controller_now_ms(request->controller));
    flt_db_bind_str(stmt, 2, request->user);
    flt_db_bind_str(stmt, 3, request->verb->name);
    flt_db_bind_str(stmt, 4, request->target[0] ? request->target : NULL);
    flt_db_bind_str(stmt, 5, request->args);
    flt_db_bind_str(stmt, 6, request->digest);
    flt_db_bind_str(stmt, 7, request->origin);
    flt_db_bind_str(stmt, 8, request->id);
    audit_outcome(request, stmt, 9, error);
    controller_check(request->controller, store_run(store, stmt));
    request->audited = sqlite3_last_insert_rowid(flt_db_handle(store->db));
}

void request_committing(struct controller *controller)
{
    if (controller->request && !controller->request->audited)
        write_audit(controller->request, NULL);
}

static void count_request(const struct request *request, const struct flt_error *error)
{
    struct controller *controller = request->controller;
    char kind[48];

    controller->health.requests++;
    if (!error)
        return;
    controller->health.requests_refused++;
    snprintf(kind, sizeof kind, "request_%s", flt_error_name(error->code));
    health_count(controller, kind);
}

static void send_text(const struct request *request, const char *text, size_t size)
{
    const struct flt_mqtt_publish publish = {
        .topic = request->topic,
        .payload = text,
        .payload_size = size,
        .qos = 1,
        .correlation = request->correlation_size ? request->correlation : NULL,
        .correlation_size = request->correlation_size,
    };

    if (!size || flt_mqtt_publish(request->controller->mqtt, &publish) != 0)
        FLT_LOG(WARN, "answer_lost", "user=%s verb=%s", request->user,
                request->verb ? request->verb->name : "");
}

/* What was recorded is durable before anybody hears of it. A handler that commits by itself, to
 * tell nodes, has its row of the audit in that commit already. */
static void send_response(struct request *request, struct json_object *result,
                          const struct flt_error *error)
{
    struct controller *controller = request->controller;
    struct msg_u_response response = { .ok = error == NULL };
    struct flt_buf buf = FLT_BUF_INIT;

    count_request(request, error);
    write_audit(request, error);
    controller_envelope(controller, &response.env);
    snprintf(response.re, sizeof response.re, "%s", request->id);
    snprintf(response.verb, sizeof response.verb, "%s", request->verb ? request->verb->name : "");
    response.has_result = result != NULL;
    response.result = result;
    response.has_error = error != NULL;
    if (error)
        msg_error_from(&response.error, error);
    msg_u_response_encode(&buf, &response);
    if (request->once && !buf.failed)
        once_end(request, buf.data, buf.length, error == NULL);
    if (controller_commit(controller))
        send_text(request, buf.data, buf.failed ? 0 : buf.length);
    flt_buf_finish(&buf);
}

static void send_result(struct request *request, const void *result)
{
    struct json_object *tree = msg_to_raw(request->verb->result, result);
    struct flt_error error = { 0 };

    if (!tree)
        (void)flt_error_set(&error, FLT_INTERNAL, "", "", "the answer could not be written");
    send_response(request, tree, tree ? NULL : &error);
    json_object_put(tree);
}

void request_answer(struct request *request, const void *result)
{
    send_result(request, result);
    free(request);
}

void request_refuse(struct request *request, const struct flt_error *error)
{
    send_response(request, NULL, error);
    free(request);
}

void request_pass(struct request *request, struct json_object *result)
{
    send_response(request, result, NULL);
    free(request);
}

void request_on_node(struct controller *controller, void *ctx, const struct msg_n_res *res)
{
    struct request *request = ctx;
    struct flt_error error = { 0 };

    (void)controller;
    if (!res)
        (void)flt_error_set(&error, FLT_UNAVAILABLE, "", "see node-ls", "the node did not answer");
    else if (res->has_error)
        msg_error_to(&res->error, &error);
    else if (res->state != MSG_N_RES_STATE_DONE || !res->result)
        (void)flt_error_set(&error, FLT_INTERNAL, "", "",
                            "the node's answer is not as it should be");
    if (error.code == FLT_OK)
        request_pass(request, res->result);
    else
        request_refuse(request, &error);
}

struct request *request_keep(struct request *request)
{
    struct request *kept = malloc(sizeof *kept);

    if (request->controller->request == request)
        request->controller->request = NULL; /* the copy is what ends */
    if (kept)
        *kept = *request;
    return kept;
}

/* --- taking one
 * -------------------------------------------------------------------------------------- */

/* The MQTT 5 response topic holds when it lies under the user's own answers; else the id names it.
 */
static void choose_topic(struct request *request, const struct flt_mqtt_message *message)
{
    const char *tenant = request->controller->config.tenant;
    char own[TOPIC_MAX];

    topic_user_res(own, tenant, request->user, "#");
    if (message->response_topic && flt_topic_matches(own, message->response_topic) &&
        strlen(message->response_topic) < sizeof request->topic)
        snprintf(request->topic, sizeof request->topic, "%s", message->response_topic);
    else
        topic_user_res(request->topic, tenant, request->user,
                       request->id[0] ? request->id : "error");
    if (message->correlation_size <= sizeof request->correlation && message->correlation_size) {
        memcpy(request->correlation, message->correlation, message->correlation_size);
        request->correlation_size = message->correlation_size;
    }
}

/* "user/ada/cli": what stands behind the name says which program asked. */
static void note_origin(struct request *request, const struct msg_u_request *message)
{
    const char *name = message->has_src ? strchr(message->src, '/') : NULL;
    const char *program = name ? strchr(name + 1, '/') : NULL;

    if (program)
        snprintf(request->origin, sizeof request->origin, "%.48s", program + 1);
}

/* Sealed texts are long and tell nothing: they stay out of the audit. */
static void note_args(struct request *request, struct json_object *args)
{
    static const char *const targets[] = { "bot", "node", "name", "target" };
    const char *text = json_object_to_json_string_ext(args, JSON_C_TO_STRING_PLAIN);
    const char *target;
    uint8_t digest[32];

    flt_sha256(text, strlen(text), digest);
    flt_hex(digest, sizeof digest, request->digest);
    if (flt_json_get(args, "credentials_sealed"))
        text = "(sealed)";
    snprintf(request->args, sizeof request->args, "%.*s", (int)sizeof request->args - 1, text);
    for (size_t i = 0; i < FLT_COUNT(targets) && !request->target[0]; i++)
        if (flt_json_str(args, targets[i], &target))
            snprintf(request->target, sizeof request->target, "%.64s", target);
    if (!request->target[0] && flt_json_str(flt_json_get(args, "bot"), "name", &target))
        snprintf(request->target, sizeof request->target, "%.64s", target);
}

static int check_role(struct request *request, struct flt_error *error)
{
    const enum msg_role has = user_role(request->controller, request->user, request->verb->role);

    if (has >= request->verb->role)
        return 0;
    flt_refuse(&request->controller->refused, FLT_REFUSED_DENIED);
    return flt_error_set(error, FLT_DENIED, "", "ask an admin", "%s needs the role %s, %s is %s",
                         request->verb->name, msg_role_name(request->verb->role), request->user,
                         msg_role_name(has));
}

/* REQUEST_LATER: it was carried out before, and is answered as it was then. */
static int begin_once(struct request *request, struct flt_error *error)
{
    char *answer = NULL;
    const int outcome = once_begin(request, &answer, error);

    if (outcome == ONCE_REPEATED && answer)
        send_text(request, answer, strlen(answer));
    free(answer);
    request->once = outcome == 0;
    return outcome == ONCE_REPEATED ? REQUEST_LATER : outcome;
}

/* Runs the verb; REQUEST_LATER or 0, or an error. Sends the answer of a 0. */
static int run_verb(struct request *request, struct json_object *args, struct flt_error *error)
{
    const struct msg_verb *verb = request->verb;
    const struct handler *handler = find_handler(verb->name);
    void *in = calloc(1, verb->args->size), *result = calloc(1, verb->result->size);
    int err = in && result && handler ? check_role(request, error) : -ENOMEM;

    if (!err)
        err = msg_decode(verb->args, args, MSG_PEOPLE, in, error);
    if (!err) {
        err =
            verb->mutates && strlen(request->id) >= UNIQUE_ID_MIN ? begin_once(request, error) : 0;
        snprintf(request->controller->store.request, sizeof request->controller->store.request,
                 "%s", request->once ? request->id : "");
        if (!err) {
            request->controller->request = request;
            err = handler->run(request, in, result, error);
            request->controller->request = NULL;
        }
        msg_finish(verb->args, in);
    }
    if (!err)
        send_result(request, result);
    if (result)
        msg_finish(verb->result, result);
    free(in);
    free(result);
    return err;
}

/* A request that waited somewhere is not carried out late, one from a clock ahead not early. */
static int check_times(struct request *request, const struct msg_u_request *message,
                       struct flt_error *error)
{
    struct controller *controller = request->controller;
    const int64_t now = controller_now_ms(controller);

    if (message->has_expires_ms && message->expires_ms < now) {
        flt_refuse(&controller->refused, FLT_REFUSED_EXPIRED);
        return flt_error_set(error, FLT_EXPIRED, "expires_ms", "send it again if it still holds",
                             "the request came %lld ms after its deadline",
                             (long long)(now - message->expires_ms));
    }
    if (message->has_ts_ms && message->ts_ms > now + AHEAD_MS) {
        flt_refuse(&controller->refused, FLT_REFUSED_FUTURE);
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "ts_ms", "compare the clocks",
                             "the request is from a clock that is %lld ms ahead",
                             (long long)(message->ts_ms - now));
    }
    return 0;
}

/* It may say who it is, but only what its topic says. */
static int check_sender(struct request *request, const struct msg_u_request *message,
                        struct flt_error *error)
{
    const size_t size = strlen(request->user);
    const char *name = message->has_src && strncmp(message->src, "user/", 5) == 0 ? message->src + 5
                                                                                  : request->user;

    if (strncmp(name, request->user, size) == 0 && (name[size] == '\0' || name[size] == '/'))
        return 0;
    flt_refuse(&request->controller->refused, FLT_REFUSED_FORGED);
    return flt_error_set(error, FLT_DENIED, "src", "", "%s speaks as %.64s", request->user,
                         message->src);
}

static int take(struct request *request, const struct topic_ref *topic,
                struct msg_u_request *message, struct flt_error *error)
{
    struct json_object *args =
        message->has_args ? json_object_get(message->args) : json_object_new_object();
    int err;

    request->verb = msg_verb_find(topic->verb);
    if (!request->verb) {
        const char *names[128];
        size_t count = 0;

        for (; count < msg_verb_count && count < FLT_COUNT(names); count++)
            names[count] = msg_verbs[count].name;
        const char *near = flt_nearest(topic->verb, names, count);
        err = flt_error_set(error, FLT_NOT_FOUND, "verb", near ? near : "see `flotilla help`",
                            "there is no verb %s", topic->verb);
    } else {
        note_args(request, args);
        note_origin(request, message);
        snprintf(request->controller->store.origin, sizeof request->controller->store.origin, "%s",
                 request->origin);
        err = check_times(request, message, error);
        if (!err && !token_use(request->controller, request->user))
            err = flt_error_set(error, FLT_DENIED, "", "make another with token-add",
                                "this token is over");
        err = err ? err : run_verb(request, args, error);
        request->controller->store.origin[0] = request->controller->store.request[0] = '\0';
    }
    json_object_put(args);
    return err;
}

void request_take(struct controller *controller, const struct topic_ref *topic,
                  const struct flt_mqtt_message *message)
{
    struct request request = { .controller = controller };
    struct msg_u_request in;
    struct flt_error error = { 0 };
    int err;

    if (message->retained) { /* never kept; somebody published it wrongly, long ago */
        flt_refuse(&controller->refused, FLT_REFUSED_RETAINED);
        controller_clear(controller, message->topic);
        return;
    }
    snprintf(request.user, sizeof request.user, "%.*s", FLT_NAME_MAX - 1, topic->user);
    memset(&in, 0, sizeof in);
    if (message->payload_size > REQUEST_BYTES_MAX)
        err = flt_error_set(&error, FLT_INVALID_ARGUMENT, "", "send less at once",
                            "a request has up to %d bytes", REQUEST_BYTES_MAX);
    else
        err = msg_parse(&msg_type_u_request, message->payload, message->payload_size, MSG_PEOPLE,
                        &in, &error);
    if (err)
        flt_refuse(&controller->refused,
                   flt_refusal_of(message->payload, message->payload_size, REQUEST_BYTES_MAX));
    else
        snprintf(request.id, sizeof request.id, "%s", in.id);
    choose_topic(&request, message);
    if (!err)
        err = check_sender(&request, &in, &error);
    if (!err)
        err = take(&request, topic, &in, &error);
    msg_u_request_finish(&in);
    if (err < 0) {
        (void)flt_error_set(&error, flt_error_from_errno(err), "", "", "%s", strerror(-err));
        send_response(&request, NULL, &error);
    }
}

/* --- for handlers
 * -------------------------------------------------------------------------------------- */

struct bot *request_bot(struct request *request, const char *name, struct flt_error *error)
{
    const struct inventory *inventory = &request->controller->inventory;
    struct bot *bot = inventory_find_bot(inventory, name);
    const char **names;
    size_t count = 0;
    char hint[96] = "list them with bot-ls";

    if (bot && bot_listed(bot))
        return bot;
    names = calloc(inventory->bot_count + 1, sizeof *names);
    for (size_t i = 0; names && i < inventory->bot_count; i++)
        if (bot_listed(inventory->bots[i]))
            names[count++] = inventory->bots[i]->name;
    if (names && flt_nearest(name, names, count))
        snprintf(hint, sizeof hint, "did you mean %s?", flt_nearest(name, names, count));
    (void)flt_error_set(error, FLT_NOT_FOUND, "bot", hint, "there is no bot %s", name);
    free(names);
    return NULL;
}

struct node *request_node(struct request *request, const char *name, const char *field,
                          struct flt_error *error)
{
    struct node *node = inventory_find_node(&request->controller->inventory, name);

    if (!node)
        (void)flt_error_set(error, FLT_NOT_FOUND, field, "list them with node-ls",
                            "there is no node %s", name);
    return node;
}

const char *request_by(const struct request *request, char out[40])
{
    snprintf(out, 40, "user/%s", request->user);
    return out;
}
