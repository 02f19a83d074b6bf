#define FLT_MOD "rest"
#include "exchanges/sim/rest.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/fault.h"

#define HANG_MS 60000 /* by then every client has given up */

static const struct sim_route *find_in(const struct sim_route *routes, size_t count,
                                       const char *method, const char *path, bool *path_known)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(routes[i].path, path) != 0)
            continue;
        *path_known = true;
        if (strcmp(routes[i].method, method) == 0)
            return &routes[i];
    }
    return NULL;
}

const struct sim_route *sim_route_find(const char *method, const char *path, bool *path_known)
{
    const struct sim_route *route =
        find_in(sim_private_routes, sim_private_route_count, method, path, path_known);

    return route ? route
                 : find_in(sim_public_routes, sim_public_route_count, method, path, path_known);
}

const struct sim_route *sim_route_find_ws(const char *ws_method)
{
    for (size_t i = 0; i < sim_private_route_count; i++)
        if (sim_private_routes[i].ws_method &&
            strcmp(sim_private_routes[i].ws_method, ws_method) == 0)
            return &sim_private_routes[i];
    for (size_t i = 0; i < sim_public_route_count; i++)
        if (strcmp(sim_public_routes[i].ws_method, ws_method) == 0)
            return &sim_public_routes[i];
    return NULL;
}

void sim_jw_error(struct flt_buf *buf, const struct sim_error *error)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, "code", error->code);
    flt_jw_str(buf, "msg", error->msg);
    flt_jw_end(buf, '}');
}

static void jw_limit(struct flt_buf *buf, const char *type, const char *interval, int number,
                     int limit, int count)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "rateLimitType", type);
    flt_jw_str(buf, "interval", interval);
    flt_jw_int(buf, "intervalNum", number);
    flt_jw_int(buf, "limit", limit);
    if (count >= 0)
        flt_jw_int(buf, "count", count);
    flt_jw_end(buf, '}');
}

void sim_jw_rate_limits(struct flt_buf *buf, const char *key, const struct sim *sim, bool counts,
                        const char *ip, const struct sim_account *account)
{
    const struct sim_options *o = &sim->options;

    flt_jw_begin(buf, key, '[');
    jw_limit(buf, "REQUEST_WEIGHT", "MINUTE", 1, o->limit_weight,
             counts ? sim_limits_used(sim, ip) : -1);
    if (!counts || account) {
        jw_limit(buf, "ORDERS", "SECOND", 10, o->limit_orders_10s,
                 counts ? account->orders_10s : -1);
        jw_limit(buf, "ORDERS", "DAY", 1, o->limit_orders_day, counts ? account->orders_day : -1);
    }
    if (!counts)
        jw_limit(buf, "RAW_REQUESTS", "MINUTE", 5, 300000, -1);
    flt_jw_end(buf, ']');
}

/* --- one request
 * ------------------------------------------------------------------------------------ */

static void answer(struct sim *sim, struct flt_request *request, const struct sim_route *route,
                   struct sim_call *call, int retry_s)
{
    char headers[256];
    int size =
        snprintf(headers, sizeof headers, "x-mbx-used-weight: %d\r\nX-MBX-USED-WEIGHT-1M: %d\r\n",
                 sim_limits_used(sim, call->ip), sim_limits_used(sim, call->ip));

    if (route && route->places && call->account)
        size += snprintf(headers + size, sizeof headers - (size_t)size,
                         "X-MBX-ORDER-COUNT-10S: %d\r\nX-MBX-ORDER-COUNT-1D: %d\r\n",
                         call->account->orders_10s, call->account->orders_day);
    if (retry_s > 0)
        snprintf(headers + size, sizeof headers - (size_t)size, "Retry-After: %d\r\n", retry_s);
    if (call->error.http && call->error.code) {
        flt_buf_reset(&call->out);
        sim_jw_error(&call->out, &call->error);
    }
    const struct flt_reply reply = { .status = call->error.http ? call->error.http : 200,
                                     .content_type = "application/json;charset=UTF-8",
                                     .headers = headers,
                                     .body = call->out.data,
                                     .size = call->out.length };

    flt_request_reply(request, &reply);
}

static int fault_status(struct sim_call *call, const struct sim_fault *fault, int *retry_s)
{
    if (fault->status == 429 || fault->status == 418)
        *retry_s = fault->ms > 0 ? (int)(fault->ms / 1000) + 1 : 1;
    return sim_fail(
        &call->error, fault->status, fault->code ? fault->code : -1003, "%s",
        fault->msg[0] ? fault->msg
        : fault->status == 429
            ? "Too much request weight used; current limit is 6000 request weight per 1 "
              "MINUTE. Please use WebSocket Streams for live updates to avoid polling the "
              "API."
            : "Server is currently overloaded with other requests. Please try again in a "
              "few minutes.");
}

/* Faults that end a request before it is looked at. */
static int early_faults(struct sim_call *call, const char *method, const char *path,
                        const char *symbol, int *retry_s)
{
    const struct sim_fault *fault = sim_fault_take(call->sim, "http_status", method, path, symbol);

    if (fault)
        return fault_status(call, fault, retry_s);
    fault = sim_fault_take(call->sim, "reject", method, path, symbol);
    if (fault)
        return sim_fail(&call->error, 400, fault->code, "%s", fault->msg);
    return 0;
}

static int run(struct sim_call *call, const struct sim_route *route, const char *key,
               bool path_known, int *retry_s)
{
    const int weight = !route ? 1 : route->weigh ? route->weigh(call->params) : route->weight;

    if (sim_limits_weigh(call->sim, call->ip, weight, retry_s, &call->error) != 0)
        return -1;
    if (!route && path_known)
        return sim_fail(&call->error, 405, -1000, "Method not allowed.");
    if (!route)
        return sim_fail(&call->error, 404, -1000, "Path not found.");
    if (route->is_signed &&
        sim_authorize(call->sim, call->params, key, NULL, &call->account, &call->error) != 0)
        return -1;
    if (route->run(call) != 0)
        return -1;
    if (route->weight_free && !call->error.http)
        sim_limits_refund(call->sim, call->ip, route->weight_free);
    return 0;
}

static void hang(struct sim *sim, struct flt_request *request, int64_t ms);

static void handle(struct sim *sim, struct flt_request *request)
{
    struct sim_params params = { 0 };
    struct sim_call call = { .sim = sim, .params = &params, .ip = flt_request_peer(request) };
    const char *method = flt_request_method(request), *path = flt_request_path(request);
    bool path_known = false;
    int retry_s = 0;
    const struct sim_route *route = sim_route_find(method, path, &path_known);

    sim->requests++;
    if (sim_params_parse(&params, flt_request_query(request), flt_request_body(request, NULL),
                         &call.error) == 0 &&
        early_faults(&call, method, path, sim_param(&params, "symbol"), &retry_s) == 0)
        (void)run(&call, route, flt_request_header(request, "x-mbx-apikey"), path_known, &retry_s);
    const struct sim_fault *lost =
        sim_fault_take(sim, "accept_then_timeout", method, path, sim_param(&params, "symbol"));

    if (!lost) {
        answer(sim, request, route, &call, retry_s);
    } else if (lost->status) { /* done, but the answer says that nobody knows */
        call.error = (struct sim_error){ 0 };
        (void)sim_fail(&call.error, lost->status, -1007,
                       "Timeout waiting for response from backend server. Send status unknown; "
                       "execution status unknown.");
        answer(sim, request, route, &call, 0);
    } else if (lost->hang) {
        hang(sim, request, lost->ms);
    } else {
        flt_request_drop(request);
    }
    flt_buf_finish(&call.out);
    sim_params_finish(&params);
}

/* --- requests that are kept
 * ---------------------------------------------------------------------------- */

/* A request that waits for its latency, or (hung) for its client to give up. */
struct late {
    struct sim *sim;
    struct late *next, **link;
    struct flt_request *request;
    struct flt_timer *timer;
    bool hung;
};

static void late_free(struct late *late)
{
    *late->link = late->next;
    if (late->next)
        late->next->link = late->link;
    flt_timer_destroy(late->timer);
    free(late);
}

static void on_late(void *ctx)
{
    struct late *late = ctx;
    struct sim *sim = late->sim;
    struct flt_request *request = late->request;
    const bool hung = late->hung;

    late_free(late);
    if (hung)
        flt_request_drop(request);
    else
        handle(sim, request);
}

static int keep(struct sim *sim, struct flt_request *request, int64_t ms, bool hung)
{
    struct late *late = calloc(1, sizeof *late);

    if (!late)
        return -ENOMEM;
    *late = (struct late){ .sim = sim, .request = request, .hung = hung };
    const int err = flt_timer_create(sim->loop, on_late, late, &late->timer);

    if (err) {
        free(late);
        return err;
    }
    late->next = sim->kept;
    late->link = &sim->kept;
    if (sim->kept)
        sim->kept->link = &late->next;
    sim->kept = late;
    flt_timer_start(late->timer, (uint64_t)(ms > 0 ? ms : 0), 0);
    return 0;
}

void sim_rest_finish(struct sim *sim)
{
    while (sim->kept) {
        struct flt_request *request = sim->kept->request;

        late_free(sim->kept);
        flt_request_drop(request);
    }
}

static void hang(struct sim *sim, struct flt_request *request, int64_t ms)
{
    if (keep(sim, request, ms > 0 ? ms : HANG_MS, true) != 0)
        flt_request_drop(request);
}

void sim_rest_request(void *ctx, struct flt_request *request)
{
    struct sim *sim = ctx;
    const struct sim_fault *fault = sim_fault_take(sim, "latency", flt_request_method(request),
                                                   flt_request_path(request), NULL);

    if (!fault || keep(sim, request, fault->ms, false) != 0)
        handle(sim, request);
}
