#define FLT_MOD "session"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/fault.h"
#include "exchanges/sim/rest.h"
#include "exchanges/sim/streams.h"

#define PING_MS 20000
#define MESSAGES_A_SECOND 50 /* the venue says 5; its own clients burst at start */

/* --- market streams: SUBSCRIBE and friends
 * -------------------------------------------------------- */

static void send_json(struct sim_session *session, struct flt_buf *buf)
{
    if (!buf->failed && buf->length)
        (void)flt_peer_send(session->peer, buf->data, buf->length);
    flt_buf_finish(buf);
}

static void send_stream_error(struct sim_session *session, struct json_object *id, int code,
                              const char *msg)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_begin(&buf, "error", '{');
    flt_jw_int(&buf, "code", code);
    flt_jw_str(&buf, "msg", msg);
    flt_jw_end(&buf, '}');
    flt_jw_tree(&buf, "id", id);
    flt_jw_end(&buf, '}');
    send_json(session, &buf);
}

static void send_list(struct sim_session *session, struct json_object *id)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_begin(&buf, "result", '[');
    for (const struct sim_subscription *sub = session->topics; sub; sub = sub->session_next)
        flt_jw_str(&buf, NULL, sub->topic->name);
    flt_jw_end(&buf, ']');
    flt_jw_tree(&buf, "id", id);
    flt_jw_end(&buf, '}');
    send_json(session, &buf);
}

static bool change_all(struct sim_session *session, struct json_object *names, bool subscribe)
{
    if (!names || !json_object_is_type(names, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(names); i++) {
        struct json_object *item = json_object_array_get_idx(names, i);

        if (!json_object_is_type(item, json_type_string))
            return false;
        /* A name that nobody has is taken silently by the venue too: it never sends anything. */
        if (subscribe)
            (void)sim_stream_subscribe(session, json_object_get_string(item));
        else
            (void)sim_stream_unsubscribe(session, json_object_get_string(item));
    }
    return true;
}

static void stream_message(struct sim_session *session, struct json_object *message)
{
    struct json_object *id = flt_json_get(message, "id");
    struct flt_buf buf = FLT_BUF_INIT;
    const char *method = "";

    (void)flt_json_str(message, "method", &method);
    if (strcmp(method, "LIST_SUBSCRIPTIONS") == 0) {
        send_list(session, id);
        return;
    }
    const bool subscribe = strcmp(method, "SUBSCRIBE") == 0;

    if (!subscribe && strcmp(method, "UNSUBSCRIBE") != 0) {
        send_stream_error(session, id, 2,
                          "Invalid request: unknown variant, expected one of "
                          "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`");
        return;
    }
    if (!change_all(session, flt_json_get(message, "params"), subscribe)) {
        send_stream_error(session, id, 2, "Invalid request: params must be a list of strings");
        return;
    }
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_null(&buf, "result");
    flt_jw_tree(&buf, "id", id);
    flt_jw_end(&buf, '}');
    send_json(session, &buf);
}

/* --- the WebSocket API
 * ------------------------------------------------------------------------------ */

static void leave_account(struct sim_session *session)
{
    if (!session->user)
        return;
    struct sim_session **at = &session->user->sessions;

    while (*at != session)
        at = &(*at)->user_next;
    *at = session->user_next;
    session->user = NULL;
}

static int subscribe_user(struct sim_session *session, struct sim_call *call,
                          struct sim_account *account)
{
    if (!account)
        return sim_fail(&call->error, 400, -2015,
                        "Invalid API-key, IP, or permissions for action.");
    if (session->user)
        return sim_fail(&call->error, 400, -2035,
                        "User data stream is already subscribed on this connection.");
    session->user = account;
    session->user_next = account->sessions;
    account->sessions = session;
    flt_buf_printf(&call->out, "{\"subscriptionId\":%d}", session->subscription_id);
    return 0;
}

static int log_on(struct sim_session *session, struct sim_call *call)
{
    if (!call->account->public_pem)
        return sim_fail(&call->error, 400, -4056, "HMAC_SHA256 API key is not supported.");
    session->logged_on = call->account;
    flt_buf_printf(&call->out,
                   "{\"apiKey\":\"%s\",\"authorizedSince\":%" PRId64 ",\"connectedSince\":%" PRId64
                   ",\"returnRateLimits\":true,\"serverTime\":%" PRId64 ",\"userDataStream\":%s}",
                   call->account->key, sim_now(session->sim), session->opened_ms,
                   sim_now(session->sim), session->user ? "true" : "false");
    return 0;
}

static int authorize(struct sim_session *session, struct sim_call *call)
{
    return sim_authorize(session->sim, call->params, sim_param(call->params, "apiKey"),
                         session->logged_on, &call->account, &call->error);
}

/* The methods that are the connection's, not the REST API's. 1: not one of them. */
static int session_method(struct sim_session *session, const char *method, struct sim_call *call)
{
    if (strcmp(method, "session.logon") == 0)
        return authorize(session, call) != 0 ? -1 : log_on(session, call);
    if (strcmp(method, "session.status") == 0 || strcmp(method, "session.logout") == 0) {
        if (method[11] == 'o')
            session->logged_on = NULL;
        flt_jw_begin(&call->out, NULL, '{');
        flt_jw_str(&call->out, "apiKey", session->logged_on ? session->logged_on->key : NULL);
        flt_jw_int(&call->out, "connectedSince", session->opened_ms);
        flt_jw_int(&call->out, "serverTime", sim_now(session->sim));
        flt_jw_end(&call->out, '}');
        return 0;
    }
    if (strcmp(method, "userDataStream.subscribe") == 0)
        return subscribe_user(session, call, session->logged_on);
    if (strcmp(method, "userDataStream.subscribe.signature") == 0)
        return authorize(session, call) != 0 ? -1 : subscribe_user(session, call, call->account);
    if (strcmp(method, "userDataStream.unsubscribe") == 0) {
        leave_account(session);
        flt_buf_append(&call->out, "{}", 2);
        return 0;
    }
    return 1;
}

static int run_method(struct sim_session *session, const char *method, struct sim_call *call)
{
    const int outcome = session_method(session, method, call);
    int retry_s = 0;

    if (outcome <= 0)
        return outcome;
    const struct sim_route *route = sim_route_find_ws(method);

    if (!route)
        return sim_fail(&call->error, 400, -1000, "Unknown method.");
    const int weight = route->weigh ? route->weigh(call->params) : route->weight;

    if (sim_limits_weigh(session->sim, session->ip, weight, &retry_s, &call->error) != 0)
        return -1;
    if (route->is_signed && authorize(session, call) != 0)
        return -1;
    if (route->run(call) != 0)
        return -1;
    if (route->weight_free)
        sim_limits_refund(session->sim, session->ip, route->weight_free);
    return 0;
}

static void send_answer(struct sim_session *session, struct json_object *id, struct sim_call *call)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_tree(&buf, "id", id);
    flt_jw_int(&buf, "status", call->error.http ? call->error.http : 200);
    if (call->error.http && call->error.code) {
        flt_jw_begin(&buf, "error", '{');
        flt_jw_int(&buf, "code", call->error.code);
        flt_jw_str(&buf, "msg", call->error.msg);
        flt_jw_end(&buf, '}');
    } else {
        flt_jw_raw(&buf, call->error.http ? "error" : "result", call->out.data);
    }
    sim_jw_rate_limits(&buf, "rateLimits", session->sim, true, session->ip, call->account);
    flt_jw_end(&buf, '}');
    send_json(session, &buf);
}

static int api_faults(struct sim_session *session, const char *method, struct sim_call *call)
{
    const char *symbol = sim_param(call->params, "symbol");
    const struct sim_fault *fault = sim_fault_take(session->sim, "reject", "WS", method, symbol);

    if (fault)
        return sim_fail(&call->error, 400, fault->code, "%s", fault->msg);
    fault = sim_fault_take(session->sim, "http_status", "WS", method, symbol);
    return fault ? sim_fail(&call->error, fault->status, fault->code ? fault->code : -1003, "%s",
                            fault->msg[0] ? fault->msg : "Too much request weight used.")
                 : 0;
}

static void api_message(struct sim_session *session, struct json_object *message)
{
    struct sim_params params;
    struct sim_call call = { .sim = session->sim, .params = &params, .ip = session->ip };
    struct json_object *id = flt_json_get(message, "id");
    const char *method = "";

    session->sim->requests++;
    (void)flt_json_str(message, "method", &method);
    if (sim_params_parse_json(&params, flt_json_get(message, "params"), &call.error) == 0 &&
        api_faults(session, method, &call) == 0)
        (void)run_method(session, method, &call);
    if (!sim_fault_take(session->sim, "accept_then_timeout", "WS", method,
                        sim_param(&params, "symbol")))
        send_answer(session, id, &call);
    flt_buf_finish(&call.out);
    sim_params_finish(&params);
}

/* --- connections
 * ------------------------------------------------------------------------------------- */

static void subscribe_path(struct sim_session *session, const char *names)
{
    char *copy = strdup(names), *rest = copy;

    for (char *name; copy && (name = strsep(&rest, "/"));)
        if (*name)
            (void)sim_stream_subscribe(session, name);
    free(copy);
}

static void subscribe_first(struct sim_session *session, const struct flt_request *request)
{
    struct sim_params params;
    struct sim_error error = { 0 };
    const char *path = flt_request_path(request);

    if (session->kind == SIM_SESSION_RAW && strlen(path) > 4)
        subscribe_path(session, path + 4);
    if (session->kind == SIM_SESSION_COMBINED &&
        sim_params_parse(&params, flt_request_query(request), "", &error) == 0) {
        const char *names = sim_param(&params, "streams");

        if (names)
            subscribe_path(session, names);
        sim_params_finish(&params);
    }
}

bool sim_session_accept(void *ctx, const struct flt_request *request, struct flt_peer *peer)
{
    struct sim *sim = ctx;
    const char *path = flt_request_path(request);
    const bool api = strncmp(path, "/ws-api/v3", 10) == 0;
    const bool raw = strcmp(path, "/ws") == 0 || strncmp(path, "/ws/", 4) == 0;

    if (!api && !raw && strcmp(path, "/stream") != 0)
        return false;
    struct sim_session *session = calloc(1, sizeof *session);

    if (!session)
        return false;
    session->sim = sim;
    session->peer = peer;
    session->kind = api ? SIM_SESSION_API : raw ? SIM_SESSION_RAW : SIM_SESSION_COMBINED;
    session->opened_ms = sim_now(sim);
    snprintf(session->ip, sizeof session->ip, "%s", flt_request_peer(request));
    session->next = sim->sessions;
    if (sim->sessions)
        sim->sessions->prev = session;
    sim->sessions = session;
    flt_peer_set_user(peer, session);
    subscribe_first(session, request);
    return true;
}

static bool too_fast(struct sim_session *session)
{
    const int64_t second = flt_mono_ms(flt_loop_clock(session->sim->loop)) / 1000;

    if (session->window_s != second)
        session->messages = 0;
    session->window_s = second;
    return session->kind != SIM_SESSION_API && ++session->messages > MESSAGES_A_SECOND;
}

void sim_session_message(void *ctx, struct flt_peer *peer, const char *data, size_t size, bool text)
{
    struct sim_session *session = flt_peer_user(peer);

    (void)ctx;
    if (too_fast(session)) {
        flt_peer_close(peer, 1008, "Too many requests");
        return;
    }
    struct json_object *message = text ? flt_json_parse(data, size, NULL) : NULL;

    if (!message || !json_object_is_type(message, json_type_object))
        send_stream_error(session, NULL, 3, "Invalid JSON");
    else if (session->kind == SIM_SESSION_API)
        api_message(session, message);
    else
        stream_message(session, message);
    json_object_put(message);
}

void sim_session_gone(void *ctx, struct flt_peer *peer)
{
    struct sim *sim = ctx;
    struct sim_session *session = flt_peer_user(peer);

    if (!session)
        return;
    sim_stream_leave_all(session);
    leave_account(session);
    if (session->prev)
        session->prev->next = session->next;
    else
        sim->sessions = session->next;
    if (session->next)
        session->next->prev = session->prev;
    free(session);
}

void sim_sessions_ping(struct sim *sim, int64_t now_ms)
{
    static int64_t last_ms;
    char text[24];

    if (now_ms - last_ms < PING_MS && now_ms >= last_ms)
        return;
    last_ms = now_ms;
    const int size = snprintf(text, sizeof text, "%" PRId64, now_ms);

    for (struct sim_session *session = sim->sessions; session; session = session->next)
        (void)flt_peer_ping(session->peer, text, (size_t)size);
}

void sim_sessions_disconnect(struct sim *sim, bool market, bool user)
{
    for (struct sim_session *session = sim->sessions; session; session = session->next)
        if (session->kind == SIM_SESSION_API ? user : market)
            flt_peer_close(session->peer, 1001, "");
}
