#define FLT_MOD "api"
#include "dashboard/api.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "dashboard/api_route.h"
#include "dashboard/backtests.h"
#include "dashboard/openapi.h"
#include "lib/crypto.h"
#include "lib/fail.h"
#include "lib/ids.h"

#define TIMEOUT_MS 15000
#define SLOW_MS 45000 /* for what nodes or disks may take their time */
#define NO_STORE "Cache-Control: no-store\r\n"

struct api {
    struct flt_loop *loop;
    const struct settings *settings;
    struct pool *pool;
    uint8_t secret[32]; /* signs tickets of pages */
};

struct call { /* a request on its way */
    struct api *api;
    struct flt_request *request;
    struct api_target target;
    char id[49];
    api_allowed_fn *allowed; /* of api_guard */
    void (*drop)(void *ctx);
    void *ctx;
};

/* --- replies
 * ---------------------------------------------------------------------------------------- */

static void reply(struct flt_request *request, int status, const char *headers,
                  const struct flt_buf *body)
{
    const struct flt_reply out = { .status = status,
                                   .headers = headers,
                                   .body = body->failed ? "" : body->data,
                                   .size = body->failed ? 0 : body->length };

    flt_request_reply(request, &out);
}

/* `code` beside the contract's own table: "unknown", for what was sent and not answered. */
static void reply_error(struct flt_request *request, int status, const char *headers,
                        const char *id, const char *code, const struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '{');
    if (id && id[0])
        flt_jw_str(&buf, "id", id);
    flt_jw_bool(&buf, "ok", false);
    flt_jw_begin(&buf, "error", '{');
    flt_jw_str(&buf, "code", code);
    flt_jw_str(&buf, "message", error->message);
    if (error->hint[0])
        flt_jw_str(&buf, "hint", error->hint);
    if (error->field[0])
        flt_jw_str(&buf, "field", error->field);
    flt_jw_end(&buf, '}');
    flt_jw_end(&buf, '}');
    flt_buf_append(&buf, "\n", 1);
    reply(request, status, headers, &buf);
    flt_buf_finish(&buf);
}

static void refuse(struct flt_request *request, const char *id, enum flt_error_code code,
                   const char *field, const char *hint, const char *message)
{
    struct flt_error error = { 0 };

    (void)flt_error_set(&error, code, field, hint, "%s", message);
    reply_error(request, api_status(code), NO_STORE, id, flt_error_name(code), &error);
}

static void refuse_login(struct flt_request *request, const char *message)
{
    struct flt_error error = { 0 };

    (void)flt_error_set(&error, FLT_DENIED, "Authorization",
                        "send a token (flotilla token add), or your name and password as Basic",
                        "%s", message);
    /* No Basic challenge: a browser would keep the password and send it from any page. */
    reply_error(request, 401, NO_STORE "WWW-Authenticate: Bearer realm=\"flotilla\"\r\n", NULL,
                "denied", &error);
}

static void reply_wait(struct flt_request *request, int64_t wait_ms)
{
    struct flt_error error = { 0 };
    char headers[80];

    snprintf(headers, sizeof headers, NO_STORE "Retry-After: %" PRId64 "\r\n",
             (wait_ms + 999) / 1000);
    (void)flt_error_set(&error, FLT_RATE_LIMITED, "Authorization", "wait, then try again",
                        "too many failed logins: wait %" PRId64 " s", (wait_ms + 999) / 1000);
    reply_error(request, 429, headers, NULL, "rate_limited", &error);
}

static int64_t timeout_of(const struct msg_verb *verb)
{
    static const char *const slow[] = { "bot-reconcile", "bot-move", "backup-create" };

    for (size_t i = 0; i < FLT_COUNT(slow); i++)
        if (strcmp(slow[i], verb->name) == 0)
            return SLOW_MS;
    return TIMEOUT_MS;
}

/* Sent, and no answer: it may or may not have been done, now or a moment ago. */
static void reply_unknown(const struct call *call)
{
    struct flt_error error = { 0 };

    (void)flt_error_set(&error, FLT_UNAVAILABLE, "",
                        call->target.verb->mutates
                            ? "send it again with the same Idempotency-Key (it is done once), or"
                              " look at GET /api/v1/audit"
                            : "ask again",
                        "no answer came in %" PRId64 " s: its outcome is unknown",
                        timeout_of(call->target.verb) / 1000);
    reply_error(call->request, 504, NO_STORE, call->id,
                call->target.verb->mutates ? "unknown" : "unavailable", &error);
}

static void reply_answer(const struct call *call, struct json_object *answer)
{
    struct json_object *error = flt_json_get(answer, "error");
    struct flt_buf buf = FLT_BUF_INIT;
    const char *code = "internal";
    bool ok = false;

    (void)flt_json_bool(answer, "ok", &ok);
    if (error)
        (void)flt_json_str(error, "code", &code);
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "id", call->id);
    flt_jw_bool(&buf, "ok", ok);
    flt_jw_tree(&buf, ok ? "result" : "error", ok ? flt_json_get(answer, "result") : error);
    flt_jw_end(&buf, '}');
    flt_buf_append(&buf, "\n", 1);
    reply(call->request, ok ? 200 : api_status(flt_error_from_name(code)), NO_STORE, &buf);
    flt_buf_finish(&buf);
}

/* --- asking the controller
 * --------------------------------------------------------------------------- */

static void call_free(struct call *call)
{
    json_object_put(call->target.args);
    free(call);
}

/* What is the same for a verb and for a page: the login did not pass. True: it was answered. */
static bool refused_login(struct flt_request *request, const char *id,
                          const struct pool_result *result)
{
    if (result->outcome == POOL_BAD_LOGIN)
        refuse_login(request, "the broker does not know this name and password");
    else if (result->outcome == POOL_WAIT)
        reply_wait(request, result->wait_ms);
    else if (result->outcome == POOL_NO_BROKER)
        refuse(request, id, FLT_UNAVAILABLE, "", "see /healthz", "the broker is not reached");
    else if (result->outcome == POOL_FULL)
        refuse(request, id, FLT_RATE_LIMITED, "", "ask fewer at once",
               "too many requests are under way");
    else
        return false;
    return true;
}

static void on_result(void *ctx, const struct pool_result *result)
{
    struct call *call = ctx;

    if (refused_login(call->request, call->id, result)) {
        call_free(call);
        return;
    }
    if (result->outcome == POOL_ANSWERED)
        reply_answer(call, result->answer);
    else if (result->outcome == POOL_BUSY_ID)
        refuse(call->request, call->id, FLT_CONFLICT, "Idempotency-Key", "wait for its answer",
               "a request with this key is under way");
    else if (result->outcome == POOL_REFUSED)
        refuse(call->request, call->id, FLT_DENIED, "", "ask an admin",
               "the broker lets this login not ask that");
    else
        reply_unknown(call);
    call_free(call);
}

static bool read_login(struct flt_request *request, struct pool_login *out)
{
    memset(out, 0, sizeof *out);
    snprintf(out->address, sizeof out->address, "%s", flt_request_peer(request));
    if (api_login(flt_request_header(request, "authorization"), out->user, sizeof out->user,
                  out->password, sizeof out->password))
        return true;
    refuse_login(request, "this needs a login");
    return false;
}

static bool key_ok(const char *key)
{
    const size_t size =
        strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    return size > 0 && size < 49 && key[size] == '\0';
}

static void ask(struct call *call)
{
    struct api *api = call->api;
    const char *key = flt_request_header(call->request, "idempotency-key");
    const struct pool_request request = { .verb = call->target.verb->name,
                                          .id = call->id,
                                          .args = call->target.args,
                                          .timeout_ms = timeout_of(call->target.verb) };
    struct pool_login login;

    if (key && !key_ok(key)) {
        refuse(call->request, NULL, FLT_INVALID_ARGUMENT, "Idempotency-Key", "for example a UUID",
               "1 to 48 letters, digits, - and _");
        call_free(call);
        return;
    }
    if (key)
        snprintf(call->id, sizeof call->id, "%s", key);
    else
        flt_ulid(flt_wall_ms(flt_loop_clock(api->loop)), call->id);
    if (!read_login(call->request, &login)) {
        call_free(call);
        return;
    }
    pool_ask(api->pool, &login, &request, on_result, call);
    flt_wipe(&login, sizeof login);
}

/* --- pages that want a login
 * --------------------------------------------------------------------------- */

static void on_checked(void *ctx, const struct pool_result *result)
{
    struct call *call = ctx;

    if (result->outcome == POOL_SIGNED_IN) {
        call->allowed(call->ctx, call->request);
        free(call);
        return;
    }
    if (!refused_login(call->request, NULL, result))
        refuse(call->request, NULL, FLT_UNAVAILABLE, "", "see /healthz",
               "the login could not be checked");
    if (call->drop)
        call->drop(call->ctx);
    free(call);
}

void api_guard(struct api *api, struct flt_request *request, api_allowed_fn *fn,
               void (*drop)(void *ctx), void *ctx)
{
    struct call *call = calloc(1, sizeof *call);
    struct pool_login login;

    if (call && read_login(request, &login)) {
        *call = (struct call){
            .api = api, .request = request, .allowed = fn, .drop = drop, .ctx = ctx
        };
        pool_check(api->pool, &login, on_checked, call);
        flt_wipe(&login, sizeof login);
        return;
    }
    if (!call)
        refuse(request, NULL, FLT_INTERNAL, "", "", "no memory");
    free(call);
    if (drop)
        drop(ctx);
}

static const char *backtests_dir(const struct api *api)
{
    return api->settings->config.has_fleet_dir ? api->settings->config.fleet_dir : NULL;
}

static void list_backtests(void *ctx, struct flt_request *request)
{
    const struct api *api = ctx;
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_bool(&buf, "ok", true);
    flt_jw_begin(&buf, "result", '{');
    backtests_write(backtests_dir(api), &buf);
    flt_jw_end(&buf, '}');
    flt_jw_end(&buf, '}');
    reply(request, 200, NO_STORE, &buf);
    flt_buf_finish(&buf);
}

static void send_report(void *ctx, struct flt_request *request)
{
    struct call *call = ctx;
    size_t size = 0;
    char *text = backtests_read(backtests_dir(call->api), call->target.name, "report.html", &size);
    const struct flt_reply out = { .status = 200,
                                   .content_type = "text/html; charset=utf-8",
                                   .headers = BACKTESTS_HEADERS,
                                   .body = text,
                                   .size = size,
                                   .bare = true };

    if (text)
        flt_request_reply(request, &out);
    else
        refuse(request, NULL, FLT_NOT_FOUND, "name", "list them with GET /api/v1/backtests",
               "there is no such report");
    free(text);
    call_free(call);
}

/* A link that a browser can open: it cannot send a header with one. */
static void send_ticket(void *ctx, struct flt_request *request)
{
    struct call *call = ctx;
    const int64_t now = flt_wall_ms(flt_loop_clock(call->api->loop));
    struct flt_buf buf = FLT_BUF_INIT;
    char ticket[TICKET_MAX], url[256];

    ticket_make(call->api->secret, call->target.name, now, ticket);
    snprintf(url, sizeof url, API_ROOT "backtests/%s/report.html?ticket=%s", call->target.name,
             ticket);
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_bool(&buf, "ok", true);
    flt_jw_begin(&buf, "result", '{');
    flt_jw_str(&buf, "url", url);
    flt_jw_int(&buf, "expires_ms", now + TICKET_MS);
    flt_jw_end(&buf, '}');
    flt_jw_end(&buf, '}');
    reply(request, 200, NO_STORE, &buf);
    flt_buf_finish(&buf);
    call_free(call);
}

static void drop_call(void *ctx)
{
    call_free(ctx);
}

/* A report or a ticket for one: a good ticket opens the first, a login both. */
static void guard_call(struct call *call, api_allowed_fn *fn)
{
    char ticket[TICKET_MAX];
    const int64_t now = flt_wall_ms(flt_loop_clock(call->api->loop));

    if (!backtests_name_ok(call->target.name)) {
        refuse(call->request, NULL, FLT_NOT_FOUND, "name", "list them with GET /api/v1/backtests",
               "that is not the name of a backtest");
        call_free(call);
    } else if (call->target.kind == API_REPORT &&
               api_query_get(flt_request_query(call->request), "ticket", ticket, sizeof ticket) &&
               ticket_ok(call->api->secret, call->target.name, now, ticket)) {
        fn(call, call->request);
    } else {
        api_guard(call->api, call->request, fn, drop_call, call);
    }
}

/* --- taking a request
 * ---------------------------------------------------------------------------------- */

static void send_openapi(struct flt_request *request)
{
    const struct flt_reply out = { .status = 200,
                                   .headers = "Cache-Control: no-cache\r\n",
                                   .body = openapi_text,
                                   .size = openapi_size };

    flt_request_reply(request, &out);
}

/* A form on a foreign page can send neither JSON nor a header; a script from one says its origin.
 */
static bool is_foreign(const struct api *api, struct flt_request *request)
{
    const char *origin = flt_request_header(request, "origin");

    return origin &&
           !settings_origin_ok(origin, flt_request_header(request, "host"),
                               api->settings->local && !(api->settings->config.has_allow_remote &&
                                                         api->settings->config.allow_remote));
}

static bool is_json(struct flt_request *request)
{
    const char *type = flt_request_header(request, "content-type");
    size_t size = 0;

    (void)flt_request_body(request, &size);
    return size == 0 || (type && strncasecmp(type, "application/json", 16) == 0);
}

static void run(struct call *call)
{
    switch (call->target.kind) {
    case API_VERB:
        ask(call);
        return;
    case API_REPORT:
        guard_call(call, send_report);
        return;
    case API_TICKET:
        guard_call(call, send_ticket);
        return;
    case API_BACKTESTS:
        api_guard(call->api, call->request, list_backtests, NULL, call->api);
        break;
    case API_OPENAPI:
        send_openapi(call->request);
        break;
    }
    call_free(call);
}

void api_take(struct api *api, struct flt_request *request)
{
    struct call *call = calloc(1, sizeof *call);
    struct flt_error error = { 0 };
    size_t size = 0;
    const char *body = flt_request_body(request, &size);
    char allow[64];

    if (!call) {
        refuse(request, NULL, FLT_INTERNAL, "", "", "no memory");
        return;
    }
    call->api = api;
    call->request = request;
    if (is_foreign(api, request)) {
        refuse(request, NULL, FLT_DENIED, "Origin", "", "not from a page of another origin");
    } else if (!is_json(request)) {
        (void)flt_error_set(&error, FLT_INVALID_ARGUMENT, "Content-Type",
                            "send Content-Type: application/json", "the body is not called JSON");
        reply_error(request, 415, NO_STORE, NULL, "invalid_argument", &error);
    } else if (api_find(flt_request_method(request), flt_request_path(request),
                        flt_request_query(request), body, size, &call->target, &error) == 0) {
        run(call);
        return;
    } else if (call->target.allow) {
        snprintf(allow, sizeof allow, NO_STORE "Allow: %s\r\n", call->target.allow);
        reply_error(request, 405, allow, NULL, "invalid_argument", &error);
    } else {
        reply_error(request, api_status(error.code), NO_STORE, NULL, flt_error_name(error.code),
                    &error);
    }
    call_free(call);
}

int api_create(struct flt_loop *loop, const struct settings *settings, struct pool *pool,
               struct api **out)
{
    struct api *api = calloc(1, sizeof *api);
    const int err = api ? flt_random(api->secret, sizeof api->secret) : -ENOMEM;

    if (err) {
        free(api);
        return err;
    }
    api->loop = loop;
    api->settings = settings;
    api->pool = pool;
    *out = api;
    return 0;
}

void api_destroy(struct api *api)
{
    if (!api)
        return;
    flt_wipe(api->secret, sizeof api->secret);
    free(api);
}
